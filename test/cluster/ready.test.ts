import { describe, expect, it } from "vitest";
import { stateOf } from "./ready.ts";

const node = (name: string, ready: string) => ({
  metadata: { name },
  status: { conditions: [{ type: "Ready", status: ready }], nodeInfo: { kubeletVersion: "v1" } },
});

describe("a cluster", () => {
  it("is ready when every node is and all of its DNS", () => {
    const nodes = { items: [node("a", "True"), node("b", "True")] };
    expect(stateOf(nodes, { status: { replicas: 2, readyReplicas: 2 } })).toBe("");
  });

  it("says which nodes it waits for", () => {
    const nodes = { items: [node("a", "True"), node("b", "False"), node("c", "Unknown")] };
    expect(stateOf(nodes, { status: { replicas: 2, readyReplicas: 2 } })).toBe("not Ready: b, c");
    expect(stateOf({ items: [] }, { status: {} })).toBe("there are no nodes");
  });

  it("says what its DNS lacks", () => {
    const nodes = { items: [node("a", "True")] };
    expect(stateOf(nodes, { status: {} })).toBe("CoreDNS has 0 of 0 pods ready");
    expect(stateOf(nodes, { status: { replicas: 2, readyReplicas: 1 } })).toBe("CoreDNS has 1 of 2 pods ready");
  });
});
