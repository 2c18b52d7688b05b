/** Schemas that several routes share: what things of the store look like in JSON. Ids are strings: they exceed a number. */
import { JOB_STATE_NAMES } from "@jobqueue/store";
import {
  anything,
  decimal,
  flag,
  instant,
  integer,
  list,
  nullable,
  object,
  oneOf,
  optional,
  record,
  text,
  type Schema,
} from "../schema.ts";

/** A name of a queue. */
export const QUEUE_NAME = text({
  description: "names of queues have lower-case letters and digits, and . _ - between them, at most 63",
  pattern: "^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$",
  minLength: 1,
  maxLength: 63,
  examples: ["mailers"],
});

/** A queue, or `*` for all of them, also those made later. */
export const QUEUE_OR_ALL = text({
  description:
    "a queue (lower-case letters and digits, and . _ - between them, at most 63), or * for every queue of the store",
  pattern: "^(\\*|[a-z0-9]([a-z0-9._-]*[a-z0-9])?)$",
  minLength: 1,
  maxLength: 63,
  examples: ["mailers", "*"],
});

/** A name of a schedule. */
export const SCHEDULE_NAME = text({
  description: "names of schedules have lower-case letters and digits, and . _ / - between them, at most 128",
  pattern: "^[a-z0-9]([a-z0-9._/-]*[a-z0-9])?$",
  minLength: 1,
  maxLength: 128,
  examples: ["nightly-report"],
});

/** An id of a job, worker or event. */
export const ID = text({
  description: "ids are whole numbers of at most 18 digits",
  pattern: "^[0-9]{1,18}$",
  examples: ["4711"],
});

/** Why something is done, for the audit trail. */
export const REASON = text({
  description: "Why, for the audit trail.",
  minLength: 1,
  maxLength: 1024,
  examples: ["the mail server is being replaced"],
});

/** Names and values that jobs can be found by. */
export const LABELS = record(text({ maxLength: 1024 }), { maxProperties: 32, description: "Names and values." });

/** A count in a JSON answer. */
export const COUNT = integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

const whole = (description?: string): Schema<number> =>
  integer({ minimum: -(2 ** 53), maximum: 2 ** 53, ...(description !== undefined && { description }) });

/** Times as the server gives them. */
const when = instant();

/** Page sizes of every list. */
export const LIMIT = integer({ minimum: 1, maximum: 1000, default: 100, description: "At most so many." });

/** Where the next page begins. */
export const NEXT = nullable(text({ description: "Give it as `after` for the next page; null on the last one." }));

/** Whether an answer is of this moment. */
export const FRESHNESS = {
  at: instant({ description: "When this was so, by the clock of the server." }),
  partial: flag({
    description:
      "True when reading takes longer than anybody waits: then this is the last count, and the next is under way.",
  }),
};

/** A hold that is in force. */
export const HOLD = object({
  queue: text(),
  name: text(),
  reason: text(),
  actor: text({ description: "Who placed it." }),
  source: text({ description: "Where it comes from: spec (Git owns it), api, cli, schedule." }),
  since: when,
  until: nullable(when),
});

/** A queue with its counts. */
export const QUEUE = object({
  queue: text(),
  paused: flag({ description: "At least one hold is in force." }),
  holds: list(HOLD, { description: "Its own, and those of *." }),
  pending: COUNT,
  scheduled: COUNT,
  running: COUNT,
  failed: COUNT,
  deferred: COUNT,
  dead: COUNT,
  cancelled: COUNT,
  stale: integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description: "Of the running ones, those that no live worker backs.",
  }),
  oldestPendingSeconds: nullable(decimal()),
  oldestPendingSince: nullable(when),
  maxRunning: nullable(COUNT),
  maxRunningPerKey: nullable(COUNT),
  fair: flag(),
  rate: nullable(object({ count: whole(), perSeconds: decimal() })),
});

/** A fact that stands in the way of a queue or a job. */
export const WHY = object({
  reasons: list(
    object({
      rank: whole("The lower, the more important."),
      code: text({ description: "One of a closed set, for programs." }),
      message: text({ description: "What it is and what to do about it, for people." }),
      detail: record(anything()),
    }),
  ),
});

const ATTEMPT_ERROR = object({
  attempt: whole(),
  generation: whole(),
  at: text(),
  error: text(),
  exit_code: optional(nullable(whole())),
  worker: optional(nullable(anything())),
});

/** A job as it is now, without what it carries. */
export const JOB = object({
  id: ID,
  queue: text(),
  kind: text(),
  state: oneOf(JOB_STATE_NAMES),
  deadReason: nullable(oneOf(["attempts", "permanent", "poison", "worker_lost"])),
  priority: whole("Lower runs first."),
  attempt: whole("Attempts spent so far; the running one counts."),
  maxAttempts: whole(),
  recoveries: whole("Attempts lost to infrastructure; they are not spent attempts."),
  generation: whole("1, and one more with every retry by a person."),
  progress: anything(),
  lastError: nullable(text()),
  errors: nullable(list(ATTEMPT_ERROR)),
  exitCode: nullable(whole()),
  uniqueKey: nullable(text()),
  concurrencyKey: nullable(text()),
  tag: nullable(text()),
  labels: nullable(record(anything())),
  workerId: nullable(text()),
  leaseToken: nullable(text()),
  createdAt: when,
  runAt: when,
  claimedAt: nullable(when),
  finishedAt: nullable(when),
  durationMs: nullable(whole()),
  timeoutMs: nullable(whole()),
  resultTtlSeconds: nullable(whole()),
  resultExpiresAt: nullable(when),
  finaliserId: nullable(text()),
  cancelRequested: flag(),
  isStale: flag({ description: "It runs, and recovery will take it." }),
  canRetry: flag(),
  recoveryHint: nullable(text({ description: "What a person can do about it." })),
  lockedBy: nullable(text()),
  lockedUntil: nullable(when),
  lastRecovery: nullable(anything()),
});

/** A worker and what is thought of it. */
export const WORKER = object({
  id: ID,
  state: oneOf(["active", "draining", "fenced", "gone"]),
  isLive: flag(),
  verdict: oneOf(["gone", "fenced", "lapsed", "loop_blocked", "slots_stuck", "draining", "claim_stalled", "healthy"]),
  bootId: text(),
  podUid: nullable(text()),
  container: text(),
  pod: nullable(text()),
  namespace: nullable(text()),
  node: nullable(text()),
  hostname: nullable(text()),
  pid: nullable(whole()),
  ppid: nullable(whole()),
  image: nullable(text()),
  runAs: nullable(text()),
  cluster: nullable(text()),
  version: nullable(text()),
  pool: nullable(text()),
  queues: list(text(), { description: "In the order in which it serves them." }),
  kinds: nullable(list(text())),
  concurrency: nullable(whole()),
  startedAt: when,
  heartbeatAt: when,
  heartbeatAgeMs: decimal(),
  leaseUntil: when,
  leaseSeconds: whole(),
  loopAgeMs: nullable(decimal()),
  lastClaimAgeMs: nullable(decimal()),
  lastFinishAgeMs: nullable(decimal()),
  renewing: flag(),
  slotsBusy: nullable(whole()),
  slotsStuck: nullable(whole()),
  running: COUNT,
  drainSince: { ...nullable(when), description: "Since when it is kept idle so that its pod can be removed." },
  goneAt: nullable(when),
  goneReason: nullable(text()),
});

/** An audit event. */
export const AUDIT_EVENT = object({
  id: ID,
  at: when,
  action: text(),
  event: text({
    description: "The action by the name that a recovery runbook gives it, such as admin_job_retry; else the action.",
  }),
  actor: text(),
  source: nullable(text()),
  target: text(),
  reason: nullable(text()),
  before: anything(),
  after: anything(),
  count: COUNT,
});

/** Fields of a schedule, without what its jobs carry. */
const SCHEDULE_FIELDS = {
  name: text(),
  queue: text(),
  kind: text(),
  cron: text(),
  timeZone: text(),
  missedTicks: oneOf(["skip", "once", "all"]),
  maxMissed: whole(),
  paused: flag(),
  owner: nullable(text({ description: "Who keeps it as it is; null: people." })),
  nextAt: nullable(when),
  lastTick: nullable(when),
  lastOutcome: nullable(oneOf(["fired", "duplicate", "skipped"])),
  lastJobId: nullable(text()),
  createdAt: when,
};

/** A schedule. */
export const SCHEDULE = object(SCHEDULE_FIELDS);

/** A schedule that somebody changed, or would have. */
export const CHANGED_SCHEDULE = object({
  ...SCHEDULE_FIELDS,
  changed: flag({ description: "False when it was so before." }),
});
