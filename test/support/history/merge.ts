import type { Session } from "@jobqueue/store";
import { readAccounts, readIntents } from "./accounts.ts";
import { readChanges, readFinals, readLedger } from "./ledger.ts";
import { checkedSchedule, type EvenSchedule } from "./schedules.ts";
import { type Expectations, type History, type Limits, NO_OPERATOR, type OperatorFacts } from "./history.ts";
import { readProcessLogs } from "./process-log.ts";

/** What a run knows of itself beyond what its witnesses wrote. */
export interface RunFacts {
  readonly expectations: Expectations;
  readonly limits?: readonly Limits[];
  readonly schedules?: readonly EvenSchedule[];
  readonly operator?: Partial<OperatorFacts>;
}

/** Merges the logs of a directory with the ledger of a database: the history of a run that is over. */
export async function readHistory(session: Session, directory: string, facts: RunFacts): Promise<History> {
  const ledger = await readLedger(session);
  const changes = readChanges(ledger);
  const logs = readProcessLogs(directory);
  return {
    ...changes,
    ...logs,
    finals: await readFinals(session),
    limits: facts.limits ?? [],
    schedules: await Promise.all(
      (facts.schedules ?? []).map((schedule) => checkedSchedule(session, schedule, changes.transitions)),
    ),
    accounts: readAccounts(ledger),
    intents: readIntents(ledger),
    operator: { ...NO_OPERATOR, ...facts.operator },
    expectations: facts.expectations,
  };
}
