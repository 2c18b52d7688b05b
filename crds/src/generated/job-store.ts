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
  /** How to reach Postgres. All Secrets are in the namespace of the JobStore. */
  connection: JobStoreConnection;
  /** Postgres schema that holds everything of the store. Cannot change. Default jobqueue. (at most 63 characters) */
  schema: string;
}

/** How to reach Postgres. All Secrets are in the namespace of the JobStore. */
export interface JobStoreConnection {
  /** A Secret with the whole URL, such as the one CloudNativePG makes (key: uri). Only host, port, database, user and password are taken from it; everything else is set here. */
  uriSecretRef: SecretKeyRef;
  /** Encryption. Settings in the URL do not count. */
  tls: JobStoreTls;
}

export interface SecretKeyRef {
  /** Name of the Secret. (at most 253 characters) */
  name: string;
  /** Key inside it. (at most 253 characters) */
  key: string;
}

/** Encryption. Settings in the URL do not count. */
export interface JobStoreTls {
  /** VerifyFull checks certificate and host name, VerifyCA the certificate only, EncryptOnly nothing, Disabled does not encrypt. Default VerifyFull. */
  mode: "VerifyFull" | "VerifyCA" | "EncryptOnly" | "Disabled";
  /** A Secret with the CA certificates to trust. Left out: those of the system. */
  caSecretRef?: SecretKeyRef;
}

/** What is. Written by the operator. */
export interface JobStoreStatus {
  /** metadata.generation of the spec this status was computed from. (minimum 0) */
  observedGeneration?: number;
  /** Version of the schema in the store. (minimum 0) */
  schemaVersion?: number;
  /** Version of Postgres. (at most 64 characters) */
  serverVersion?: string;
  /** JobQueues bound to this store. (minimum 0) */
  queues?: number;
  /** Ready, Reachable, SchemaCompatible; Stalled when a person has to act. (at most 16 items) */
  conditions?: Condition[];
}
