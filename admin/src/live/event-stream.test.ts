import { expect, it } from "vitest";
import { EventStream } from "./event-stream.ts";

it("D3: a reader that does not read costs one event per name, the latest", async () => {
  const stream = new EventStream();
  const big = "x".repeat(70_000);
  stream.send("queues", { n: 0, big });
  for (let n = 1; n < 1000; n++) stream.send("queues", { n, big });
  stream.send("workers", { n: 1 });
  expect(stream.readableLength).toBeLessThan(200_000);
  const frames: string[] = [];
  await new Promise<void>((resolve) => {
    stream.on("data", (chunk: Buffer) => {
      frames.push(chunk.toString());
      if (frames.join("").includes("event: workers")) resolve();
    });
  });
  stream.destroy();
  const sent = [...frames.join("").matchAll(/event: queues\ndata: \{"n":(\d+)/g)].map((match) => Number(match[1]));
  expect(sent).toEqual([0, 999]);
});

it("says how long to wait before connecting again, and nothing after its end", () => {
  const stream = new EventStream();
  expect(String(stream.read())).toBe("retry: 2000\n\n");
  stream.destroy();
  stream.send("queues", {});
  expect(stream.read()).toBeNull();
});
