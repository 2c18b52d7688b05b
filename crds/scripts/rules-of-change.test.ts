import { describe, expect, it } from "vitest";
import { CONDITIONS } from "../src/conditions.ts";
import { DEFAULT_STORE, PLURALS, RESERVED_ENV, WORKER_CONTAINER } from "../src/names.ts";
import { compose, readSources, resolve, type Schema } from "./compose.ts";
import { customResourceDefinition } from "./crd.ts";

const { kinds, fragments } = readSources();

interface Found {
  readonly path: string;
  readonly schema: Schema;
  /** Whether a list is above it: a default there would make client-side apply say "configured" for ever. */
  readonly insideList: boolean;
}

/** Every schema of a tree, with its path. */
function walk(path: string, schema: Schema, insideList = false): Found[] {
  const children = [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) =>
      child === null ? [] : walk(`${path}.${name}`, child, insideList),
    ),
    ...(schema.items ? walk(`${path}[]`, schema.items, true) : []),
    ...(typeof schema.additionalProperties === "object"
      ? walk(`${path}{}`, schema.additionalProperties, insideList)
      : []),
  ];
  return [{ path, schema, insideList }, ...children];
}

const specs = kinds.flatMap(({ kind, spec }) => walk(`${kind}.spec`, compose(spec, fragments)));
const statuses = kinds.flatMap(({ kind, status }) => walk(`${kind}.status`, compose(status, fragments)));
const everything = [...specs, ...statuses];
const pathsWhere = (found: readonly Found[], wrong: (one: Found) => boolean) =>
  found.filter(wrong).map(({ path }) => path);

describe("the rules of change (crds/README.md)", () => {
  it("every field has a sentence for kubectl explain", () => {
    const fields = everything.filter(({ path }) => !/(\[\]|\{\})$/.test(path));
    expect(fields.length).toBeGreaterThan(300);
    expect(pathsWhere(fields, ({ schema }) => schema.description?.endsWith(".") !== true)).toEqual([]);
  });

  it("every text, list, map and number of the spec has a bound", () => {
    const unbounded = pathsWhere(specs, ({ schema }) => {
      if (schema.enum || schema.type === "boolean") return false;
      if (schema.type === "string" || schema["x-kubernetes-int-or-string"]) return schema.maxLength === undefined;
      if (schema.type === "integer") return schema.minimum === undefined || schema.maximum === undefined;
      if (schema.type === "array") return schema.maxItems === undefined;
      return schema.additionalProperties !== undefined && schema.maxProperties === undefined;
    });
    expect(unbounded).toEqual([]);
  });

  it("every text and list of the status has a bound, and no number has a highest value", () => {
    const wrong = pathsWhere(statuses, ({ schema }) => {
      if (schema.type === "string" && !schema.enum) return schema.maxLength === undefined;
      if (schema.type === "array") return schema.maxItems === undefined;
      return schema.type === "integer" && schema.maximum !== undefined;
    });
    expect(wrong).toEqual([]);
  });

  it("every number says its format and a time its own: 64 bits do not fit where 32 were meant", () => {
    expect(pathsWhere(everything, ({ schema }) => schema.type === "integer" && schema.format === undefined)).toEqual(
      [],
    );
  });

  it("every list says how it merges, and the keys it merges by are required", () => {
    const wrong = pathsWhere(everything, ({ schema }) => {
      if (schema.type !== "array") return false;
      const keys = schema["x-kubernetes-list-map-keys"] ?? [];
      if (schema["x-kubernetes-list-type"] === "map") {
        return keys.length === 0 || keys.some((key) => !schema.items?.required?.includes(key));
      }
      return schema["x-kubernetes-list-type"] !== "atomic";
    });
    expect(wrong).toEqual([]);
  });

  it("no default stands inside a list", () => {
    expect(pathsWhere(everything, ({ schema, insideList }) => insideList && schema.default !== undefined)).toEqual([]);
  });

  it("the default of an object is written out with the defaults of its children", () => {
    const wrong = pathsWhere(specs, ({ schema }) => {
      if (schema.type !== "object" || schema.default === undefined) return false;
      const given = schema.default as Record<string, unknown>;
      return Object.entries(schema.properties ?? {}).some(([name, child]) => child?.default !== given[name]);
    });
    expect(wrong).toEqual([]);
  });

  it("a default is also told in words, because kubectl explain does not show it", () => {
    const wrong = pathsWhere(specs, ({ schema }) => {
      const given: unknown = schema.default;
      return (
        (typeof given === "string" || typeof given === "number") && !schema.description?.includes(`Default ${given}.`)
      );
    });
    expect(wrong).toEqual([]);
  });

  it("no word of an enum is a boolean for YAML 1.1", () => {
    const booleans = /^(y|yes|n|no|on|off|true|false)$/i;
    const wrong = everything.flatMap(({ path, schema }) =>
      (schema.enum ?? []).filter((word) => booleans.test(String(word))).map((word) => `${path}: ${String(word)}`),
    );
    // The status of a condition is Kubernetes' own word, written by the operator, not by people.
    expect(wrong.filter((one) => !one.includes(".conditions[].status"))).toEqual([]);
  });

  it("every rule says in a sentence what to do, and in words of its own", () => {
    const rules = [
      ...kinds.flatMap(({ validations }) => validations),
      ...everything.flatMap(({ schema }) => schema["x-kubernetes-validations"] ?? []),
    ];
    expect(rules.length).toBeGreaterThan(50);
    expect(rules.filter(({ message }) => message.length < 20 || /[.]$/.test(message))).toEqual([]);
    expect(rules.filter((rule) => "reason" in rule || "messageExpression" in rule)).toEqual([]);
  });

  it("a rule on spec forgives what an old object left unchanged; nothing but names and what they touch is ruled at the root", () => {
    for (const { spec } of kinds) {
      const rules = spec["x-kubernetes-validations"] ?? [];
      expect(rules.filter((rule) => !rule.optionalOldSelf || !rule.rule.includes("oldSelf.hasValue()"))).toEqual([]);
    }
    const paths = kinds.flatMap(({ validations }) => validations.map(({ fieldPath }) => fieldPath));
    expect(paths).toEqual([".metadata.name", ".metadata.name", ".spec.queueName", ".spec.workers.alsoServes"]);
  });

  it("the pod template has no path to the node, to another identity or to another pod", () => {
    const template = specs.filter(({ path }) => path.startsWith("JobQueue.spec.workers.template."));
    const forbidden =
      /^(host[A-Z]\w*|hostname|nodeName|schedulerName|serviceAccount\w*|automountServiceAccountToken|procMount|sysctls|windowsOptions|seLinuxOptions|shareProcessNamespace|ephemeral\w*|csi|nfs|iscsi|host|httpHeaders|namespaces|namespaceSelector|ownerReferences|finalizers|terminationGracePeriodSeconds|subPathExpr|mountPropagation|dnsPolicy|overhead|resourceClaims)$/;
    expect(template.length).toBeGreaterThan(250);
    expect(
      pathsWhere(template, ({ path }) =>
        forbidden.test(
          path
            .split(".")
            .at(-1)
            ?.replaceAll(/[[\]{}]/g, "") ?? "",
        ),
      ),
    ).toEqual([]);
  });

  it("nothing but the payload of a schedule, which is data of the user, keeps fields that are not named", () => {
    const keeping = pathsWhere(everything, ({ schema }) => "x-kubernetes-preserve-unknown-fields" in schema);
    expect(keeping).toEqual(["JobQueue.spec.schedules[].payload"]);
  });

  it("no category is the name of a kind: kubectl would expand it first", () => {
    for (const kind of kinds) {
      const { spec } = customResourceDefinition(kind, fragments) as { spec: { names: { categories: string[] } } };
      const names = new Set(kinds.flatMap((one) => [one.kind.toLowerCase(), one.plural, one.shortName]));
      expect(spec.names.categories.filter((category) => names.has(category))).toEqual([]);
    }
  });
});

describe("constants", () => {
  it("are those of the CRDs: plurals, reserved variables, the container, the store that is meant by default", () => {
    expect(Object.fromEntries(kinds.map(({ kind, plural }) => [kind, plural]))).toEqual(PLURALS);
    const rules = JSON.stringify(resolve({ $ref: "worker-container" }, fragments)["x-kubernetes-validations"]);
    for (const prefix of RESERVED_ENV.prefixes) expect(rules).toContain(`!e.name.startsWith('${prefix}')`);
    expect(rules).toContain(`[${RESERVED_ENV.names.map((name) => `'${name}'`).join(", ")}]`);
    expect(JSON.stringify(fragments["pod-template"])).toContain(`c.name == '${WORKER_CONTAINER}'`);
    expect(specs.find(({ path }) => path === "JobQueue.spec.storeRef.name")?.schema.default).toBe(DEFAULT_STORE);
  });
});

describe("the table of conditions", () => {
  const rows = Object.entries(CONDITIONS).flatMap(([kind, types]) =>
    Object.entries(types).flatMap(([type, reasons]) =>
      Object.entries(reasons as Record<string, { status: readonly string[]; actor: string; meaning: string }>).map(
        ([reason, row]) => ({ kind, type, reason, ...row }),
      ),
    ),
  );

  it("fits the pattern of the CRD and explains itself in sentences", () => {
    const wrong = rows.filter(
      ({ type, reason, meaning }) =>
        !/^[A-Z][A-Za-z]+$/.test(type) || !/^[A-Z][A-Za-z]+$/.test(reason) || !meaning.endsWith("."),
    );
    expect(wrong).toEqual([]);
  });

  it("names in the status of each kind every type there is", () => {
    for (const { kind, status } of kinds) {
      const description = compose(status, fragments).properties?.["conditions"]?.description ?? "";
      expect(Object.keys(CONDITIONS[kind]).filter((type) => !description.includes(type))).toEqual([]);
    }
  });

  it("Stalled is only ever True, needs a person, and repeats the reason of another condition of the kind", () => {
    const stalled = rows.filter(({ type }) => type === "Stalled");
    expect(stalled.length).toBeGreaterThan(5);
    const wrong = stalled.filter(
      ({ kind, reason, status, actor }) =>
        status.join() !== "True" ||
        !["user", "administrator"].includes(actor) ||
        !rows.some(
          (row) => row.kind === kind && row.reason === reason && row.type !== "Stalled" && row.actor === actor,
        ),
    );
    expect(wrong).toEqual([]);
  });
});
