/**
 * Where verbs look and act: a store's database, or the admin API over it. A source is the store's own typed functions with the session
 * already given, so a verb has one body whichever of the two is behind it; the admin API implements the same functions over HTTP
 * (`through-admin-api.ts`). A verb that one of the two cannot serve does not take a source: it takes the database (`withStore`).
 */
import {
  cancelJob,
  cancelJobs,
  configureQueue,
  deleteJob,
  deleteJobs,
  deleteSchedule,
  enqueueMany,
  getJob,
  getSchedule,
  hold,
  listAuditEvents,
  listHolds,
  listJobs,
  listSchedules,
  listTicks,
  listWorkers,
  pauseSchedule,
  putSchedule,
  queuePolicy,
  queueStats,
  recoverStale,
  release,
  retryJob,
  retryJobs,
  serverFacts,
  type Session,
  triggerSchedule,
  whyJob,
  whyQueue,
} from "@jobqueue/store";

/** What verbs ask of a store: to give another one to them, name it here and answer it in `through-admin-api.ts`. */
const CALLS = {
  cancelJob,
  cancelJobs,
  configureQueue,
  deleteJob,
  deleteJobs,
  deleteSchedule,
  enqueueMany,
  getJob,
  getSchedule,
  hold,
  listAuditEvents,
  listHolds,
  listJobs,
  listSchedules,
  listTicks,
  listWorkers,
  pauseSchedule,
  putSchedule,
  queuePolicy,
  queueStats,
  recoverStale,
  release,
  retryJob,
  retryJobs,
  triggerSchedule,
  whyJob,
  whyQueue,
  /** The database's clock, the only one that decides anything. */
  now: async (session: Session): Promise<Date> => (await serverFacts(session)).now,
};

type Bound<Call> = Call extends (session: Session, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never;

/** The functions of a store that verbs use, by the names they have there. */
export type Source = { readonly [Name in keyof typeof CALLS]: Bound<(typeof CALLS)[Name]> };

/** The source that is the database itself. */
export function databaseSource(session: Session): Source {
  const bound = Object.entries(CALLS).map(([name, call]) => [
    name,
    (...rest: unknown[]) => (call as (...all: unknown[]) => unknown)(session, ...rest),
  ]);
  return Object.fromEntries(bound) as Source;
}
