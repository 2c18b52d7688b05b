import type { Route } from "./route.ts";
import { CONNECT_ROUTES } from "./contracts/connect.ts";
import { PUBLARYN_ROUTES } from "./contracts/publaryn.ts";
import { RIVER_ROUTES } from "./contracts/river.ts";
import { WCS_BACKEND_ROUTES } from "./contracts/wcs-backend.ts";
import { AUDIT_ROUTES } from "./routes/audit.ts";
import { BULK_ROUTES } from "./routes/bulk.ts";
import { JOB_ROUTES } from "./routes/jobs.ts";
import { POLICY_ROUTES } from "./routes/policy.ts";
import { QUEUE_ROUTES } from "./routes/queues.ts";
import { RECOVERY_ROUTES } from "./routes/recovery.ts";
import { SCHEDULE_ROUTES } from "./routes/schedules.ts";
import { SERIES_ROUTES } from "./routes/series.ts";
import { SERVER_ROUTES } from "./routes/server.ts";
import { STORE_ROUTES } from "./routes/store.ts";
import { WORKER_ROUTES } from "./routes/workers.ts";

/** Every route of the server. Server, OpenAPI document, reference, permission matrix and fuzzer are made from this table. */
export const ROUTES: readonly Route[] = [
  ...QUEUE_ROUTES,
  ...POLICY_ROUTES,
  ...JOB_ROUTES,
  ...BULK_ROUTES,
  ...WORKER_ROUTES,
  ...SCHEDULE_ROUTES,
  ...RECOVERY_ROUTES,
  ...AUDIT_ROUTES,
  ...STORE_ROUTES,
  ...SERIES_ROUTES,
  ...SERVER_ROUTES,
  ...CONNECT_ROUTES,
  ...PUBLARYN_ROUTES,
  ...WCS_BACKEND_ROUTES,
  ...RIVER_ROUTES,
];
