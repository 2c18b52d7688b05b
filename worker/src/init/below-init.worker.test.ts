import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const MAIN = fileURLToPath(new URL("../testing/process-one.ts", import.meta.url));

/** A user who is not root gets a user namespace as well. */
const NAMESPACE = [
  ...(process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"]),
  "--pid",
  "--fork",
  "--mount-proc",
];

/** Runs the test's program as process 1 of a namespace of processes, as in a container; resolves with what it wrote and its exit code. */
async function asProcessOne(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly lines: string[] }> {
  const child = spawn("unshare", [...NAMESPACE, process.execPath, MAIN, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, lines: text.trim().split("\n") };
}

describe("a worker that is process 1 of its container", () => {
  it("runs below a shell that collects the orphans of programs: no zombies", async () => {
    expect(await asProcessOne("orphan")).toEqual({ code: 0, lines: ["pid is 1: false", "zombies: 0"] });
  });

  it("where there is no shell runs below itself; orphans stay", async () => {
    expect(await asProcessOne("orphan", "--no-shell")).toEqual({ code: 0, lines: ["pid is 1: false", "zombies: 2"] });
  });

  it.each([["with a shell"], ["without a shell", "--no-shell"]])(
    "W6: can be ended by its watchdog, %s",
    async (_, ...args) => {
      expect((await asProcessOne("kill-itself", ...args)).code).toBe(137);
    },
  );

  it("W6: which it could not as process 1, and that is why", async () => {
    expect((await asProcessOne("kill-itself", "--stay")).code).toBe(0);
  });

  it.each([["with a shell"], ["without a shell", "--no-shell"]])(
    "gets the signals that process 1 gets, each of them, and its exit code becomes the container's, %s",
    async (_, ...args) => {
      expect(await asProcessOne("drain", ...args)).toEqual({
        code: 7,
        lines: ["pid is 1: false", "SIGTERM", "SIGTERM"],
      });
    },
  );
});
