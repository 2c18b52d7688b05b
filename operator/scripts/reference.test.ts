import { ANNOTATIONS, CONDITIONS } from "@jobqueue/crds";
import { JOB_QUEUE_EVENTS, JOB_STORE_EVENTS } from "@jobqueue/operator";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CONDITION_QUESTIONS, conditionsReference } from "./reference.ts";

const operator = join(import.meta.dirname, "..");
// Beside what the operator gives, the reasons that a rule of the store gives it.
const sources = globSync(["src/**/*.ts", "../store/src/maintenance/vacuum-troubles.ts"], { cwd: operator })
  .filter((file) => !/\.test\.ts$|\/testing\//.test(file))
  .map((file) => readFileSync(join(operator, file), "utf8"))
  .join("\n");

describe("the reference of conditions, events and annotations", () => {
  it("has every type, reason, event and annotation of the closed tables", async () => {
    const text = await conditionsReference();
    const reasons = Object.values(CONDITIONS).flatMap((types) => Object.values(types).flatMap(Object.keys));
    const events = [...Object.keys(JOB_QUEUE_EVENTS), ...Object.keys(JOB_STORE_EVENTS)];
    const annotations = Object.values(ANNOTATIONS).map(({ name }) => name);
    expect([...reasons, ...events, ...annotations].filter((word) => !text.includes(`\`${word}\``))).toEqual([]);
  });

  it("asks a question for every type of condition there is", () => {
    const types = Object.values(CONDITIONS).flatMap((kind) => Object.keys(kind));
    expect(types.filter((type) => CONDITION_QUESTIONS[type] === undefined)).toEqual([]);
  });

  it("names no event that nothing tells, and no reason that nothing gives", () => {
    const reasons = Object.values(CONDITIONS).flatMap((types) => Object.values(types).flatMap(Object.keys));
    const events = [...Object.keys(JOB_QUEUE_EVENTS), ...Object.keys(JOB_STORE_EVENTS)];
    expect([...new Set([...reasons, ...events])].filter((word) => !sources.includes(`"${word}"`))).toEqual([]);
  });
});
