import { styleText } from "node:util";
import type { Explanation, Fact, RuleSaid } from "@jobqueue/operator/explain";
import { printableLine } from "./output/printable.ts";
import type { Terminal } from "./terminal.ts";

type Paint = (style: "bold" | "yellow", text: string) => string;

function facts(all: readonly Fact[], paint: Paint): string[] {
  const width = Math.max(...all.map(({ about }) => about.length));
  return all.map(({ about, known, says }) => {
    const line = `  ${about.padEnd(width)}  ${printableLine(says)}`;
    return known ? line : paint("yellow", line);
  });
}

function rules(all: readonly RuleSaid[], paint: Paint): string[] {
  return all.flatMap(({ rule, question, says, ends }) => {
    const head = `  ${paint("bold", rule)}: ${question}`;
    const answers = says.map((one) => `    - ${printableLine(one)}`);
    const quiet = says.length === 0 && !ends ? ["    nothing to do"] : [];
    return [head, ...answers, ...quiet, ...(ends ? ["    - this rule ends it: no later rule is asked"] : [])];
  });
}

/** An explanation for people: facts, rules, plan, and what the status would say. */
export function renderExplanation(explanation: Explanation, terminal: Pick<Terminal, "colour">): string {
  const paint: Paint = (style, text) => (terminal.colour ? styleText(style, text, { validateStream: false }) : text);
  const { plan, notAsked, conditions } = explanation;
  const steps = plan.map(({ words }, index) => `  ${index + 1}. ${printableLine(words)}`);
  return [
    paint("bold", `JobQueue ${explanation.jobQueue}`),
    "",
    paint("bold", "Observed"),
    ...facts(explanation.facts, paint),
    "",
    paint("bold", "Rules, in the order in which they are asked"),
    ...rules(explanation.rules, paint),
    ...(notAsked.length === 0 ? [] : [`  Not asked: ${notAsked.join(", ")}.`]),
    "",
    paint("bold", "Plan (nothing of it was done)"),
    ...(steps.length === 0 ? ["  Nothing: the operator would change nothing."] : steps),
    "",
    paint("bold", "Status, as it would be told now"),
    ...(conditions?.map(
      ({ type, status, reason, message }) => `  ${type}=${status} (${reason}): ${printableLine(message)}`,
    ) ?? ["  The object is left alone, and so is its status."]),
  ].join("\n");
}
