import { describe, expect, it } from "vitest";
import { SeenPods } from "./seen-pods.ts";

const NOBODY = (): boolean => false;
const ASKED = new Set(["a", "b"]);

describe("pods that this process has seen", () => {
  it("tells those of the asked ones that it saw, of one pool", () => {
    const seen = new SeenPods();
    seen.add("shop/mail", "a");
    seen.add("shop/other", "b");
    expect(seen.of("shop/mail", ASKED)).toEqual(new Set(["a"]));
    expect(seen.of("shop/none", ASKED)).toEqual(new Set());
  });

  it("G8: remembers one that went before the store told of its worker", () => {
    const seen = new SeenPods();
    seen.add("shop/mail", "a");
    seen.keepOnly("shop/mail", NOBODY, 1_000);
    seen.keepOnly("shop/mail", NOBODY, 16_000);
    expect(seen.of("shop/mail", ASKED)).toEqual(new Set(["a"]));
  });

  it("forgets what nobody has asked about for ten minutes, and nothing that is asked about", () => {
    const seen = new SeenPods();
    seen.add("shop/mail", "a");
    seen.add("shop/mail", "b");
    for (const nowMs of [0, 400_000, 800_000]) seen.keepOnly("shop/mail", (uid) => uid === "a", nowMs);
    expect(seen.of("shop/mail", ASKED)).toEqual(new Set(["a"]));
    seen.keepOnly("shop/mail", NOBODY, 1_400_001);
    expect(seen.of("shop/mail", ASKED)).toEqual(new Set());
  });
});
