// Made by crds/scripts/generate.ts from crds/src/schema/; change those and run "make generate".

import type { API_VERSION } from "../names.ts";
import type { ObjectMeta } from "../object-meta.ts";
import type { Condition } from "./condition.ts";

/** A JobStore is a schema in a Postgres database that holds queues, jobs, workers, holds and the audit trail. It owns nothing in Kubernetes: deleting it deletes no job. */
export interface JobStore {
  apiVersion: typeof API_VERSION;
  kind: "JobStore";
  metadata: ObjectMeta;
  /** What you want. */
  spec: JobStoreSpec;
  /** What is. Written by the operator. */
  status?: JobStoreStatus;
}

/** What you want. */
export interface JobStoreSpec {
  /** How to reach Postgres: exactly one of uriSecretRef and server. All Secrets are in the namespace of the JobStore. When one changes, the operator and running workers read it again by themselves. */
  connection: JobStoreConnection;
  /** Postgres schema that holds everything of the store. Cannot change. Default jobqueue. (at most 63 characters) */
  schema: string;
  /** Auto lets the operator install the schema and bring it up to date, Manual waits for a person to run "jobqueue migrate". Default Auto. */
  migrations: "Auto" | "Manual";
  /** Paused is a hold on every queue of the store, also on those made later. Other holds, set by people, keep queues paused whatever stands here. Default Active. */
  state: "Active" | "Paused";
  /** When the pause ends by itself, such as 2026-08-01T12:00:00Z, by the clock of the database; fractions of a second do not count. Needs state: Paused. Nothing edits this object when the time comes. (at most 64 characters) */
  pausedUntil?: string;
  /** Why it is paused; shown wherever the pause is shown. (at most 256 characters) */
  pauseReason?: string;
  /** Connections the operator may open to this store, beside the one that listens. Default 4. (minimum 1, maximum 50) */
  poolSize: number;
  /** How often the operator looks at the store. NOTIFY makes it faster, never slower. Default 5. (minimum 1, maximum 300) */
  pollIntervalSeconds: number;
  /** A statement of the operator that takes longer is given up. Default 5. (minimum 1, maximum 300) */
  statementTimeoutSeconds: number;
  /** Namespaces whose JobQueues may use this store. One that is let in can pause, configure and delete every queue of the store that it names first. */
  allowedNamespaces: JobStoreAllowedNamespaces;
  /** Stale jobs, those that no live worker backs. */
  staleLockRecovery: JobStoreStaleLockRecovery;
  /** How long the store keeps what is over. What is left out is not managed from here. */
  retention?: JobStoreRetention;
}

/** How to reach Postgres: exactly one of uriSecretRef and server. All Secrets are in the namespace of the JobStore. When one changes, the operator and running workers read it again by themselves. */
export interface JobStoreConnection {
  /** A Secret with the whole URL, such as the one CloudNativePG makes (key: uri). Only host, port, database, user and password are taken from it; everything else is set here. */
  uriSecretRef?: SecretKeyRef;
  /** The parts of the address, one by one. */
  server?: JobStoreServer;
  /** A Secret with a URL that goes past a pooler, for what the operator does outside transactions: LISTEN, and migrations. Without it behind PgBouncer in transaction mode, the operator polls. */
  directURISecretRef?: SecretKeyRef;
  /** A Secret with the URL given to workers, best of a user with the rights of a worker only. Left out: workers get the same address as the operator. */
  workerURISecretRef?: SecretKeyRef;
  /** Encryption. Settings in the URL do not count. */
  tls: JobStoreTls;
}

export interface SecretKeyRef {
  /** Name of the Secret. (at most 253 characters) */
  name: string;
  /** Key inside it. (at most 253 characters) */
  key: string;
}

/** The parts of the address, one by one. */
export interface JobStoreServer {
  /** DNS name or IP address of the server or pooler. (at most 253 characters) */
  host: string;
  /** TCP port. Left out: 5432. (minimum 1, maximum 65535) */
  port?: number;
  /** Name of the database. (at most 63 characters) */
  database: string;
  /** Name of the user; or write userSecretRef. (at most 63 characters) */
  user?: string;
  /** A Secret with the name of the user. */
  userSecretRef?: SecretKeyRef;
  /** A Secret with the password. Left out when a client certificate is enough. */
  passwordSecretRef?: SecretKeyRef;
}

/** Encryption. Settings in the URL do not count. */
export interface JobStoreTls {
  /** VerifyFull checks certificate and host name, VerifyCA the certificate only, EncryptOnly nothing, Disabled does not encrypt. Default VerifyFull. */
  mode: "VerifyFull" | "VerifyCA" | "EncryptOnly" | "Disabled";
  /** A Secret with the CA certificates to trust. Left out: those of the system. */
  caSecretRef?: SecretKeyRef;
  /** A Secret of type kubernetes.io/tls with the client certificate. */
  clientCertificateSecretRef?: SecretRef;
}

/** A Secret of type kubernetes.io/tls with the client certificate. */
export interface SecretRef {
  /** Name of the Secret. (at most 253 characters) */
  name: string;
}

/** Namespaces whose JobQueues may use this store. One that is let in can pause, configure and delete every queue of the store that it names first. */
export interface JobStoreAllowedNamespaces {
  /** Same is the namespace of the JobStore, All is every one, Selector is that of the JobStore and those whose labels match selector. Default Same. */
  from: "Same" | "All" | "Selector";
  /** Labels of the namespaces; with from: Selector, and with an operator that works in all namespaces. */
  selector?: NamespaceSelector;
}

/** Which pods count. Left out: the workers of this pool. */
export interface NamespaceSelector {
  /** Labels that must be present with these values. */
  matchLabels?: {
    [k: string]: string;
  };
  /** Conditions that must all hold. (at most 16 items) */
  matchExpressions?: {
    /** Label. (at most 317 characters) */
    key: string;
    /** How the value is compared. */
    operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
    /** Values; for In and NotIn only. (at most 32 items) */
    values?: string[];
  }[];
}

/** Stale jobs, those that no live worker backs. */
export interface JobStoreStaleLockRecovery {
  /** Recover hands them on; Report leaves them to people and says that there are some; Disabled says nothing. The sweeps of workers obey it too. Default Recover. */
  mode: "Disabled" | "Report" | "Recover";
  /** Wait this long after a lease has lapsed; for sweeps of workers too. Jobs of pods that were seen to go do not wait. Default 0. (minimum 0, maximum 86400) */
  graceSeconds: number;
  /** Least time between two sweeps of the operator. Default 10. (minimum 1, maximum 3600) */
  intervalSeconds: number;
  /** Most jobs handed on in one sweep of the operator. Default 1000. (minimum 1, maximum 50000) */
  limit: number;
}

/** How long the store keeps what is over. What is left out is not managed from here. */
export interface JobStoreRetention {
  /** Completed jobs. 0: until the next housekeeping. (minimum 0, maximum 315360000) */
  completedSeconds?: number;
  /** Cancelled jobs. (minimum 0, maximum 315360000) */
  cancelledSeconds?: number;
  /** Dead jobs. (minimum 3600, maximum 315360000) */
  deadSeconds?: number;
  /** Audit events. (minimum 86400, maximum 315360000) */
  auditSeconds?: number;
}

/** What is. Written by the operator. */
export interface JobStoreStatus {
  /** metadata.generation of the spec this status was computed from. (minimum 0) */
  observedGeneration?: number;
  /** Version of the schema in the store. (minimum 0) */
  schemaVersion?: number;
  /** Version of Postgres. (at most 64 characters) */
  serverVersion?: string;
  /** Whether the address leads to the primary, which can be written. */
  primary?: boolean;
  /** JobQueues bound to this store. (minimum 0) */
  queues?: number;
  /** Jobs of all queues together. */
  jobs?: JobStoreJobCounts;
  /** Workers of the store, also those outside the cluster. */
  workers?: JobStoreWorkerCounts;
  /** What has been keeping Postgres from cleaning up behind the queue for more than ten minutes, the oldest first; claims slow down while it lasts. Without the rights of pg_monitor only sessions of the operator's own user are seen. (at most 8 items) */
  oldSnapshots?: JobStoreOldSnapshot[];
  /** Ready, Reachable, SchemaCompatible, Paused, Healthy, Vacuumed; Stalled when a person has to act. (at most 16 items) */
  conditions?: Condition[];
}

/** Jobs of all queues together. */
export interface JobStoreJobCounts {
  /** Ready to run. (minimum 0) */
  pending?: number;
  /** Waiting for their time or for a retry. (minimum 0) */
  scheduled?: number;
  /** Being run. (minimum 0) */
  running?: number;
  /** Given up; a person has to look. (minimum 0) */
  dead?: number;
  /** Of the running ones, those that no live worker backs. (minimum 0) */
  stale?: number;
}

/** Workers of the store, also those outside the cluster. */
export interface JobStoreWorkerCounts {
  /** Pools that have a worker. (minimum 0) */
  pools?: number;
  /** Workers with a lease. (minimum 0) */
  alive?: number;
  /** Workers whose lease has lapsed and that are not known to be gone. (minimum 0) */
  lapsed?: number;
}

export interface JobStoreOldSnapshot {
  /** A session or a prepared transaction or a replication slot. (at most 256 characters) */
  holder: string;
  /** Since when. (at most 64 characters) */
  since?: string;
}
