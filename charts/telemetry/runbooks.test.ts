import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../../cli/src/arguments.ts";
import { VERBS } from "../../cli/src/verbs.ts";
import { commandsOf, FOLDER, readRunbook, wordsOf } from "../testing/runbook.ts";
import { ALERT_GROUPS } from "./alerts.ts";

const NAMES = ALERT_GROUPS.flatMap(({ alerts }) => alerts.map(({ name }) => name));

const ON_JOBS = ["retry", "cancel", "delete", "recover-stale", "pause"] as const;
const CHANGING: ReadonlySet<string> = new Set([...ON_JOBS, "resume", "enqueue", "migrate", "worker"]);
const WITH_REASON: ReadonlySet<string> = new Set(ON_JOBS);

describe.each([...NAMES, "README"])("the runbook %s", (name) => {
  const page = readRunbook(name);
  const ours = commandsOf(page).filter(({ line }) => line.startsWith("jobqueue "));

  it("has only commands that the command line takes as they stand", () => {
    const kinds = ours.map(({ line }) => parseCommandLine(wordsOf(line).slice(1), VERBS).kind);
    expect(kinds).toEqual(ours.map(() => "run"));
  });

  it("links only to what is there", () => {
    const links = [...page.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, link = ""]) => link);
    expect(links.filter((link) => !existsSync(join(FOLDER, link)))).toEqual([]);
  });
});

describe.each(NAMES)("the runbook %s", (name) => {
  const page = readRunbook(name);

  it("looks, decides, previews, acts and verifies, in this order, as Publaryn's does", () => {
    expect(page.startsWith(`# ${name}\n`)).toBe(true);
    const steps = [...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
    expect(steps).toEqual(["Look", "Decide", "Preview", "Act", "Verify"]);
  });

  it("has a command for everything but the decision, and changes nothing before Act", () => {
    const all = commandsOf(page);
    const steps = new Set(all.map(({ step }) => step));
    expect(["Look", "Preview", "Act", "Verify"].filter((step) => !steps.has(step))).toEqual([]);
    const early = all.filter(({ step, line }) => {
      const [program, verb = ""] = wordsOf(line);
      const changes = program === "jobqueue" && CHANGING.has(verb) && !line.includes("--dry-run");
      return changes && ["Look", "Preview"].includes(step);
    });
    expect(early).toEqual([]);
  });

  it("says why whenever it changes something", () => {
    const silent = commandsOf(page).filter(({ line }) => {
      const [program, verb = ""] = wordsOf(line);
      return program === "jobqueue" && WITH_REASON.has(verb) ? !/--(?:reason|dry-run)/.test(line) : false;
    });
    expect(silent).toEqual([]);
  });
});
