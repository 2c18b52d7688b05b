/** Handing on jobs, page by page, each in a transaction of its own, so that none holds many locks for long. */
import { recoverStale, type Session } from "@jobqueue/store";
import type { RecoverQueue } from "./action.ts";
import type { Outcome } from "./outcome.ts";

/** Pages of a recovery; what is left after that comes with the next look. */
const RECOVERY_PAGE = 1_000;
const RECOVERY_PAGES = 50;

/** Runs a call in one transaction of the store. */
export type Use = <Result>(call: (session: Session) => Promise<Result>) => Promise<Result>;

/** Whose jobs, and who wants it why. */
interface RecoveryRequest {
  readonly workers?: readonly string[];
  readonly queue?: string;
  readonly actor: string;
  readonly reason: string;
}

/**
 * Recovers what is stale, and says how many jobs that were. `prepare` runs in the transaction of the first page: a leader
 * that dies between the two would leave the jobs to the next sweep. It answers `undefined` when there is nothing to recover.
 *
 * @throws StoreError
 */
export async function recoverAll(
  use: Use,
  prepare: (session: Session) => Promise<RecoveryRequest | undefined>,
): Promise<number> {
  const page = async (session: Session, request: RecoveryRequest | undefined): Promise<number> =>
    request ? (await recoverStale(session, { ...request, max: RECOVERY_PAGE })).length : 0;

  const first = await use(async (session) => {
    const request = await prepare(session);
    return { request, jobs: await page(session, request) };
  });
  let { jobs } = first;
  let last = first.jobs;
  for (let pages = 1; last === RECOVERY_PAGE && pages < RECOVERY_PAGES; pages += 1) {
    last = await use((session) => page(session, first.request));
    jobs += last;
  }
  return jobs;
}

/** Recovers the stale jobs of a queue because a person asked. @throws StoreError */
export async function recoverQueue(
  use: Use,
  { actor, queue, reason, sentence }: RecoverQueue,
): Promise<NonNullable<Outcome["recovered"]>> {
  const jobs = await recoverAll(use, async () => ({ queue, actor, reason: sentence }));
  const what = jobs === 0 ? "No job was stale" : `${jobs} ${jobs === 1 ? "job was" : "jobs were"} handed on`;
  return { jobs, reason, sentence: `${what}. ${sentence}` };
}

/** Two recoveries of one pass as one. */
export function together(a: Outcome["recovered"], b: NonNullable<Outcome["recovered"]>): Outcome["recovered"] {
  return a ? { jobs: a.jobs + b.jobs, reason: b.reason, sentence: `${a.sentence} ${b.sentence}` } : b;
}
