import { readFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { parse } from "yaml";
import { beforeAll, describe, expect, it } from "vitest";
import { compose, readSources, resolve } from "./compose.ts";
import { generateAll } from "./outputs.ts";

const root = join(import.meta.dirname, "../..");

describe("what is generated", () => {
  let outputs: Map<string, string>;
  beforeAll(async () => {
    outputs = await generateAll();
  }, 60_000); // seconds of work, on a machine that may have more to do

  it("is the CRDs, the types and the reference", () => {
    expect([...outputs.keys()].sort()).toEqual([
      "crds/jobqueues.yaml",
      "crds/jobstores.yaml",
      "crds/src/generated/condition.ts",
      "crds/src/generated/job-queue.ts",
      "crds/src/generated/job-store.ts",
      "docs/reference/kinds.md",
    ]);
  });

  it("is committed as it is generated", () => {
    for (const [file, text] of outputs)
      expect(readFileSync(join(root, file), "utf8") === text, `${file}; run make generate`).toBe(true);
  });

  it("is the same every time", async () => {
    expect(await generateAll()).toEqual(outputs);
  });

  it("has nothing left for the formatter of the repository to change", async () => {
    const file = join(root, "docs/reference/kinds.md");
    const text = outputs.get("docs/reference/kinds.md") as string;
    expect(await format(text, { ...(await resolveConfig(file)), filepath: file })).toBe(text);
  });

  it("fits, as compact JSON, into the annotation in which client-side apply keeps a manifest (256 KiB)", () => {
    for (const { plural } of readSources().kinds) {
      const compact = JSON.stringify(parse(outputs.get(`crds/${plural}.yaml`) as string));
      expect(compact.length).toBeLessThan(262_144 / 2);
    }
  });

  it("reads the same in YAML 1.1 (kubectl) and YAML 1.2 (JavaScript)", () => {
    for (const { plural } of readSources().kinds) {
      const text = outputs.get(`crds/${plural}.yaml`) as string;
      expect(parse(text, { version: "1.1" })).toEqual(parse(text, { version: "1.2" }));
    }
  });

  it("types fields with a default as always there, and numbers that may be text as both", () => {
    const types = outputs.get("crds/src/generated/job-queue.ts") as string;
    expect(types).toMatch(/^ {2}state: "Active" \| "Paused" \| "Stopped";$/m);
    expect(types).toMatch(/^ {2}queueName\?: string;$/m);
    expect(types).toMatch(/^ {4}sizeLimit\?: number \| string;$/m);
  });

  it("has in the types each piece of schema once, with its sentence", () => {
    const types = outputs.get("crds/src/generated/job-queue.ts") as string;
    const names = [...types.matchAll(/^export (?:interface|type) (\w+)/gm)].map((match) => match[1] as string);
    expect(names.filter((name) => /\d$/.test(name))).toEqual([]);
    expect(names).toEqual([...new Set(names)]);
    expect(types).not.toContain("referenced by");
  });

  it("shows in the reference every rule with its sentence, as it was written", () => {
    const text = (outputs.get("docs/reference/kinds.md") as string).replaceAll(/\\(.)/g, "$1");
    const messages: string[] = [];
    parse(outputs.get("crds/jobqueues.yaml") as string, (key, value: unknown) => {
      if (key === "message" && typeof value === "string") messages.push(value);
      return value;
    });
    expect(messages.length).toBeGreaterThan(50);
    expect(messages.filter((message) => !text.includes(message))).toEqual([]);
    expect(text).not.toContain("undefined");
  });
});

describe("$ref", () => {
  const fragments = {
    base: { type: "object", description: "Base.", properties: { a: { type: "string" }, b: { type: "string" } } },
    derived: { $ref: "base", description: "Derived." },
  };

  it("puts the piece in its place; what stands beside it wins, properties are merged, null takes one away", () => {
    const resolved = resolve({ $ref: "derived", properties: { b: null, c: { type: "integer" } } }, fragments);
    expect(resolved).toEqual({
      type: "object",
      description: "Derived.",
      properties: { a: { type: "string" }, b: null, c: { type: "integer" } },
    });
    expect(compose(resolved, fragments).properties).toEqual({ a: { type: "string" }, c: { type: "integer" } });
  });

  it("to a piece that does not exist is an error that names it", () => {
    expect(() => resolve({ $ref: "nothing" }, fragments)).toThrow("there is no fragment named nothing");
  });

  it("a word that Kubernetes does not know is an error, not silence", () => {
    const schema = { type: "string", maxlength: 3 } as object;
    expect(() => compose(schema, {})).toThrow("unknown words in a schema: maxlength");
  });
});
