/**
 * Posit Connect's job queue: the requests of its documentation ("Job queue" in the admin guide), unchanged but for host and
 * key, and get_jobs of connectapi.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { listAuditEvents } from "@jobqueue/store";
import { forNewestPostgres } from "../support/postgres/database.ts";
import { ContractStage } from "./contract-stage.ts";

/** The columns of get_jobs, in the order of its documentation. */
const COLUMNS =
  `id ppid pid key remote_id app_id variant_id bundle_id start_time end_time last_heartbeat_time queued_time queue_name
  tag exit_code status hostname cluster image run_as`.split(/\s+/);

/** Reads the JSON as connectapi does: a data frame with a typed column per field, NULL as NA, RFC 3339 as times. */
const READER = `
import json, os, sys, urllib.request
from datetime import datetime
request = urllib.request.Request(os.environ["CONNECT_SERVER"] + "__api__/v1/content/" + os.environ["GUID"] + "/jobs",
    headers={"Authorization": "Key " + os.environ["CONNECT_API_KEY"]})
jobs = json.load(urllib.request.urlopen(request))
texts = "id ppid pid key remote_id app_id variant_id bundle_id queue_name tag hostname cluster image run_as".split()
times = "start_time end_time last_heartbeat_time queued_time".split()
frame = {}
for job in jobs:
    assert set(job) == set(texts) | set(times) | {"exit_code", "status"}, sorted(job)
    for name in texts:
        assert job[name] is None or isinstance(job[name], str), name
        frame.setdefault(name, []).append("NA" if job[name] is None else job[name])
    for name in times:
        value = job[name] and datetime.fromisoformat(job[name].replace("Z", "+00:00"))
        assert value is None or value.utcoffset() is not None, name
        frame.setdefault(name, []).append("NA" if value is None else "POSIXct")
    for name in ("exit_code", "status"):
        assert job[name] is None or isinstance(job[name], int), name
        frame.setdefault(name, []).append("NA" if job[name] is None else job[name])
json.dump(frame, sys.stdout)
`;

forNewestPostgres(({ adminUrl }) => {
  let stage: ContractStage;
  let env: Record<string, string>;
  beforeAll(async () => {
    stage = await ContractStage.start(adminUrl);
    env = { CONNECT_SERVER: `${stage.admin.url}/`, CONNECT_API_KEY: await stage.admin.key("admin", "connect") };
  });
  afterAll(async () => stage.close());
  beforeEach(async () => stage.clear());

  const list = async (
    query = "",
  ): Promise<{ results: Record<string, unknown>[]; total: number; current_page: number }> => {
    const { stdout, stderr } = await stage.run(
      "bash",
      `curl -sS -H "Authorization: Key \${CONNECT_API_KEY}" \\\n  "\${CONNECT_SERVER}__api__/v1/queue${query}"`,
      env,
    );
    if (stderr !== "") throw new Error(stderr);
    return JSON.parse(stdout) as Awaited<ReturnType<typeof list>>;
  };

  describe("the job queue of Posit Connect", () => {
    it("lists items with created time, queue, type, active, payload and hostname", async () => {
      const gate = stage.file("list");
      const running = await stage.enqueue({ queue: "default", kind: "wait", payload: { file: gate.path } });
      await stage.worker("default");
      await stage.jobIn("running", running);
      const waiting = await stage.enqueue({ queue: "memberships", kind: "MembershipUpdater", payload: { guid: "g1" } });
      const all = await list("?page_size=50");
      expect(all).toMatchObject({ total: 2, current_page: 1 });
      expect(all.results.map(({ id }) => id)).toEqual([running, waiting]);
      expect(all.results[0]).toMatchObject({
        queue: "default",
        type: "wait",
        active: true,
        payload: { file: gate.path },
      });
      expect(all.results[0]?.["hostname"]).toBeTypeOf("string");
      const only = await list("?queue_names=memberships&page_size=50");
      expect(only).toMatchObject({
        total: 1,
        results: [
          {
            id: waiting,
            queue: "memberships",
            type: "MembershipUpdater",
            active: false,
            payload: { guid: "g1" },
            hostname: null,
          },
        ],
      });
      expect(only.results[0]?.["created_time"]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      gate.write();
    });

    it("sorts by any column and pages by number", async () => {
      for (const [queue, kind] of [
        ["git", "GitFetch"],
        ["default", "ScheduledRender"],
        ["job-finalizer", "JobFinalizer"],
      ] as const) {
        await stage.enqueue({ queue, kind });
      }
      const column = async (query: string, name: string) => (await list(query)).results.map((item) => item[name]);
      expect(await column("?sort=type", "type")).toEqual(["GitFetch", "JobFinalizer", "ScheduledRender"]);
      expect(await column("?sort=queue&order=desc", "queue")).toEqual(["job-finalizer", "git", "default"]);
      for (const sort of ["created_time", "active", "hostname"])
        expect((await list(`?sort=${sort}`)).results).toHaveLength(3);
      expect(await column("?page_size=2&page_number=2", "queue")).toEqual(["job-finalizer"]);
      expect(await column("?queue_names=git,default", "queue")).toEqual(["git", "default"]);
    });

    it("deletes an item that has not started, and refuses with 409 and a reason one that has", async () => {
      const gate = stage.file("delete");
      const running = await stage.enqueue({ queue: "git", kind: "wait", payload: { file: gate.path } });
      await stage.worker("git");
      await stage.jobIn("running", running);
      const waiting = await stage.enqueue({ queue: "memberships", kind: "MembershipUpdater" });
      const remove = async (id: string) =>
        stage.run(
          "bash",
          `curl -sS -w '%{http_code}' -X DELETE \\\n  -H "Authorization: Key \${CONNECT_API_KEY}" \\\n  "\${CONNECT_SERVER}__api__/queue/${id}"`,
          env,
        );
      expect((await remove(waiting)).stdout).toBe("204");
      const refused = (await remove(running)).stdout;
      expect(refused).toMatch(/409$/);
      expect(JSON.parse(refused.slice(0, -3))).toMatchObject({ code: "conflict", state: "running" });
      expect((await remove(waiting)).stdout).toMatch(/404$/);
      gate.write();
      await stage.jobIn("completed", running);
      expect(
        (await listAuditEvents(stage.admin.store.database, { action: "delete" })).map(({ actor }) => actor),
      ).toEqual(["key:connect"]);
    });

    it("runs the documentation's bulk deletion as it stands, and has a real bulk call beside it", async () => {
      for (let n = 0; n < 5; n++) await stage.enqueue({ queue: "memberships", kind: "MembershipUpdater" });
      await stage.enqueue({ queue: "default", kind: "ScheduledRender" });
      // Verbatim: "Bulk deletion through the API".
      const { code, stderr } = await stage.run(
        "bash",
        `
# Fetch all memberships queue item IDs, then delete each one
curl -s -H "Authorization: Key \${CONNECT_API_KEY}" \\
  "\${CONNECT_SERVER}__api__/v1/queue?queue_names=memberships&page_size=500" \\
  | jq -r '.results[].id' \\
  | while read id; do
      curl -s -X DELETE \\
        -H "Authorization: Key \${CONNECT_API_KEY}" \\
        "\${CONNECT_SERVER}__api__/queue/\${id}"
    done
`,
        env,
      );
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect((await list()).results.map(({ queue }) => queue)).toEqual(["default"]);
      const body = { filter: { queue: "default" }, reason: "no longer needed" };
      const bulk = await stage.admin.ask("POST", "/api/v1/bulk/delete", {
        key: env["CONNECT_API_KEY"] as string,
        body,
      });
      expect(bulk.json).toMatchObject({ matched: 1, changed: 1 });
    });

    it("keeps duplicates out and says so", async () => {
      const ask = {
        key: env["CONNECT_API_KEY"] as string,
        body: { queue: "git", kind: "GitFetch", uniqueKey: "git/42" },
      };
      const first = (await stage.admin.ask("POST", "/api/v1/jobs", ask)).json as { id: string };
      expect((await stage.admin.ask("POST", "/api/v1/jobs", ask)).json).toEqual({ id: first.id, outcome: "duplicate" });
      expect((await list("?queue_names=git")).total).toBe(1);
    });

    it("shows payloads only to who may see them, and who saw them is in the audit trail (S24)", async () => {
      await stage.enqueue({ queue: "git", kind: "GitFetch", payload: { token: "secret" } });
      const key = await stage.admin.key("jobs:read", "viewer");
      const { json } = await stage.admin.ask("GET", "/v1/queue", { key });
      expect(json).toMatchObject({ results: [{ payload: null }] });
      await list();
      expect(await listAuditEvents(stage.admin.store.database, { action: "reveal" })).toMatchObject([
        { actor: "key:connect", count: 1 },
      ]);
    });
  });

  describe("get_jobs of connectapi", () => {
    it("is a data frame with the documented columns: active, finished and finalized runs", async () => {
      const app = { app_id: "guid-1", variant_id: "12", bundle_id: "34" };
      const gate = stage.file("jobs");
      const done = await stage.enqueue({ queue: "renders", kind: "quick", labels: app, tag: "render" });
      const finalized = await stage.enqueue({
        queue: "renders",
        kind: "quick",
        labels: app,
        finaliser: { kind: "quick" },
      });
      const active = await stage.enqueue({
        queue: "renders",
        kind: "wait",
        payload: { file: gate.path },
        labels: { ...app, key: "k-active" },
      });
      await stage.enqueue({ queue: "renders", kind: "quick", labels: { app_id: "guid-2" } });
      await stage.worker("renders", { env: { JOBQUEUE_IMAGE: "registry.example/renders:1" } });
      await stage.jobIn("completed", done);
      await stage.jobIn("running", active);
      await stage.jobIn("completed", finalized);
      const [row] = await stage.admin.store.database.query<{ finaliser: string }>(
        "select finaliser_id as finaliser from jobqueue.v_jobs where id = $1",
        [finalized],
      );
      await stage.jobIn("completed", String(row?.finaliser));

      const { code, stdout, stderr } = await stage.run("python3", READER, { ...env, GUID: "guid-1" });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const frame = JSON.parse(stdout) as Record<string, unknown[]>;
      expect(Object.keys(frame).toSorted()).toEqual(COLUMNS.toSorted());
      expect(frame).toMatchObject({
        id: [active, finalized, done],
        status: [0, 2, 1],
        tag: ["wait", "quick", "render"],
        exit_code: ["NA", 0, 0],
        end_time: ["NA", "POSIXct", "POSIXct"],
        start_time: ["POSIXct", "POSIXct", "POSIXct"],
        app_id: ["guid-1", "guid-1", "guid-1"],
        bundle_id: ["34", "34", "34"],
        queue_name: ["renders", "renders", "renders"],
        image: Array.from({ length: 3 }, () => "registry.example/renders:1"),
      });
      const key = env["CONNECT_API_KEY"] as string;
      const one = await stage.admin.ask("GET", "/v1/content/guid-1/jobs/k-active", { key });
      expect(one.json).toMatchObject({ id: active, key: "k-active", status: 0 });
      expect((await stage.admin.ask("GET", "/v1/content/guid-1/jobs/none", { key })).status).toBe(404);
      gate.write();
    });

    it("of content that has none is an empty list", async () => {
      const { json } = await stage.admin.ask("GET", "/v1/content/nothing/jobs", {
        key: env["CONNECT_API_KEY"] as string,
      });
      expect(json).toEqual([]);
    });
  });
});
