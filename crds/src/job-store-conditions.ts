import { VACUUM_CONDITION } from "./vacuum-condition.ts";

/** The conditions of a JobStore; a part of the closed table in `conditions.ts`. */
export const JOB_STORE_CONDITIONS = {
  // Can the store be used?
  Ready: {
    Reconciled: {
      status: ["True"],
      actor: "nobody",
      meaning: "The store can be reached and its schema fits this operator.",
    },
    Progressing: {
      status: ["False", "Unknown"],
      actor: "operator",
      meaning: "The operator connects, or brings the schema up to date.",
    },
    StoreUnreachable: {
      status: ["False"],
      actor: "administrator",
      meaning: "The store does not answer; Reachable says why.",
    },
    StoreAuthFailed: {
      status: ["False"],
      actor: "administrator",
      meaning: "Postgres refused the user or the password.",
    },
    SchemaIncompatible: {
      status: ["False"],
      actor: "administrator",
      meaning: "The schema does not fit this operator; SchemaCompatible says how.",
    },
  },
  // Does Postgres answer?
  Reachable: {
    Connected: { status: ["True"], actor: "nobody", meaning: "Postgres answers, with the rights that are needed." },
    Connecting: { status: ["Unknown"], actor: "operator", meaning: "The first attempt is under way." },
    SecretNotFound: {
      status: ["False"],
      actor: "user",
      meaning:
        "A Secret that the connection names, or the key inside it, is not there. It is looked for again by itself.",
    },
    SecretInvalid: {
      status: ["False"],
      actor: "user",
      meaning:
        "The Secret is there but holds no usable URL or certificate; the message says what is wrong, never the value.",
    },
    ConnectFailed: {
      status: ["False"],
      actor: "administrator",
      meaning: "No connection: name not found, refused, no route, or Postgres is starting or full.",
    },
    Timeout: {
      status: ["False"],
      actor: "administrator",
      meaning: "Postgres, or the network on the way, did not answer in time.",
    },
    AuthFailed: {
      status: ["False"],
      actor: "administrator",
      meaning: "Postgres refused the user, the password or the database. The Secret is read again by itself.",
    },
    TlsFailed: {
      status: ["False"],
      actor: "administrator",
      meaning: "No encryption, or the certificate is not that of the server; see connection.tls.",
    },
    NotPrimary: {
      status: ["False"],
      actor: "administrator",
      meaning: "The address leads to a standby, which cannot be written; normal for seconds during a promotion.",
    },
  },
  // Does the schema fit?
  SchemaCompatible: {
    Compatible: { status: ["True"], actor: "nobody", meaning: "The schema has a version this operator works with." },
    Migrating: {
      status: ["False"],
      actor: "operator",
      meaning: "The schema is missing or older; the operator brings it up to date now.",
    },
    MigrationRequired: {
      status: ["False"],
      actor: "administrator",
      meaning: 'The schema is missing or older, and spec.migrations is Manual: run "jobqueue migrate".',
    },
    MigrationFailed: {
      status: ["False"],
      actor: "administrator",
      meaning:
        "A step of the migration failed and was rolled back; the message is that of Postgres. It is tried again.",
    },
    TooNew: {
      status: ["False"],
      actor: "administrator",
      meaning: "A newer operator made the schema: upgrade this one.",
    },
    StoreUnreachable: {
      status: ["Unknown"],
      actor: "administrator",
      meaning: "The version cannot be read; see Reachable.",
    },
  },
  // Is there a live worker behind everything that runs?
  Healthy: {
    NothingStale: { status: ["True"], actor: "nobody", meaning: "Every running job has a live worker." },
    StaleJobs: {
      status: ["False"],
      actor: "user",
      meaning:
        "Running jobs have no live worker. With staleLockRecovery.mode Recover they are handed on in a moment, with Report somebody has to run recover-stale.",
    },
    NotLooked: { status: ["Unknown"], actor: "nobody", meaning: "staleLockRecovery.mode is Disabled." },
    StoreUnreachable: { status: ["Unknown"], actor: "administrator", meaning: "The jobs cannot be counted." },
  },
  ...VACUUM_CONDITION,
  // Is every queue held?
  Paused: {
    Active: {
      status: ["False"],
      actor: "nobody",
      meaning: "No hold is on the whole store; queues may have their own.",
    },
    PauseExpired: {
      status: ["False"],
      actor: "nobody",
      meaning: "spec.state is Paused but spec.pausedUntil has passed: queues without a hold of their own run.",
    },
    PausedBySpec: {
      status: ["True"],
      actor: "nobody",
      meaning: "spec.state is Paused, nothing else holds the whole store.",
    },
    PausedByHold: {
      status: ["True"],
      actor: "nobody",
      meaning: "spec.state does not hold the store, but other holds on * are in force; the message says whose.",
    },
    PausedBySpecAndHold: {
      status: ["True"],
      actor: "nobody",
      meaning: "spec.state is Paused and other holds on * are in force: state: Active alone will not resume.",
    },
    StoreUnreachable: {
      status: ["Unknown"],
      actor: "administrator",
      meaning: "The holds cannot be read. They stay in force: workers that can reach the store obey them.",
    },
  },
  // Does a person have to act?
  Stalled: {
    SecretNotFound: { status: ["True"], actor: "user", meaning: "Explained by Reachable." },
    SecretInvalid: { status: ["True"], actor: "user", meaning: "Explained by Reachable." },
    AuthFailed: { status: ["True"], actor: "administrator", meaning: "Explained by Reachable." },
    TlsFailed: { status: ["True"], actor: "administrator", meaning: "Explained by Reachable." },
    MigrationRequired: { status: ["True"], actor: "administrator", meaning: "Explained by SchemaCompatible." },
    MigrationFailed: { status: ["True"], actor: "administrator", meaning: "Explained by SchemaCompatible." },
    TooNew: { status: ["True"], actor: "administrator", meaning: "Explained by SchemaCompatible." },
  },
} as const;
