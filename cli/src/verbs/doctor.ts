import { withStore } from "../connect/open-store.ts";
import { examine } from "../doctor/examine.ts";
import { CHECK_COUNT, faultsOf } from "../doctor/faults.ts";
import { EXIT_CODES } from "../exit-codes.ts";
import { printableLine } from "../output/printable.ts";
import { printResult } from "../output/result.ts";
import type { RunVerb } from "../verb.ts";

/** `jobqueue doctor`. */
export const run: RunVerb = async (args, terminal) => {
  const { where, faults } = await withStore(args, terminal, async (store) => ({
    where: store.where,
    faults: faultsOf(await examine(store.database)),
  }));
  printResult(args, terminal, {
    value: { store: where, faults },
    names: faults.map(({ fault }) => fault),
    text: () =>
      faults.length === 0
        ? `The store at ${where} answers, and none of ${CHECK_COUNT} common faults was found.`
        : faults.map(({ says, remedy }) => `${printableLine(says)}\n  ${printableLine(remedy)}`).join("\n"),
  });
  return faults.length === 0 ? EXIT_CODES.ok.code : EXIT_CODES.faulty.code;
};
