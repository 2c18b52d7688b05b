import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { Progress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

function recorder(progress: boolean): { terminal: Terminal; written: () => string } {
  let text = "";
  const stderr = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const terminal: Terminal = {
    stdout: stderr,
    stderr,
    stdin: process.stdin,
    env: {},
    width: undefined,
    colour: false,
    progress,
    interactive: false,
  };
  return { terminal, written: () => text };
}

describe("progress", () => {
  it("says nothing about work that is done within a second", () => {
    const { terminal, written } = recorder(true);
    const progress = new Progress(terminal, "jobs enqueued", 100, 0);
    progress.done(50, 999);
    progress.end();
    expect(written()).toBe("");
  });

  it("writes over its line on a terminal, ten times a second at most, and takes it away at the end", () => {
    const { terminal, written } = recorder(true);
    const progress = new Progress(terminal, "jobs enqueued", 1000, 0);
    progress.done(250, 2000);
    progress.done(251, 2050);
    progress.done(300, 2100);
    progress.end();
    expect(written()).toBe(
      "\r\u001b[K250 of 1000 jobs enqueued (25 %, 125 per second)\r\u001b[K300 of 1000 jobs enqueued (30 %, 143 per second)\r\u001b[K",
    );
  });

  it("writes a line every ten seconds where lines stay", () => {
    const { terminal, written } = recorder(false);
    const progress = new Progress(terminal, "jobs enqueued", 1000, 0);
    progress.done(250, 2000);
    progress.done(300, 5000);
    progress.done(500, 12_000);
    progress.end();
    expect(written()).toBe(
      "250 of 1000 jobs enqueued (25 %, 125 per second)\n500 of 1000 jobs enqueued (50 %, 42 per second)\n",
    );
  });
});
