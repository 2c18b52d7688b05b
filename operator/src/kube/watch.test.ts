import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitLines } from "./watch.ts";

async function* stream(chunks: readonly Uint8Array[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

const collect = async (chunks: readonly Uint8Array[]) => {
  const lines: string[] = [];
  for await (const line of splitLines(stream(chunks))) lines.push(line);
  return lines;
};

describe("lines of a stream", () => {
  it("are the same however the bytes are cut, also within a character", async () => {
    const text = fc.array(
      fc.string({ unit: "grapheme", minLength: 1 }).map((line) => `x${line.replaceAll(/[\r\n]/g, "")}`),
    );
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(200)), async (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(await collect(chunks)).toEqual(lines);
      }),
    );
  });

  it("do not include empty ones", async () => {
    expect(await collect([Buffer.from("\n\na\n\r\nb\n")])).toEqual(["a", "b"]);
  });

  it("end with an error when the last one has no end", async () => {
    await expect(collect([Buffer.from('{"a":1}\n{"b"')])).rejects.toMatchObject({ reason: "MalformedResponse" });
  });

  it("are not read ahead of their reader", async () => {
    let taken = 0;
    async function* counted(): AsyncGenerator<Buffer> {
      for (;;) {
        taken += 1;
        yield Buffer.from(`${taken}\n`);
      }
    }
    const lines = splitLines(counted());
    await lines.next();
    await lines.next();
    expect(taken).toBe(2);
    await lines.return();
  });
});
