import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@jobqueue/test/support/eventually.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { processGone } from "../testing/process-gone.ts";
import { JobAborted } from "../run/outcome.ts";
import { executableHandler } from "./executable.ts";
import type { AttemptContext, RunningProgram } from "./handler.ts";
import { type ProgramUser, resolveRunAs, systemUsers } from "./run-as.ts";

/** How a script is run beside the usual. */
interface RunOptions {
  readonly abortGraceMs?: number;
  readonly user?: ProgramUser;
  readonly permanentExitCodes?: readonly number[];
}

describe("an executable handler", () => {
  let directory: string;
  let warnings: string[];
  let programs: RunningProgram[];
  let exitCodes: number[];
  let controller: AbortController;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "jobqueue-executable-test-"));
    warnings = [];
    programs = [];
    exitCodes = [];
    controller = new AbortController();
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** Runs a shell script as the handler of a job. */
  async function run(
    script: string,
    payload: unknown = {},
    { abortGraceMs = 1_000, user, permanentExitCodes = [] }: RunOptions = {},
  ): Promise<unknown> {
    const ignore = (): void => {};
    const context: AttemptContext = {
      jobId: "7",
      queue: "default",
      kind: "script",
      attempt: 1,
      maxAttempts: 5,
      fencingToken: "99",
      signal: controller.signal,
      abortGraceMs,
      log: {
        debug: ignore,
        info: ignore,
        warn: (_fields, message) => {
          warnings.push(message);
        },
        error: ignore,
      },
      deadline: undefined,
      timeoutSeconds: 60,
      traceparent: undefined,
      enqueue: () => Promise.reject(new Error("not in this test")),
      progress: ignore,
      snooze: ignore,
      complete: () => Promise.reject(new Error("not in this test")),
      programStarted: (program) => {
        programs.push(program);
      },
      programEnded: (code) => {
        exitCodes.push(code);
      },
    };
    const spec = {
      kind: "script",
      command: ["sh", "-c", script],
      env: {},
      passEnv: [],
      cwd: directory,
      permanentExitCodes,
    };
    const environment = { PATH: process.env["PATH"], TMPDIR: directory, HOME: "/root" };
    return executableHandler(spec, environment, user).run(payload, context);
  }

  const fileText = (name: string): string => readFileSync(join(directory, name), "utf8").trim();

  it.each([
    { what: "the JSON of standard output", script: `echo '{"a":1}'`, result: { a: 1 } },
    {
      what: "the JSON of the result file, which wins",
      script: `echo 1; echo '[2]' > "$JOBQUEUE_RESULT_FILE"`,
      result: [2],
    },
    { what: "nothing when the program says nothing", script: "true", result: undefined },
    { what: "the payload of standard input", script: "cat", result: { text: "grüße" } },
    { what: "the payload of the file", script: `cat "$JOBQUEUE_PAYLOAD_FILE"`, result: { text: "grüße" } },
    { what: "a result even if standard input is not read", script: "exec <&-; echo 3", result: 3 },
  ])("has as its result $what", async ({ script, result }) => {
    expect(await run(script, { text: "grüße" })).toEqual(result);
    expect(warnings).toEqual([]);
  });

  it("has no result, and is told so, when standard output is not JSON: the work is done all the same", async () => {
    expect(await run("echo processing page 1")).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining("standard output is not JSON")]);
  });

  it.each([
    { what: "an exit code", script: "echo about to fail >&2; exit 3", error: "exit code 3: about to fail" },
    { what: "a signal", script: "kill -SEGV $$", error: "killed by SIGSEGV" },
    {
      what: "a result file that is no JSON",
      script: `echo nope > "$JOBQUEUE_RESULT_FILE"`,
      error: /^the result file is not JSON: /,
    },
    {
      what: "a result file that is too large",
      script: `head -c 1048577 /dev/zero > "$JOBQUEUE_RESULT_FILE"`,
      error: "the result file has 1048577 bytes; at most 1048576 are kept",
    },
  ])("fails by $what", async ({ script, error }) => {
    await expect(run(script)).rejects.toThrow(error);
  });

  it.each([
    { what: "0", script: "true", exitCode: 0 },
    { what: "its own", script: "exit 3", exitCode: 3 },
    { what: "128 and the signal's number", script: "kill -SEGV $$", exitCode: 139 },
  ])("leaves its exit code as a fact: $what", async ({ script, exitCode }) => {
    await run(script).catch(() => {});
    expect(exitCodes).toEqual([exitCode]);
  });

  it("says that no further attempt can help when its manifest says so of its exit code", async () => {
    const failure = run("echo no such customer >&2; exit 65", {}, { permanentExitCodes: [65] });
    await expect(failure).rejects.toMatchObject({ permanent: true, message: "exit code 65: no such customer" });
    await expect(run("exit 66", {}, { permanentExitCodes: [65] })).rejects.not.toHaveProperty("permanent");
  });

  it("runs as another user, who alone can read its payload, and who can be stopped", async () => {
    // Who is not root can only be asked to stay who he is.
    const users = systemUsers();
    chmodSync(directory, 0o777);
    const user = resolveRunAs(users.uid === 0 ? "nobody:nogroup" : `${users.uid}:${users.gid}`, users) as ProgramUser;
    const script = `cat "$JOBQUEUE_PAYLOAD_FILE" > /dev/null && printf '{"uid":%s,"gid":%s,"home":"%s","directory":"%s"}' "$(id -u)" "$(id -g)" "$HOME" "$(stat -c %a:%u "$(dirname "$JOBQUEUE_PAYLOAD_FILE")")" > "$JOBQUEUE_RESULT_FILE"`;
    expect(await run(script, { secret: true }, { user })).toEqual({
      uid: user.uid,
      gid: user.gid,
      home: user.home,
      directory: `700:${user.uid}`,
    });
    expect(programs).toEqual([{ pid: expect.any(Number) as number, runAs: user.name }]);
    const deaf = `trap '' TERM; echo > ready; while :; do sleep 0.05; done`;
    const running = run(deaf, {}, { user, abortGraceMs: 500 });
    await eventually("it to ignore SIGTERM", async () => existsSync(join(directory, "ready")) || undefined, {
      everyMs: 10,
    });
    controller.abort(new JobAborted("timeout", "timed out after 1 s"));
    await expect(running).rejects.toThrow("timed out after 1 s");
    expect(exitCodes).toEqual([0, 137]);
  });

  it("keeps the last 8000 bytes of standard error", async () => {
    const failure = await run(`for i in $(seq 1 3000); do echo "line $i" >&2; done; exit 1`).catch((error: unknown) =>
      String(error),
    );
    expect(failure).toMatch(/line 3000$/);
    expect(failure).toContain("exit code 1: ");
    expect(String(failure).length).toBeLessThan(8_100);
  });

  it("says so when the program cannot be started", async () => {
    const spec = {
      kind: "k",
      command: ["/no/such/program"],
      env: {},
      passEnv: [],
      cwd: directory,
      permanentExitCodes: [],
    };
    const context = { signal: controller.signal, jobId: "7", abortGraceMs: 100 } as AttemptContext;
    await expect(executableHandler(spec, {}).run({}, context)).rejects.toThrow(
      /cannot start \/no\/such\/program: .*ENOENT/,
    );
  });

  it("is asked to end by SIGTERM, with its whole process group", async () => {
    const running = run(
      `sh -c 'trap "echo child >> ended; exit" TERM; echo $$ > pid; while :; do sleep 0.05; done' & trap 'echo parent >> ended; wait; exit 7' TERM; wait`,
    );
    await eventually("the child to run", async () => existsSync(join(directory, "pid")) || undefined, { everyMs: 10 });
    controller.abort(new JobAborted("timeout", "timed out after 1 s"));
    await expect(running).rejects.toThrow("timed out after 1 s");
    expect(fileText("ended").split("\n").toSorted()).toEqual(["child", "parent"]);
    expect(programs).toEqual([{ pid: expect.any(Number) as number, runAs: undefined }]);
    expect(exitCodes).toEqual([7]);
  });

  it("is killed with its whole process group when it ignores SIGTERM, before its slot would count as stuck", async () => {
    const running = run(
      `trap '' TERM; sh -c 'trap "" TERM; echo $$ > pid; while :; do sleep 0.05; done' & while :; do sleep 0.05; done`,
      {},
      { abortGraceMs: 500 },
    );
    await eventually("the child to run", async () => existsSync(join(directory, "pid")) || undefined, { everyMs: 10 });
    const abortedAt = performance.now();
    controller.abort(new JobAborted("timeout", "timed out after 1 s"));
    await expect(running).rejects.toThrow("timed out after 1 s");
    expect(exitCodes).toEqual([137]);
    expect(performance.now() - abortedAt).toBeLessThan(2_000);
    await processGone(Number(fileText("pid")));
  });

  it("leaves nothing running behind it when it exits", async () => {
    expect(
      await run(
        `sh -c 'echo $$ > pid; exec sleep 60' >/dev/null 2>&1 & while ! [ -s pid ]; do sleep 0.01; done; echo 1`,
      ),
    ).toBe(1);
    await processGone(Number(fileText("pid")));
  });

  it("leaves no payload on the disk", async () => {
    const { payload } = (await run(`printf '{"payload":"%s"}' "$JOBQUEUE_PAYLOAD_FILE"`)) as { payload: string };
    expect(payload).toMatch(/\/payload\.json$/);
    expect(existsSync(payload)).toBe(false);
  });
});
