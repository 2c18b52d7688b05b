import { CONNECTION, OUTPUT } from "../flag-groups.ts";
import type { Verb } from "../verb.ts";

/** Roles of a store, as in the store (a test compares them). */
export const STORE_ROLES = ["producer", "worker", "operator", "reader", "admin"] as const;

const POSITIONALS = [
  { name: "ROLE", required: true, summary: `One of ${STORE_ROLES.join(", ")}.` },
  { name: "USER", required: true, summary: "A user of the database, who exists." },
];

/** Verbs about who may do what. */
export const ACCESS: readonly Verb[] = [
  {
    name: "roles",
    summary: "List which users of the database have which roles.",
    description: [],
    positionals: [],
    flags: [],
    groups: [OUTPUT, CONNECTION],
    examples: [{ command: "jobqueue roles", does: "who may do what" }],
    load: () => import("../verbs/roles.ts"),
  },
  {
    name: "grant",
    summary: "Let a user of the database do what a role may.",
    description: [
      "producer enqueues. worker enqueues and runs jobs. operator holds and configures queues, manages schedules and recovers, and sees everything but payloads. reader sees everything but payloads. admin does everything but run jobs, and sees payloads and the audit trail.",
      "Only the owner of the store may grant. The user needs no other right, and gets none on any table but to read.",
    ],
    positionals: POSITIONALS,
    flags: [],
    groups: [OUTPUT, CONNECTION],
    examples: [{ command: "jobqueue grant producer shop_app", does: "an application that enqueues" }],
    load: () => import("../verbs/grant.ts"),
  },
  {
    name: "revoke",
    summary: "Take a role from a user of the database.",
    description: ["What other roles give the user stays."],
    positionals: POSITIONALS,
    flags: [],
    groups: [OUTPUT, CONNECTION],
    examples: [{ command: "jobqueue revoke producer shop_app", does: "no more jobs from there" }],
    load: () => import("../verbs/revoke.ts"),
  },
];
