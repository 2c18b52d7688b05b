import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { enqueue, ensureQueue, listAuditEvents } from "@jobqueue/store";
import { ApiServer } from "../../../test/support/api-server/api-server.ts";
import { readKubeconfig } from "../../../test/support/api-server/kubeconfig.ts";
import { createNamespace } from "../../../test/support/api-server/namespace.ts";
import { createServiceAccount, type PolicyRule } from "../../../test/support/api-server/service-account.ts";
import { AdminUnderTest } from "../testing/admin-under-test.ts";

/** Token in a kubeconfig that test support wrote. */
function tokenOf(kubeconfig: string): string {
  const { token } = readKubeconfig(kubeconfig);
  if (token === undefined) throw new Error(`no token in ${kubeconfig}`);
  return token;
}

describe("users of a cluster", () => {
  const kubeconfig = inject("kubeconfig");
  const adminUrl = Object.values(inject("postgres"))[0] as string;
  let namespace: string;
  let admin: AdminUnderTest;
  beforeAll(async () => {
    namespace = await createNamespace(kubeconfig, "admin");
    admin = await AdminUnderTest.start(adminUrl, [
      "--auth",
      "keys,kubernetes",
      "--namespace",
      namespace,
      "--kubeconfig",
      kubeconfig,
    ]);
    await ensureQueue(admin.store.database, "mailers");
    await ensureQueue(admin.store.database, "imports");
  });
  afterAll(async () => admin.close());

  const user = async (name: string, ...rules: PolicyRule[]): Promise<string> =>
    tokenOf(await createServiceAccount(kubeconfig, { namespace, name, rules }));
  const rule = (verb: string, resource: string, ...resourceNames: string[]): PolicyRule => ({
    apiGroups: ["jobqueue.dev"],
    resources: [resource],
    verbs: [verb],
    ...(resourceNames.length > 0 && { resourceNames }),
  });

  it("may do what RBAC grants on virtual subresources, and are named in the audit trail (S20)", async () => {
    const key = await user("on-call", rule("get", "jobqueues/jobs"), rule("update", "jobqueues/pause"));
    const { id } = await enqueue(admin.store.database, { queue: "mailers", kind: "k" });
    expect((await admin.ask("GET", `/api/v1/jobs/${id}`, { key })).status).toBe(200);
    expect((await admin.ask("GET", `/api/v1/jobs/${id}/payload`, { key })).status).toBe(403);
    expect((await admin.ask("DELETE", `/api/v1/jobs/${id}`, { key })).status).toBe(403);
    expect((await admin.ask("PUT", "/api/v1/queues/mailers/holds/x", { key, body: { reason: "r" } })).status).toBe(200);
    const [event] = await listAuditEvents(admin.store.database, { action: "hold" });
    expect(event?.actor).toBe(`user:system:serviceaccount:${namespace}:on-call`);
  });

  it("may be let near single queues by resourceNames", async () => {
    const key = await user("mailer-team", rule("update", "jobqueues/pause", "mailers"));
    const body = { reason: "r" };
    expect((await admin.ask("PUT", "/api/v1/queues/mailers/holds/mine", { key, body })).status).toBe(200);
    expect((await admin.ask("PUT", "/api/v1/queues/imports/holds/mine", { key, body })).status).toBe(403);
    expect((await admin.ask("PUT", "/api/v1/queues/*/holds/mine", { key, body })).status).toBe(403);
  });

  it("who lack a right are told which one, as roles name it", async () => {
    const key = await user("looker", rule("get", "jobqueues"));
    const pause = await admin.ask("PUT", "/api/v1/queues/mailers/holds/x", { key, body: { reason: "r" } });
    expect(pause.json).toEqual({
      code: "forbidden",
      error: `user:system:serviceaccount:${namespace}:looker lacks the scope queues:pause: the right to update jobqueues.jobqueue.dev/pause mailers in namespace ${namespace}.`,
    });
  });

  it("without rights, or with a token that is none, are told apart: 403 and 401", async () => {
    expect((await admin.ask("GET", "/api/v1/queues", { key: await user("stranger") })).status).toBe(403);
    expect((await admin.ask("GET", "/api/v1/queues", { key: "forged" })).status).toBe(401);
    expect((await admin.ask("GET", "/api/v1/queues")).status).toBe(401);
  });

  it("whose token is for another audience are not taken", async () => {
    const other = await AdminUnderTest.start(adminUrl, [
      "--auth=kubernetes",
      `--namespace=${namespace}`,
      `--kubeconfig=${kubeconfig}`,
      "--audience=jobqueue-admin",
    ]);
    try {
      const key = await user("audience", rule("get", "jobqueues"));
      expect((await admin.ask("GET", "/api/v1/queues", { key })).status).toBe(200);
      expect((await other.ask("GET", "/api/v1/queues", { key })).status).toBe(401);
    } finally {
      await other.close();
    }
  });

  it("D4: meet a closed door while the API server is away: 503, nothing done, whatever they could before", async () => {
    const server = await ApiServer.create();
    let closing: AdminUnderTest | undefined;
    try {
      const elsewhere = await createNamespace(server.kubeconfig, "admin");
      const rules = [rule("get", "jobqueues"), rule("update", "jobqueues/pause"), rule("get", "jobqueues/payloads")];
      const key = tokenOf(await createServiceAccount(server.kubeconfig, { namespace: elsewhere, name: "ana", rules }));
      const flags = ["--auth", "keys,kubernetes", "--namespace", elsewhere, "--kubeconfig", server.kubeconfig];
      const door = await AdminUnderTest.start(adminUrl, flags);
      closing = door;
      const { id } = await enqueue(door.store.database, { queue: "mailers", kind: "k" });
      const pause = async () => door.ask("PUT", "/api/v1/queues/mailers/holds/x", { key, body: { reason: "r" } });
      const look = async () => door.ask("GET", `/api/v1/jobs/${id}/payload`, { key });
      expect([(await pause()).status, (await look()).status]).toEqual([200, 200]);
      await server.stop();
      const events = await listAuditEvents(door.store.database);
      expect(await pause()).toMatchObject({ status: 503, json: { code: "unavailable" } });
      expect(await look()).toMatchObject({ status: 503 });
      expect((await door.ask("GET", "/api/v1/queues", { key: "another" })).status).toBe(503);
      expect(await listAuditEvents(door.store.database)).toEqual(events);
      const own = await door.key("viewer");
      expect((await door.ask("GET", "/api/v1/queues", { key: own })).status, "keys need no API server").toBe(200);
    } finally {
      await closing?.close();
      await server.destroy();
    }
  });
});
