import { listAuditEvents } from "@jobqueue/store";
import { documented } from "../json.ts";
import { defineRoute } from "../route.ts";
import { described, integer, list, object, optional, text } from "../schema.ts";
import { AUDIT_EVENT, ID, LIMIT, NEXT } from "./shapes.ts";

/** Routes of the audit trail. */
export const AUDIT_ROUTES = [
  defineRoute({
    method: "GET",
    path: "/api/v1/audit",
    id: "listAuditEvents",
    tag: "Audit",
    summary: "What people and the operator changed, the newest first, a page at a time.",
    access: ["audit:read"],
    query: {
      action: optional(text({ description: "Such as hold, retry, configure_queue.", minLength: 1, maxLength: 64 })),
      event: optional(
        text({ description: "Such as admin_job_retry, admin_jobs_recover_stale.", minLength: 1, maxLength: 64 }),
      ),
      actor: optional(text({ description: "Part of the actor's name.", minLength: 1, maxLength: 256 })),
      target: optional(
        text({ description: "A queue, a job's id, the name of a schedule or a key.", minLength: 1, maxLength: 256 }),
      ),
      sinceSeconds: optional(
        integer({ minimum: 1, maximum: 315_360_000, description: "Only the last so many seconds." }),
      ),
      limit: LIMIT,
      after: optional(described(ID, "`next` of the page before.")),
    },
    answer: { schema: object({ events: list(AUDIT_EVENT), next: NEXT }), words: "A page of events." },
    handle: async ({ query }, api) => {
      const { after, ...filter } = query;
      const events = await listAuditEvents(api.database, { ...filter, afterId: after });
      return {
        events: events.map((event) => documented(AUDIT_EVENT, event)),
        next: events.length < query.limit ? null : (events.at(-1)?.id ?? null),
      };
    },
  }),
];
