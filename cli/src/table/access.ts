import { CONNECTION, OUTPUT } from "../flag-groups.ts";
import type { Flag, Verb } from "../verb.ts";

/** Roles of a store, as in the store (a test compares them). */
export const STORE_ROLES = ["producer", "worker", "operator", "reader", "admin"] as const;

const POSITIONALS = [
  { name: "ROLE", required: true, summary: `One of ${STORE_ROLES.join(", ")}.` },
  { name: "USER", required: true, summary: "A user of the database, who exists." },
];

const KEY = { name: "NAME", required: true, summary: "Who uses the key." };

const WHY: Flag = {
  name: "reason",
  type: "text",
  placeholder: "TEXT",
  summary: "Why, for the audit trail.",
  default: "by hand",
};

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
  {
    name: "api-key create",
    summary: "Make a key for the admin API.",
    description: [
      "Prints the key, and nothing else, on standard output. It is shown this once: the store keeps only its hash.",
      "A scope is one thing that may be done, such as jobs:retry; a role stands for several: viewer looks, but not at payloads and the audit trail; operator also pauses, retries, cancels and recovers, and reads the audit trail; admin does everything.",
      "The one who brings it says `Authorization: Key jqk_…`, `Bearer jqk_…`, or gives it as the password of Basic.",
    ],
    positionals: [KEY],
    flags: [
      {
        name: "scope",
        type: "text",
        placeholder: "SCOPE",
        repeatable: true,
        required: true,
        summary: "What it may do: scopes and roles; several with commas, or the flag again.",
      },
      {
        name: "for",
        type: "duration",
        placeholder: "DURATION",
        summary: "How long it works.",
        default: "until it is revoked",
      },
      WHY,
    ],
    groups: [OUTPUT, CONNECTION],
    examples: [
      {
        command: "jobqueue api-key create grafana --scope viewer --for 2160h",
        does: "a key to look with, for 90 days",
      },
      { command: "jobqueue api-key create on-call --scope operator,payloads:read", does: "for who is on call" },
    ],
    load: () => import("../verbs/api-key-create.ts"),
  },
  {
    name: "api-key list",
    summary: "List the keys of the admin API: what they may do, and when they were last used.",
    description: [],
    positionals: [],
    flags: [{ name: "all", type: "switch", summary: "Also those that were revoked or have expired." }],
    groups: [OUTPUT, CONNECTION],
    examples: [{ command: "jobqueue api-key list", does: "the keys that work" }],
    load: () => import("../verbs/api-key-list.ts"),
  },
  {
    name: "api-key revoke",
    summary: "Revoke a key of the admin API: it opens nothing any more.",
    description: ["Takes effect with the next request of whoever has it."],
    positionals: [KEY],
    flags: [WHY],
    groups: [OUTPUT, CONNECTION],
    examples: [{ command: "jobqueue api-key revoke grafana", does: "at once" }],
    load: () => import("../verbs/api-key-revoke.ts"),
  },
];
