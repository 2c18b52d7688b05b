/** The status of a JobStore, as a function of what was observed. Deterministic: equal facts give an equal status. */
import type { JobStoreStatus } from "@jobqueue/crds";
import { canonical } from "../canonical.ts";
import { conditionsAfter, type Verdict } from "../conditions.ts";
import { cut, STATUS_BOUNDS } from "../status-bounds.ts";
import type { StoredJobStore } from "../kubernetes-objects.ts";
import type { ObservedStore } from "./observed.ts";
import { untilCountsMayBeWritten } from "../job-queue/status/backlog.ts";
import { healthyVerdict } from "./status/healthy.ts";
import { storePausedVerdict } from "./status/pause.ts";
import { totalsOf, type Totals } from "./status/totals.ts";
import { vacuumedVerdict } from "./status/vacuumed.ts";
import type { StoreUp, StoreView } from "./store-view.ts";

type Reachable = Extract<Verdict<"JobStore">, { type: "Reachable" }>;
type Schema = Extract<Verdict<"JobStore">, { type: "SchemaCompatible" }>;
type Ready = Extract<Verdict<"JobStore">, { type: "Ready" }>;
type Stalled = Extract<Verdict<"JobStore">, { type: "Stalled" }>;

/** A status to be written. */
export interface StoreReport {
  readonly status: JobStoreStatus;
  readonly differs: boolean;
  /** Nothing but counts differs. */
  readonly countsOnly: boolean;
  /** Counts that are held back now may be written after this time. */
  readonly lookAgainMs: number | undefined;
}

/** The next status of the observed JobStore. `now` in milliseconds since the epoch. */
export function storeStatusOf({ jobStore, monitor, queues, countsWrittenAt }: ObservedStore, now: number): StoreReport {
  if (!jobStore) throw new Error("an object that is gone has no status");
  const { status: before, metadata } = jobStore;
  const generation = metadata.generation;
  const view: StoreView = monitor?.generation === generation ? monitor.view : { is: "starting" };
  const schemaVersion = view.is === "up" && "version" in view.schema ? view.schema.version : before?.schemaVersion;
  const serverVersion = view.is === "up" ? cut(view.serverVersion, STATUS_BOUNDS.serverVersion) : before?.serverVersion;
  const old = view.is === "up" && view.snapshot ? view.snapshot.oldSnapshots : (before?.oldSnapshots ?? []);
  const base: JobStoreStatus = {
    observedGeneration: generation,
    ...(schemaVersion !== undefined && { schemaVersion }),
    ...(serverVersion !== undefined && { serverVersion }),
    ...(view.is === "starting" ? {} : { primary: view.is === "up" || view.reason !== "NotPrimary" }),
    queues,
    ...(old.length > 0 && {
      oldSnapshots: old.map((one) => ({ ...one, holder: cut(one.holder, STATUS_BOUNDS.holder) })),
    }),
    conditions: conditionsAfter(before?.conditions, verdictsOf(view, jobStore), { generation, now }),
  };
  const shown: Totals = {
    ...(before?.jobs && { jobs: before.jobs }),
    ...(before?.workers && { workers: before.workers }),
  };
  const next = view.is === "up" && view.snapshot ? totalsOf(view.snapshot) : shown;
  return withTotals(base, { before: before ?? {}, shown, next, countsWrittenAt }, now);
}

/** Adds the counts: new ones when the status is written anyway or they may be written now, else those that are shown. */
function withTotals(
  base: JobStoreStatus,
  {
    before,
    shown,
    next,
    countsWrittenAt,
  }: {
    readonly before: JobStoreStatus;
    readonly shown: Totals;
    readonly next: Totals;
    readonly countsWrittenAt: number | undefined;
  },
  now: number,
): StoreReport {
  const equal = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);
  const [withShown, withNext] = [
    { ...base, ...shown },
    { ...base, ...next },
  ];
  const quiet = { countsOnly: false, lookAgainMs: undefined };
  if (!equal(withShown, before)) return { status: withNext, differs: true, ...quiet };
  if (equal(shown, next)) return { status: withShown, differs: false, ...quiet };
  const waitMs = untilCountsMayBeWritten(countsWrittenAt, now);
  if (waitMs > 0) return { status: withShown, differs: false, countsOnly: false, lookAgainMs: waitMs };
  return { status: withNext, differs: true, countsOnly: true, lookAgainMs: undefined };
}

function verdictsOf(view: StoreView, jobStore: StoredJobStore): readonly Verdict<"JobStore">[] {
  const reachable = reachableVerdict(view);
  const schema = schemaVerdict(view, jobStore);
  const stalled = stalledVerdict(reachable, schema);
  return [
    readyVerdict(reachable, schema),
    reachable,
    schema,
    storePausedVerdict(view, jobStore.spec),
    healthyVerdict(view, jobStore.spec),
    vacuumedVerdict(view),
    ...(stalled ? [stalled] : []),
  ];
}

function reachableVerdict(view: StoreView): Reachable {
  const type = "Reachable";
  if (view.is === "starting")
    return { type, status: "Unknown", reason: "Connecting", message: "The store has not been reached yet." };
  if (view.is === "down") return { type, status: "False", reason: view.reason, message: view.sentence };
  const problem =
    view.secretProblem === undefined ? "" : ` The connection made earlier goes on, but: ${view.secretProblem}`;
  return { type, status: "True", reason: "Connected", message: `PostgreSQL ${view.serverVersion} answers.${problem}` };
}

function schemaVerdict(view: StoreView, { metadata, spec }: StoredJobStore): Schema {
  const type = "SchemaCompatible";
  if (view.is !== "up") {
    return {
      type,
      status: "Unknown",
      reason: "StoreUnreachable",
      message: "The version of the schema cannot be read.",
    };
  }
  const { schema } = view;
  if (schema.is === "compatible") {
    return { type, status: "True", reason: "Compatible", message: `The schema has version ${schema.version}.` };
  }
  if (schema.is === "newer") {
    const message = `The schema has version ${schema.version}, made by a newer operator; upgrade this one. It leaves the store alone until then.`;
    return { type, status: "False", reason: "TooNew", message };
  }
  if (spec.migrations === "Manual") {
    const what = schema.is === "older" ? `has the old version ${schema.version}` : "is not installed";
    const message = `The schema ${spec.schema} ${what} and spec.migrations is Manual: run "jobqueue migrate --namespace ${metadata.namespace} --store ${metadata.name}", or write Auto.`;
    return { type, status: "False", reason: "MigrationRequired", message };
  }
  if (view.migrationFailed !== undefined)
    return { type, status: "False", reason: "MigrationFailed", message: view.migrationFailed };
  return { type, status: "False", reason: "Migrating", message: migrating(schema) };
}

const migrating = (schema: StoreUp["schema"]): string =>
  schema.is === "older"
    ? `The schema has version ${schema.version} and is brought up to date.`
    : "The schema is being installed.";

function readyVerdict(reachable: Reachable, schema: Schema): Ready {
  const type = "Ready";
  if (reachable.status === "Unknown")
    return { type, status: "Unknown", reason: "Progressing", message: reachable.message };
  if (reachable.status === "False") {
    const reason = reachable.reason === "AuthFailed" ? "StoreAuthFailed" : "StoreUnreachable";
    return { type, status: "False", reason, message: reachable.message };
  }
  if (schema.status === "True")
    return { type, status: "True", reason: "Reconciled", message: "The store can be used." };
  if (schema.reason === "Migrating") return { type, status: "False", reason: "Progressing", message: schema.message };
  return { type, status: "False", reason: "SchemaIncompatible", message: schema.message };
}

/** Reasons that only a person can end. A database that is away, or a promotion, passes. */
function stalledVerdict(reachable: Reachable, schema: Schema): Stalled | undefined {
  const type = "Stalled";
  switch (reachable.reason) {
    case "SecretNotFound":
    case "SecretInvalid":
    case "AuthFailed":
    case "TlsFailed":
      return { type, status: "True", reason: reachable.reason, message: reachable.message };
    case "Connected":
    case "Connecting":
    case "ConnectFailed":
    case "Timeout":
    case "NotPrimary":
      break;
  }
  if (schema.reason === "MigrationRequired" || schema.reason === "MigrationFailed" || schema.reason === "TooNew") {
    return { type, status: "True", reason: schema.reason, message: schema.message };
  }
  return undefined;
}
