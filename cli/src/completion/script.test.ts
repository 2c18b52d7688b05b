import { spawnSync } from "node:child_process";
import { beforeAll, expect, it } from "vitest";
import { VERBS } from "../verbs.ts";
import { completionScript, type Shell, SHELLS } from "./script.ts";

const scripts = new Map<Shell, string>();
// The settings of worker, operator and admin server are those of their packages, which take seconds to load.
beforeAll(async () => {
  for (const shell of SHELLS) scripts.set(shell, await completionScript(shell, VERBS));
}, 60_000);

/** What bash would suggest for the last word of a command line. */
function suggested(...line: string[]): string[] {
  const script = scripts.get("bash") ?? "";
  const array = line.map((word) => `'${word}'`).join(" ");
  const asked = `${script}\nCOMP_WORDS=(${array}); COMP_CWORD=${line.length - 1}; _jobqueue; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync("bash", ["--norc", "-c", asked], { encoding: "utf8" });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  return stdout.split("\n").filter(Boolean);
}

it("bash is told the verbs that begin so", () => {
  expect(suggested("jobqueue", "re")).toEqual(["report", "retry", "recover-stale", "resume", "revoke"]);
  expect(suggested("jobqueue", "").length).toBeGreaterThan(25);
});

it("bash is told the second word of verbs that have one", () => {
  expect(suggested("jobqueue", "schedule", "p")).toEqual(["put", "pause", "preview"]);
  expect(suggested("jobqueue", "api-key", "")).toEqual(["create", "list", "revoke"]);
});

it("bash is told the flags of the verb, also behind its arguments and behind flags before it", () => {
  expect(suggested("jobqueue", "pause", "mailers", "--re")).toEqual(["--reason"]);
  expect(suggested("jobqueue", "--namespace", "shop", "schedule", "put", "--cr")).toEqual(["--cron"]);
  expect(suggested("jobqueue", "worker", "--drain")).toEqual(["--drain-timeout"]);
});

it("bash is told the choices of a flag, and nothing for a value that is free", () => {
  expect(suggested("jobqueue", "status", "-o", "")).toEqual(["table", "json", "yaml", "name"]);
  expect(suggested("jobqueue", "jobs", "--state", "s")).toEqual(["scheduled"]);
  expect(suggested("jobqueue", "jobs", "--queue", "")).toEqual([]);
});

it.each(SHELLS)("the script for %s names every verb and every flag of the table", (shell) => {
  const script = scripts.get(shell);
  for (const verb of VERBS) for (const word of verb.name.split(" ")) expect(script).toContain(word);
  for (const flag of VERBS.flatMap((verb) => verb.flags)) expect(script).toContain(flag.name);
});
