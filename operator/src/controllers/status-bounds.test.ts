import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { cut, STATUS_BOUNDS } from "./status-bounds.ts";

interface Schema {
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** The schema of `status` in a CRD, at a path such as `holds[].name`. */
function statusSchema(plural: string, path: string): Schema {
  const file = join(import.meta.dirname, `../../../crds/${plural}.yaml`);
  const crd = parse(readFileSync(file, "utf8")) as {
    spec: { versions: { schema: { openAPIV3Schema: Schema } }[] };
  };
  let schema = crd.spec.versions[0]?.schema.openAPIV3Schema.properties?.["status"];
  for (const step of path.split(".")) {
    schema = schema?.properties?.[step.replace("[]", "")];
    if (step.endsWith("[]")) schema = schema?.items;
  }
  if (!schema) throw new Error(`no ${path} in the status of ${plural}`);
  return schema;
}

describe("bounds of the status", () => {
  it.each([
    ["message", "conditions[].message"],
    ["holdName", "holds[].name"],
    ["holdQueue", "holds[].queue"],
    ["holdSource", "holds[].source"],
    ["holdActor", "holds[].actor"],
    ["holdReason", "holds[].reason"],
    ["pausedBy", "pausedBy"],
    ["store", "store"],
    ["recoveryReason", "lastRecovery.reason"],
    ["handledRequest", "handledRequests.recover"],
    ["handledRequest", "handledRequests.restart"],
  ] as const)("%s is what the CRD allows at status.%s", (bound, path) => {
    expect(statusSchema("jobqueues", path).maxLength).toBe(STATUS_BOUNDS[bound]);
  });

  it("a JobQueue shows as many holds as the CRD allows, and the other texts fit too", () => {
    expect(statusSchema("jobqueues", "holds").maxItems).toBe(STATUS_BOUNDS.holds);
    expect(statusSchema("jobstores", "serverVersion").maxLength).toBe(STATUS_BOUNDS.serverVersion);
    expect(statusSchema("jobstores", "oldSnapshots[].holder").maxLength).toBe(STATUS_BOUNDS.holder);
    expect(statusSchema("jobstores", "conditions[].message").maxLength).toBe(STATUS_BOUNDS.message);
  });
});

describe("cut", () => {
  it("leaves what fits as it is, counted in code points", () => {
    expect(cut("é".repeat(256), 256)).toBe("é".repeat(256));
    expect(cut("🐢".repeat(256), 256)).toBe("🐢".repeat(256));
  });

  it("ends what does not fit with an ellipsis and never splits a character", () => {
    expect(cut("🐢🐢🐢", 2)).toBe("🐢…");
  });

  it("never exceeds the limit and is always well-formed", () => {
    const text = fc
      .array(fc.constantFrom("a", "é", "🐢", "\ud83d", "\udc22"), { maxLength: 40 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 30 }), (given, limit) => {
        const shown = cut(given, limit);
        expect(Array.from(shown).length).toBeLessThanOrEqual(limit);
        expect(shown.isWellFormed()).toBe(true);
      }),
    );
  });
});
