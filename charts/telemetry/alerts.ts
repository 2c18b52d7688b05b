/**
 * The alerts, as data. Rules that hold for all of them:
 *
 * - Only metrics of the closed tables (docs/reference/metrics.md); a test looks each name and label up.
 * - What the operator says of a queue is taken `max by (namespace, name)`: after a change of leader the same series comes from
 *   another pod, and an alert must neither end nor fire twice for that.
 * - A paused queue fires nothing but QueuePausedAndForgotten: somebody wanted it so.
 * - What happened is asked for in a way that does not miss what happened before Prometheus first saw the series: `increase` and
 *   `delta` do, and a process that was away does its catching up right after its start.
 * - Every alert has a runbook of its name in docs/runbooks/.
 */
import type { AlertGroup } from "./alert.ts";

const BY_QUEUE = "max by (namespace, name)";
const NOT_PAUSED = `unless ${BY_QUEUE} (jobqueue_paused) == 1`;
const QUEUE = "{{ $labels.namespace }}/{{ $labels.name }}";
const DEAD = 'jobqueue_jobs{state="dead"}';

/** What a counter counted within a time, also by a process that has been there for less: a counter begins with its process. */
const counted = (series: string, range: string): string =>
  `(increase(${series}[${range}]) > 0 or (${series} > 0 unless count_over_time(${series}[${range}] offset ${range})))`;

/** Every alert, by what it is about. */
export const ALERT_GROUPS: readonly AlertGroup[] = [
  {
    name: "jobqueue.queues",
    title: "Queues",
    alerts: [
      {
        name: "QueueBacklogGrowing",
        severity: "warning",
        // The least of the last quarter of an hour against the most of the one an hour before: bursts do not count.
        expr: `${BY_QUEUE} (min_over_time(jobqueue_jobs{state="pending"}[15m])) > 100 + 1.2 * ${BY_QUEUE} (max_over_time(jobqueue_jobs{state="pending"}[15m] offset 1h)) ${NOT_PAUSED}`,
        forMinutes: 15,
        summary: `The backlog of queue ${QUEUE} is growing`,
        description:
          "Jobs arrive faster than they are finished, and have for an hour. Too few workers, slow handlers, a limit, or a flood.",
      },
      {
        name: "OldestJobTooOld",
        severity: "warning",
        expr: `${BY_QUEUE} (jobqueue_oldest_pending_seconds) > 900 ${NOT_PAUSED}`,
        forMinutes: 5,
        summary: `A job of queue ${QUEUE} has been ready for {{ $value | humanizeDuration }} and nobody runs it`,
        description:
          "Nobody claims it: no worker serves the queue or knows its kind, a limit is in the way, or others go first.",
      },
      {
        name: "BacklogBeyondObjective",
        severity: "warning",
        expr: `${BY_QUEUE} (jobqueue_condition{kind="JobQueue", type="BacklogWithinTarget", status="False"}) == 1 ${NOT_PAUSED}`,
        forMinutes: 5,
        summary: `Queue ${QUEUE} misses its spec.objectives`,
        description: "Its owner wrote down how old or how many pending jobs may be, and they are older or more.",
      },
      {
        name: "DeadLetters",
        severity: "warning",
        // Against the least of the hour, from whatever replica: jobs also die while the leader changes, or after others were retried.
        expr: `${BY_QUEUE} (${DEAD}) > min by (namespace, name) (min_over_time(${DEAD}[1h]))`,
        forMinutes: 0,
        summary: `Jobs of queue ${QUEUE} died in the last hour`,
        description:
          "Their attempts are spent, their handler gave up, or they lost worker after worker. Nothing runs them again by itself.",
      },
      {
        name: "HandlersFail",
        severity: "warning",
        expr: 'sum by (namespace, queue, kind) (rate(jobqueue_worker_jobs_finished_total{outcome="failed"}[15m])) > 0.5 * sum by (namespace, queue, kind) (rate(jobqueue_worker_jobs_finished_total[15m])) and sum by (namespace, queue, kind) (increase(jobqueue_worker_jobs_finished_total[15m])) > 10',
        forMinutes: 10,
        summary: "More than half of the attempts at jobs of kind {{ $labels.kind }} fail",
        description:
          "A defect of the handler, or something it needs is away. The jobs wait and try again; dead letters follow.",
      },
      {
        name: "StaleJobs",
        severity: "critical",
        expr: `${BY_QUEUE} (jobqueue_jobs{state="stale"}) > 0`,
        forMinutes: 5,
        summary: `{{ $value }} running jobs of queue ${QUEUE} have no live worker, and nobody hands them on`,
        description:
          "Every worker's sweep and the operator recover such jobs within seconds. That they have not for five minutes means that neither can, or that recovery is switched off.",
      },
      {
        name: "JobRunsTooLong",
        severity: "warning",
        expr: "max by (queue, hostname) (jobqueue_queue_items_active_duration_seconds) > 21600",
        forMinutes: 0,
        summary: "A job of queue {{ $labels.queue }} has been running on {{ $labels.hostname }} for six hours",
        description:
          "Its worker is alive, so it is not stale. It is slow, or stuck in a way that a time limit would end.",
      },
      {
        name: "QueuePausedAndForgotten",
        severity: "warning",
        expr: `${BY_QUEUE} (jobqueue_paused_without_end_seconds) > 86400 and ${BY_QUEUE} (jobqueue_jobs{state="pending"}) > 0`,
        forMinutes: 0,
        summary: `Queue ${QUEUE} has been paused for more than a day, without an end, and jobs wait`,
        description: "A hold without an end stays for ever. Whoever placed it may have forgotten it.",
      },
      {
        name: "ScheduleMissed",
        severity: "warning",
        expr: `sum(${counted('jobqueue_schedule_ticks_total{outcome="skipped"}', "1h")} or ${counted('jobqueue_worker_schedule_ticks_total{outcome="skipped"}', "1h")})`,
        forMinutes: 0,
        summary: "Ticks of schedules were missed and left out",
        description:
          "They were more than a minute late, because operator, workers or store were away, and the schedule says to skip such ticks or had too many of them.",
      },
    ],
  },
  {
    name: "jobqueue.workers",
    title: "Workers",
    alerts: [
      {
        name: "NoWorkers",
        severity: "critical",
        // Without spec.workers (NoWorkersConfigured) workers outside the cluster may serve the queue: OldestJobTooOld tells when none does.
        expr: `${BY_QUEUE} (jobqueue_condition{kind="JobQueue", type="WorkersAvailable", status="False", reason!~"ScaledToZero|Stopped|NoWorkersConfigured"}) == 1 and ${BY_QUEUE} (jobqueue_jobs{state="pending"}) > 0 ${NOT_PAUSED}`,
        forMinutes: 5,
        summary: `Queue ${QUEUE} has jobs and no worker is ready`,
        description:
          "Pods of the workers cannot be made or placed, do not start, or crash; the condition WorkersAvailable says which.",
      },
      {
        name: "WorkersHung",
        severity: "warning",
        expr: `${BY_QUEUE} (jobqueue_condition{kind="JobQueue", type="Healthy", status="False"}) == 1`,
        forMinutes: 10,
        summary: `Workers of ${QUEUE} are hung, and have not been replaced for ten minutes`,
        description:
          "They are there and make no progress. The operator replaces hung workers within the limits of spec.workers.health; longer than ten minutes means that something is in its way, or that new ones hang as well.",
      },
      {
        name: "RestartsSuspended",
        severity: "warning",
        expr: `${BY_QUEUE} (jobqueue_condition{kind="JobQueue", type="RestartsSuspended", status="True"}) == 1`,
        forMinutes: 15,
        summary: `Hung workers of ${QUEUE} are not replaced: restarts are held back`,
        description: "The reason of the condition RestartsSuspended says what holds them back, and who can change it.",
      },
      {
        name: "LeasesLost",
        severity: "warning",
        // Three times or more: what `increase` gives is extrapolated, and a little more than what was counted.
        expr: "sum by (namespace, pod) (increase(jobqueue_worker_leases_lost_total[15m])) > 2.5",
        forMinutes: 0,
        summary: "Worker {{ $labels.namespace }}/{{ $labels.pod }} loses its lease again and again",
        description:
          "It could not renew in time: its handlers block the event loop, it gets too little processor time, or its way to the store is bad. Its jobs run again elsewhere.",
      },
      {
        name: "JobQueueStalled",
        severity: "warning",
        expr: 'max by (kind, namespace, name, reason) (jobqueue_condition{type="Stalled", status="True"}) == 1',
        forMinutes: 5,
        summary: `{{ $labels.kind }} ${QUEUE} waits for a person: {{ $labels.reason }}`,
        description: "The operator cannot go on by itself. The message of the condition says what to do.",
      },
    ],
  },
  {
    name: "jobqueue.stores",
    title: "Stores",
    alerts: [
      {
        name: "StoreUnreachable",
        severity: "critical",
        expr: `${BY_QUEUE} (jobqueue_store_up) == 0`,
        forMinutes: 2,
        summary: `The store ${QUEUE} cannot be used`,
        description:
          "The operator cannot reach it, is refused, or finds a schema that does not fit. Workers that reach it go on; no worker is restarted meanwhile.",
      },
      {
        name: "OldSnapshot",
        severity: "warning",
        expr: `${BY_QUEUE} (jobqueue_store_old_snapshots) > 0`,
        forMinutes: 20,
        summary: `Something holds an old snapshot of the database of store ${QUEUE}`,
        description:
          "Postgres cannot clean up behind the queue while a transaction, a prepared one or a replication slot is that old: claims get slower and the tables grow.",
      },
      {
        name: "NotVacuumed",
        severity: "warning",
        // OldSnapshots has an alert of its own.
        expr: 'max by (namespace, name, reason) (jobqueue_condition{kind="JobStore", type="Vacuumed", status="False", reason!="OldSnapshots"}) == 1',
        forMinutes: 15,
        summary: `Postgres does not clean up behind the store ${QUEUE}: {{ $labels.reason }}`,
        description:
          "Autovacuum is off or behind, and claims get slower; or ids are not frozen in time, and Postgres will stop taking writes. The message of the condition Vacuumed says what to run.",
      },
    ],
  },
  {
    name: "jobqueue.operator",
    title: "Operator",
    alerts: [
      {
        name: "NoLeader",
        severity: "critical",
        expr: 'absent(leader_election_master_status{name="jobqueue-operator"} == 1)',
        forMinutes: 2,
        summary: "No operator leads",
        description:
          "Workers go on running jobs and recovering those of lost workers, and pauses stay in force. Changes of JobQueues, scaling and the replacement of hung workers wait; alerts about queues say nothing.",
      },
      {
        name: "WatchStandsStill",
        severity: "warning",
        expr: "max by (namespace, pod, name) (reflector_progress_age_seconds) > 300",
        forMinutes: 5,
        summary: "Operator {{ $labels.pod }} has seen nothing new of {{ $labels.name }} for five minutes",
        description:
          "The API server sends neither changes nor bookmarks. What the operator decides rests on old facts.",
      },
      {
        name: "WatchRepaired",
        severity: "warning",
        expr: "sum by (name) (increase(reflector_repaired_total[2h])) > 0",
        forMinutes: 0,
        summary: "The hourly comparison found {{ $labels.name }} that a watch had not told of",
        description:
          "It was mended. A watch that lies is a defect of the API server, of a proxy on the way, or of ours.",
      },
    ],
  },
];
