import { describe, expect, it } from "vitest";
import { forwardTarget } from "./forward-target.ts";

describe("a host name of a JobStore's URL", () => {
  it.each([
    ["db", { namespace: "shop", resource: "service/db", certain: false }],
    ["db.data", { namespace: "data", resource: "service/db", certain: false }],
    ["db.data.svc", { namespace: "data", resource: "service/db", certain: true }],
    ["DB.data.svc.cluster.local", { namespace: "data", resource: "service/db", certain: true }],
    ["db.data.svc.cluster.local.", { namespace: "data", resource: "service/db", certain: true }],
    ["db-0.db.data.svc", { namespace: "data", resource: "pod/db-0", certain: true }],
  ])("%s is forwarded to %j", (host, target) => {
    expect(forwardTarget(host, "shop")).toEqual(target);
  });

  it.each([
    "10.0.0.7",
    "::1",
    "localhost",
    "db.example.org",
    "db.svc",
    "a.b.c.d.svc",
    "db_1",
    "db.data.svc.example.org",
  ])("%s is not a name inside the cluster that could be forwarded to", (host) => {
    expect(forwardTarget(host, "shop")).toBeUndefined();
  });
});
