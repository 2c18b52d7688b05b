import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { ApiClient, ApiError, type KubeObject } from "../../test/support/api-server/api-client.ts";
import { createNamespace } from "../../test/support/api-server/namespace.ts";
import { API_VERSION, GROUP, PLURALS, VERSION, type Kind } from "./index.ts";

const EXAMPLES = join(import.meta.dirname, "../examples");
const client = new ApiClient(inject("kubeconfig"));

interface Example {
  readonly file: string;
  readonly text: string;
  readonly documents: readonly KubeObject[];
}

function example(path: string): Example {
  const text = readFileSync(join(EXAMPLES, path), "utf8");
  // YAML 1.1, as kubectl reads it: Off is false there.
  return {
    file: path,
    text,
    documents: parseAllDocuments(text, { version: "1.1" }).map((part) => part.toJS() as KubeObject),
  };
}

const valid = [
  ...globSync("valid/*.yaml", { cwd: EXAMPLES }),
  ...globSync("quickstart/*.yaml", { cwd: EXAMPLES }),
  "paused.yaml",
]
  .sort()
  .map(example);
const invalid = globSync("invalid/*.yaml", { cwd: EXAMPLES }).sort().map(example);

function collection(namespace: string, object: KubeObject): string {
  return `/apis/${API_VERSION}/namespaces/${namespace}/${PLURALS[object.kind as Kind]}`;
}

/** The two ways in which manifests reach the API server; both refuse unknown fields, as kubectl asks them to. */
const WAYS: Readonly<Record<string, (namespace: string, object: KubeObject) => Promise<KubeObject>>> = {
  // What client-side apply amounts to: create, then replace (what the manifest no longer says is removed).
  "client-side apply": async (namespace, object) => {
    const path = collection(namespace, object);
    const existing = await client.find(`${path}/${object.metadata.name}`);
    if (!existing) return client.send("POST", `${path}?fieldValidation=Strict`, object);
    const { resourceVersion } = existing.metadata;
    const next = { ...object, metadata: { ...object.metadata, ...(resourceVersion && { resourceVersion }) } };
    return client.send("PUT", `${path}/${object.metadata.name}?fieldValidation=Strict`, next);
  },
  "server-side apply": async (namespace, object) => {
    const path = `${collection(namespace, object)}/${object.metadata.name}`;
    const query = "fieldManager=git&force=true&fieldValidation=Strict";
    return client.send("PATCH", `${path}?${query}`, object, "application/apply-patch+yaml");
  },
};

async function remove(namespace: string, documents: readonly KubeObject[]): Promise<void> {
  for (const object of documents) {
    const path = `${collection(namespace, object)}/${object.metadata.name}`;
    if (await client.find(path)) await client.delete(path);
  }
}

/** The sentence behind `# want:` in the head of an invalid example. */
function wanted({ file, text }: Example): string {
  const want = /^# want: (.+)$/m.exec(text)?.[1];
  if (want === undefined) throw new Error(`${file} does not say which error it wants`);
  return want;
}

/** Messages of every rule of a CRD. */
function ruleMessages(schema: unknown): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const own = Object.entries(schema).flatMap(([key, value]) =>
    key === "x-kubernetes-validations"
      ? (value as { message: string }[]).map((rule) => rule.message)
      : ruleMessages(value),
  );
  return own;
}

describe.each(Object.entries(WAYS))("examples by %s", (way, send) => {
  let namespace: string;
  const refusals = new Map<string, string>();

  beforeAll(async () => {
    namespace = await createNamespace(inject("kubeconfig"), way.replace(/ .*/, ""));
  });

  it.each(valid.map((one) => [one.file, one] as const))("%s is accepted", async (_file, { documents }) => {
    for (const object of documents) {
      expect((await send(namespace, object)).metadata.uid).toBeDefined();
    }
    await remove(namespace, documents);
  });

  it.each(invalid.map((one) => [basename(one.file, ".yaml"), one] as const))("%s is refused", async (name, one) => {
    const earlier = one.documents.slice(0, -1);
    for (const object of earlier) await send(namespace, object);
    const refusal = await send(namespace, one.documents.at(-1) as KubeObject).catch((error: unknown) => error);
    await remove(namespace, one.documents);
    expect(refusal).toBeInstanceOf(ApiError);
    const { message } = refusal as ApiError;
    refusals.set(name, message);
    expect(message).toContain(wanted(one));
  });

  it("the sentence of every rule is produced by at least one of them", () => {
    const crds = Object.values(PLURALS).map((plural): unknown =>
      parse(readFileSync(join(EXAMPLES, `../${plural}.yaml`), "utf8")),
    );
    const messages = [...new Set(crds.flatMap(ruleMessages))];
    expect(messages.length).toBeGreaterThan(25);
    const seen = [...refusals.values()].join("\n");
    expect(messages.filter((message) => !seen.includes(message))).toEqual([]);
  });
});

describe("a client that asks for no validation of fields", () => {
  it("gets nothing stored that the list of leaves does not have", async () => {
    const namespace = await createNamespace(inject("kubeconfig"), "ignore");
    const hostile = invalid.filter(({ file }) => /\/(pod|container)-/.test(file));
    const stored: { file: string; field: string; spec: string }[] = [];
    for (const one of hostile) {
      const object = one.documents[0] as KubeObject;
      const path = `${collection(namespace, object)}?fieldValidation=Ignore`;
      const answer = await client.send("POST", path, object).catch(() => undefined);
      if (!answer) continue; // refused by a rule all the same
      stored.push({ file: one.file, field: wanted(one).split(".").at(-1) ?? "", spec: JSON.stringify(answer["spec"]) });
      await remove(namespace, [object]);
    }
    expect(stored.length).toBeGreaterThan(10);
    expect(stored.filter(({ field, spec }) => spec.includes(`"${field}"`))).toEqual([]);
  });
});

describe("the definitions", () => {
  it.each(Object.values(PLURALS))("%s is taken whole: no word of it is unknown to the API server", async (plural) => {
    const crd = parse(readFileSync(join(EXAMPLES, `../${plural}.yaml`), "utf8")) as KubeObject;
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.${GROUP}`;
    const query = "fieldManager=check&force=true&fieldValidation=Strict&dryRun=All";
    await client.send("PATCH", `${path}?${query}`, crd, "application/apply-patch+yaml");
    const { status } = await client.get<{
      status: { conditions: { type: string; status: string; message: string }[] };
    }>(path);
    expect(status.conditions.filter(({ type }) => type === "NonStructuralSchema")).toEqual([]);
    expect(status.conditions.find(({ type }) => type === "Established")?.status).toBe("True");
  });

  it("are found by their short names and by their category, in one group and version", async () => {
    const { resources } = await client.get<{
      resources: { name: string; kind: string; shortNames?: string[]; categories?: string[] }[];
    }>(`/apis/${GROUP}/${VERSION}`);
    const main = resources.filter(({ name }) => !name.includes("/"));
    expect(main.map(({ name, shortNames, categories }) => ({ name, shortNames, categories }))).toEqual(
      expect.arrayContaining([
        { name: "jobqueues", shortNames: ["jobq"], categories: ["jobqueue-operator"] },
        { name: "jobstores", shortNames: ["jobst"], categories: ["jobqueue-operator"] },
      ]),
    );
    expect(resources.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["jobqueues/status", "jobqueues/scale", "jobstores/status"]),
    );
  });
});
