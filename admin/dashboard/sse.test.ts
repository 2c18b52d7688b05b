import { describe, expect, it } from "vitest";
import { EventReader } from "./sse.ts";

describe("a stream of events", () => {
  it("is the same wherever the network cuts it", () => {
    const text = 'retry: 2000\n\nevent: queues\ndata: {"a":"x y"}\n\n: beat\n\nevent: workers\ndata: []\n\n';
    for (let at = 0; at <= text.length; at++) {
      const reader = new EventReader();
      expect([...reader.push(text.slice(0, at)), ...reader.push(text.slice(at))]).toEqual([
        { name: "queues", data: { a: "x y" } },
        { name: "workers", data: [] },
      ]);
    }
  });
});
