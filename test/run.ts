/**
 * `make test`: every level in order, one summary at the end: cheap and static first, clusters last, what needs Go programs late.
 *
 *   node test/run.ts                 all levels
 *   node test/run.ts static unit     some of them
 *   node test/run.ts store -- -t G5  arguments after `--` go to vitest
 *
 * The last line is always `N passed, N failed`; the exit code is 1 when anything failed or a level ran no test.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { constants, setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { STATIC_CHECKS, type StaticCheck } from "./static-checks.ts";

/** The levels, in the order they run. All but `static` are the vitest projects whose names begin so (vitest.config.ts). */
const LEVELS = ["static", "unit", "store", "worker", "web", "api", "cluster"] as const;
type Level = (typeof LEVELS)[number];

interface Outcome {
  readonly level: Level;
  readonly passed: number;
  readonly failed: readonly string[];
  readonly seconds: number;
}

/** Runs a command; resolves with its exit code and, when `quiet`, what it printed. */
async function run(
  command: string,
  args: readonly string[],
  quiet: boolean,
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: quiet ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
    });
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.once("error", (error) => {
      resolve({ code: 127, output: `${output}${error.message}\n` });
    });
    child.once("exit", (code) => {
      resolve({ code: code ?? 1, output });
    });
  });
}

async function runStatic(): Promise<Omit<Outcome, "seconds">> {
  const failed: string[] = [];
  const left = [...STATIC_CHECKS];
  const runOne = async (check: StaticCheck): Promise<void> => {
    const started = performance.now();
    const { code, output } = await run(check.command, check.args, true);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(` ${code === 0 ? "✓" : "✗"} ${check.name} (${seconds} s)`);
    if (code === 0) return;
    console.log(output);
    console.log(
      `   repeat: ${check.command} ${check.args.join(" ")}${check.remedy ? `; to mend: ${check.remedy}` : ""}`,
    );
    failed.push(`static: ${check.name}`);
  };
  // Each of them keeps one processor busy.
  const runSome = async (): Promise<void> => {
    for (let check = left.shift(); check !== undefined; check = left.shift()) await runOne(check);
  };
  await Promise.all([runSome(), runSome()]);
  return { level: "static", passed: STATIC_CHECKS.length - failed.length, failed };
}

interface VitestReport {
  numPassedTests: number;
  testResults: {
    name: string;
    status: string;
    message?: string;
    assertionResults: { fullName: string; status: string; failureMessages?: string[] }[];
  }[];
}

/** How much of an error is repeated in the summary, characters: whoever has only the end of a log still learns what failed. */
const WHY_LENGTH = 600;

function failureOf({ fullName, failureMessages = [] }: VitestReport["testResults"][0]["assertionResults"][0]): string {
  const lines = stripVTControlCharacters(failureMessages.join("\n")).split("\n");
  // vitest's report has only the stack of a timeout, whose first line is not the message but this placeholder.
  const named = lines.map((line) => line.replace("Error: STACK_TRACE_ERROR", "the test (or its hook) timed out"));
  const ours = named.filter((line) => !/^ +at .*(node_modules|new Promise)/.test(line));
  return [fullName, ...ours].join("\n  ").slice(0, WHY_LENGTH).trimEnd();
}

async function runVitest(level: Level, extra: readonly string[]): Promise<Omit<Outcome, "seconds">> {
  const directory = mkdtempSync(join(tmpdir(), "jobqueue-test-"));
  const report = join(directory, "report.json");
  try {
    // A level may be several projects, such as `cluster` and `cluster-together`.
    const args = [
      "run",
      "--project",
      `${level}*`,
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
    ];
    const { code } = await run("vitest", [...args, ...extra], false);
    let results: VitestReport;
    try {
      results = JSON.parse(readFileSync(report, "utf8")) as VitestReport;
    } catch {
      return { level, passed: 0, failed: [`${level}: vitest ended with code ${code} before it reported`] };
    }
    const failed = results.testResults.flatMap((file) => {
      const bad = file.assertionResults.filter((test) => test.status === "failed").map(failureOf);
      return bad.length === 0 && file.status === "failed" ? [`${file.name}: ${file.message ?? "failed"}`] : bad;
    });
    if (failed.length === 0 && code !== 0) failed.push(`${level}: vitest ended with code ${code}, see above`);
    if (failed.length === 0 && results.numPassedTests === 0) failed.push(`${level}: no test ran`);
    return { level, passed: results.numPassedTests, failed };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Levels that need Go programs, which take a new machine some ten minutes to build. */
const NEED_PROGRAMS: ReadonlySet<Level> = new Set(["api", "cluster"]);

/**
 * Builds what later levels need while the first ones run, with what they leave of the processors. A level waits for what is
 * not built when it begins, and says what went wrong. Returns what ends it.
 */
function buildAhead(levels: readonly Level[]): () => void {
  if (levels.findIndex((level) => NEED_PROGRAMS.has(level)) < 1) return () => {};
  const child = spawn(process.execPath, ["test/cluster/binaries/ahead.ts"], { stdio: "ignore" });
  child.once("error", () => {});
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  return () => child.kill();
}

const separator = process.argv.indexOf("--");
const asked = process.argv.slice(2, separator === -1 ? undefined : separator);
const extra = separator === -1 ? [] : process.argv.slice(separator + 1);
const unknown = asked.filter((name) => !(LEVELS as readonly string[]).includes(name));
if (unknown.length > 0) {
  console.error(`unknown level ${unknown.join(", ")}; levels are ${LEVELS.join(", ")}`);
  process.exit(2);
}

const outcomes: Outcome[] = [];
const levels = LEVELS.filter((name) => asked.length === 0 || asked.includes(name));
const endBuilding = buildAhead(levels);
for (const level of levels) {
  console.log(`\n=== ${level} ===`);
  const started = performance.now();
  const outcome = level === "static" ? await runStatic() : await runVitest(level, extra);
  outcomes.push({ ...outcome, seconds: (performance.now() - started) / 1000 });
}

endBuilding();

console.log("\n=== summary ===");
for (const { level, passed, failed, seconds } of outcomes) {
  console.log(
    `${level.padEnd(8)} ${String(passed).padStart(5)} passed ${String(failed.length).padStart(3)} failed  ${seconds.toFixed(0)} s`,
  );
}
const failures = outcomes.flatMap((outcome) => outcome.failed);
for (const failure of failures) console.log(`FAILED ${failure}`);
console.log(`${outcomes.reduce((sum, outcome) => sum + outcome.passed, 0)} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;
