import { type MatrixRow, shown } from "./matrix-row.ts";

const REFLECTOR = "operator/src/kube/reflector.api.test.ts";
const TRANSPORT = "operator/src/kube/transport.api.test.ts";
const FAULTS = "operator/src/acceptance/api-faults.api.test.ts";
const SERVER = "operator/src/acceptance/api-server.api.test.ts";
const CONFLICTS = "operator/src/acceptance/conflicts.api.test.ts";

/** K: what the Kubernetes API, and people with access to it, do to the operator. */
export const KUBERNETES_ROWS: readonly MatrixRow[] = [
  shown(
    "K1",
    "API server down for ten minutes",
    "workers and pauses do not notice; on return nothing is written that is right already, and nothing is decided before the caches are listed anew",
    {
      [SERVER]: ["K1, G15: away and back again"],
      [FAULTS]: ["K1, K5: one that was cut off"],
      [REFLECTOR]: ["K1: is followed again", "K1, K5: lists anew at once"],
    },
    "Tested for longer than a lease, after which time adds nothing but more tries, one in 30 s.",
  ),
  shown(
    "K2",
    "storms of 409, 429 with Retry-After, 5xx",
    "the key backs off, for as long as it was told; no worker waits, other keys go on",
    {
      [FAULTS]: ["K2: conflicts over one", "K2: throttles more objects", "K2: fails with 500"],
      [REFLECTOR]: ["K2: while nothing can be reached", "K2: a 429 with Retry-After"],
      "operator/src/runtime/work-queue.test.ts": ["K2: leave a key alone"],
    },
  ),
  shown(
    "K3",
    "watch silently stalled",
    "shown by the progress age, opened anew within twice the silence allowed, from where it was",
    { [REFLECTOR]: ["K3: shows in the progress age", "K4, K3: through a faulty watch"] },
  ),
  shown(
    "K4",
    "410; events dropped, doubled, reordered, cut",
    "the cache becomes what the API server has; what a watch left out is found by the hourly comparison and counted",
    { [REFLECTOR]: ["K4, K3: through a faulty watch", "K4: finds what the watch", "K4: does not count"] },
  ),
  shown(
    "K5",
    "time travel to a stale API server",
    "nothing is taken away on the word of an old list: the object is read live first; a cache does not go back",
    {
      [FAULTS]: ["K5: releases no pause", "K1, K5: one that was cut off"],
      [REFLECTOR]: ["K5: is refused", "K1, K5: lists anew at once"],
    },
    "By a proxy that answers lists with what they were. Reads of one object are answered by the quorum of etcd, or not at all.",
  ),
  shown("K6", "applied, and the reply dropped: create, patch, delete, events", "each happens once", {
    [FAULTS]: ["K6: on create, patch and delete"],
    "operator/src/kube/events.api.test.ts": ["K6: an event that arrived"],
    [TRANSPORT]: ["K6: a write that loses"],
  }),
  shown(
    "K7",
    "RBAC removed, token expired",
    "told in the server's words, no busy loop; a new token is read from its file at once, rights are used when they are back",
    { [FAULTS]: ["K7: that are refused", "K7: rights that are taken away"], [TRANSPORT]: ["K7: a refused token"] },
  ),
  shown(
    "K8",
    "CRD missing or of another version",
    "not ready, and says which kind is not served; works when it comes, also when it was taken away meanwhile",
    { [SERVER]: ["K8: without our kinds"] },
    "Another version is the same to the operator: the path of the one it knows is not served. There is one version, so nothing is converted.",
  ),
  shown(
    "K9",
    "namespace terminating, quota exceeded, pods refused",
    "in the status, with the server's words; no hot loop",
    { [FAULTS]: ["K9: quotas on Deployments"], [SERVER]: ["K9: in a namespace that is going"] },
    "The pods keep to the restricted Pod Security Standard whatever the template leaves out, so that one never refuses them; a refusal by a policy takes the way of a quota.",
  ),
  shown(
    "K10",
    "API server restarted and etcd compacted in the middle of a paged list",
    "the list starts over; no part is taken for the whole",
    { [REFLECTOR]: ["K10: between two pages", "K10: reads a list of many pages"] },
  ),
  shown(
    "K11",
    "somebody deletes, edits, orphans or takes over the Deployment",
    "restored or reported; nothing foreign adopted",
    {
      [CONFLICTS]: [
        "K11: a Deployment of somebody else",
        "K11: what somebody changes",
        "K11: a second owner is left in peace",
      ],
    },
  ),
  shown(
    "K12",
    "an autoscaler owns the replicas",
    "followed, and never written",
    {
      [CONFLICTS]: ["K12: replicas that another manager owns"],
      "operator/src/acceptance/hpa.api.test.ts": ["K12:"],
      "operator/src/acceptance/scale.api.test.ts": ["K12:"],
    },
    "Of the JobQueue, through /scale. The Deployment belongs to the operator: an autoscaler aimed at it is overruled.",
  ),
];
