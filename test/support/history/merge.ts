import type { Session } from "@jobqueue/store";
import { readChanges, readFinals, readLedger } from "./ledger.ts";
import { checkedSchedule, type EvenSchedule } from "./schedules.ts";
import type { Expectations, History, Limits } from "./history.ts";
import { readProcessLogs } from "./process-log.ts";

/** What a run knows of itself beyond what its witnesses wrote. */
export interface RunFacts {
  readonly expectations: Expectations;
  readonly limits?: readonly Limits[];
  readonly schedules?: readonly EvenSchedule[];
}

/** Merges the logs of a directory with the ledger of a database: the history of a run that is over. */
export async function readHistory(session: Session, directory: string, facts: RunFacts): Promise<History> {
  const changes = readChanges(await readLedger(session));
  const logs = readProcessLogs(directory);
  return {
    ...changes,
    ...logs,
    finals: await readFinals(session),
    limits: facts.limits ?? [],
    schedules: await Promise.all(
      (facts.schedules ?? []).map((schedule) => checkedSchedule(session, schedule, changes.transitions)),
    ),
    expectations: facts.expectations,
  };
}
