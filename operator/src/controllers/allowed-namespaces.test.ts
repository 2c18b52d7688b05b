import { describe, expect, it } from "vitest";
import { allowanceOf, type NamespaceLabels } from "./allowed-namespaces.ts";
import { aJobQueue, aJobStore } from "./testing/builders.ts";

/** The answer for a JobQueue of namespace `shop` and a JobStore of namespace `platform`. */
function answer(
  allowedNamespaces: ReturnType<typeof aJobStore>["spec"]["allowedNamespaces"],
  labels: NamespaceLabels = {},
): string {
  const store = aJobStore({ allowedNamespaces }, { metadata: { namespace: "platform" } });
  return allowanceOf(aJobQueue(), store, () => labels).is;
}

describe("whether a JobStore lets a namespace in", () => {
  it("its own is always let in, without asking for labels", () => {
    const never = (): NamespaceLabels => {
      throw new Error("asked");
    };
    const selector = { matchLabels: { team: "x" } };
    expect(allowanceOf(aJobQueue(), aJobStore({ allowedNamespaces: { from: "Selector", selector } }), never)).toEqual({
      is: "allowed",
    });
  });

  it("Same lets no other one in, All every one", () => {
    expect(answer({ from: "Same" })).toBe("refused");
    expect(answer({ from: "All" }, "unknown")).toBe("allowed");
  });

  it.each<[string, NamespaceLabels]>([
    ["allowed", { team: "billing", tier: "gold", extra: "1" }],
    ["refused", { team: "billing" }],
    ["refused", { team: "billing", tier: "silver" }],
    ["refused", { team: "billing", tier: "gold", frozen: "" }],
    ["refused", { tier: "gold" }],
    ["refused", undefined],
    ["unknown", "unknown"],
  ])("Selector: %s for %j", (expected, labels) => {
    const selector = {
      matchLabels: { team: "billing" },
      matchExpressions: [
        { key: "tier", operator: "In" as const, values: ["gold", "platinum"] },
        { key: "tier", operator: "Exists" as const },
        { key: "zone", operator: "NotIn" as const, values: ["x"] },
        { key: "frozen", operator: "DoesNotExist" as const },
      ],
    };
    expect(answer({ from: "Selector", selector }, labels)).toBe(expected);
  });

  it("an object that is older than the field lets no other namespace in", () => {
    const store = aJobStore({}, { metadata: { namespace: "platform" } });
    const { allowedNamespaces: _, ...spec } = store.spec;
    expect(allowanceOf(aJobQueue(), { ...store, spec } as typeof store, () => ({})).is).toBe("refused");
  });
});
