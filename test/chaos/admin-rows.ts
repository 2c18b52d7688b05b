import { type MatrixRow, shown } from "./matrix-row.ts";

const HTTP = "admin/src/http.web.test.ts";
const PUBLARYN = "test/contracts/publaryn.web.test.ts";

/** D: what the admin API must stand. */
export const ADMIN_ROWS: readonly MatrixRow[] = [
  shown("D1", "slow lists and counts", "time limit, partial answer marked", {
    "admin/src/snapshot.test.ts": ["D1: is read once at a time", "D1: that takes too long is the last one"],
    [HTTP]: ["D1: stays up and says so while the store is away"],
  }),
  shown("D2", "acts repeated, concurrent, cut short", "one audit event per effect", {
    [PUBLARYN]: ["D2: answers twenty impatient people at once"],
  }),
  shown("D3", "large bodies, slow clients, many streams", "limits; workers unaffected", {
    "admin/src/live/event-stream.test.ts": ["D3: a reader that does not read costs one event per name"],
    [HTTP]: ["D3: of a stranger may send no body"],
  }),
  shown("D4", "token review unavailable", "closed for acts and payloads", {
    "admin/src/auth/kubernetes.api.test.ts": ["D4: meet a closed door while the API server is away"],
  }),
];
