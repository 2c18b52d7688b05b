import { migrate } from "@jobqueue/store";
import { withStore } from "../connect/open-store.ts";
import { outputFormat, printResult } from "../output/result.ts";
import { print, remark } from "../terminal.ts";
import type { RunVerb } from "../verb.ts";

/** `jobqueue migrate`. */
export const run: RunVerb = async (args, terminal) => {
  const people = outputFormat(args) === "table";
  const { result, where } = await withStore(args, terminal, async (store) => {
    const onStep = ({ version, name }: { version: number; name: string }): void => {
      const line = `  ${version} ${name}`;
      if (people) print(terminal, line);
      else remark(terminal, line);
    };
    return { result: await migrate(store.database, { onStep }), where: store.where };
  });
  printResult(args, terminal, {
    value: result,
    names: [String(result.to)],
    text: () =>
      result.from === result.to
        ? `The store at ${where} already has version ${result.to}.`
        : `The store at ${where} is at version ${result.to} now (${result.from === 0 ? "new" : `it was at ${result.from}`}).`,
  });
  return 0;
};
