/** The RQ monitoring of wcs.backend: the two clients of its documentation, unchanged but for host and credentials. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forNewestPostgres } from "../support/postgres/database.ts";
import { ContractStage } from "./contract-stage.ts";

interface RqQueue {
  readonly "@id": string;
  readonly name: string;
  readonly count: number;
  readonly registries: readonly { readonly "@id": string; readonly name: string; readonly count: number }[];
}

const REGISTRIES = ["started", "deferred", "canceled", "failed", "finished", "scheduled"].map(
  (name) => `${name}_job_registry`,
);

// Verbatim: "JavaScript – list queues".
async function listQueues(siteUrl: string, token: string): Promise<readonly RqQueue[]> {
  const response = await fetch(`${siteUrl}/@rq-queues`, {
    headers: {
      Accept: "application/json",
      Authorization: `Bearer ${token}`,
    },
  });
  const data = (await response.json()) as { items: readonly RqQueue[] };
  return data.items;
}

/** Verbatim: "Python – poll a job until it finishes", but for host, id and credentials. */
const poll = (site: string, queue: string, id: string, password: string): string => `
import requests
import time

def wait_for_job(site_url, queue, job_id, auth):
    url = f'{site_url}/@rq-job/{queue}/{job_id}'
    while True:
        job = requests.get(
            url,
            auth=auth,
            headers={'Accept': 'application/json'},
        ).json()
        if not job:
            raise RuntimeError('Job not found')
        if job['ended']:
            return job
        time.sleep(1)

job = wait_for_job(
    '${site}',
    '${queue}',
    '${id}',
    ('admin', '${password}'),
)
print(job['last_job_result'] or job['return_value'])
`;

forNewestPostgres(({ adminUrl }) => {
  let stage: ContractStage;
  let key: string;
  let site: string;
  beforeAll(async () => {
    stage = await ContractStage.start(adminUrl);
    key = await stage.admin.key("admin", "plone");
    site = `${stage.admin.url}/Plone`;
  });
  afterAll(async () => stage.close());
  beforeEach(async () => stage.clear());

  const get = async (path: string): Promise<unknown> => (await stage.admin.ask("GET", path, { key })).json;

  describe("the RQ monitoring of wcs.backend", () => {
    it("lists queues sorted by name, with every registry and its count, below any site", async () => {
      for (const queue of ["normal", "important", "low"]) await stage.enqueue({ queue, kind: "tasks.sync" });
      await stage.enqueue({ queue: "important", kind: "tasks.cache", delaySeconds: 3600 });
      const queues = await listQueues(site, key);
      expect(queues.map(({ name }) => name)).toEqual(["important", "low", "normal"]);
      expect(queues[0]).toEqual({
        "@id": "@rq-queues/important",
        name: "important",
        count: 1,
        registries: REGISTRIES.map((name) => ({
          "@id": `@rq-queues/important/${name}`,
          name,
          count: name === "scheduled_job_registry" ? 1 : 0,
        })),
      });
      expect(await get("/a/b/@rq-queues/important")).toEqual(queues[0]);
      expect((await stage.admin.ask("GET", "/@rq-queues/nothing", { key })).status).toBe(404);
    });

    it("expands a registry to its jobs in RQ's fields", async () => {
      const failed = await stage.enqueue({
        queue: "normal",
        kind: "permanent",
        payload: ["https://example.com/page"],
        maxAttempts: 1,
        resultTtlSeconds: 86_400,
      });
      const gate = stage.file("started");
      const started = await stage.enqueue({ queue: "normal", kind: "wait", payload: { file: gate.path } });
      await stage.worker("normal");
      await stage.jobIn("dead", failed);
      await stage.jobIn("running", started);
      const registry = (await get("/Plone/@rq-queues/normal/failed_job_registry")) as {
        items: Record<string, unknown>[];
      };
      const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/) as unknown;
      expect(registry).toEqual({
        "@id": "@rq-queues/normal/failed_job_registry",
        name: "failed_job_registry",
        count: 1,
        items: [
          {
            id: failed,
            description: 'permanent("https://example.com/page")',
            args: ["https://example.com/page"],
            created: time,
            enqueued: time,
            ended: time,
            scheduled: null,
            func_name: "permanent",
            retries_left: 0,
            return_value: null,
            ttl: null,
            result_ttl: 86_400,
            last_job_result: expect.stringContaining("no such customer") as unknown,
          },
        ],
      });
      expect(await get("/@rq-queues/normal/started_job_registry")).toMatchObject({
        count: 1,
        items: [{ id: started, ended: null }],
      });
      expect((await stage.admin.ask("GET", "/@rq-queues/normal/other_registry", { key })).json).toMatchObject({
        allowed: REGISTRIES,
      });
      gate.write();
    });

    it("counts retries that wait as scheduled, and the cancelled, deferred and finished where RQ has them", async () => {
      const queue = "mixed";
      const worker = await stage.worker(queue);
      const done = await stage.enqueue({ queue, kind: "quick" });
      await stage.jobIn("completed", done);
      const retrying = await stage.enqueue({
        queue,
        kind: "throw",
        maxAttempts: 4,
        retry: { intervalsSeconds: [600] },
      });
      await stage.jobIn("failed", retrying);
      worker.signal("SIGKILL");
      await worker.exited;
      const first = await stage.enqueue({ queue, kind: "quick" });
      await stage.enqueue({ queue, kind: "quick", dependsOn: [first] });
      const gone = await stage.enqueue({ queue, kind: "quick" });
      await stage.admin.ask("POST", `/api/v1/jobs/${gone}/cancel`, { key });
      const { registries } = (await get(`/@rq-queues/${queue}`)) as RqQueue;
      expect(registries.map(({ count }) => count)).toEqual([0, 1, 1, 0, 1, 1]);
      const { items } = (await get(`/@rq-queues/${queue}/scheduled_job_registry`)) as {
        items: Record<string, unknown>[];
      };
      expect(items).toMatchObject([
        {
          id: retrying,
          retries_left: 3,
          ended: null,
          last_job_result: expect.stringContaining("no such document") as unknown,
        },
      ]);
      expect(items[0]?.["scheduled"]).toBeTypeOf("string");
    });

    it("lets the documentation's Python client poll a job until it ends, with Basic", async () => {
      const gate = stage.file("polled");
      const id = await stage.enqueue({ queue: "normal", kind: "quick", payload: { n: 1 }, delaySeconds: 1 });
      await stage.worker("normal");
      const done = await stage.run("python3", poll(site, "normal", id, key));
      expect(done).toEqual({ code: 0, stdout: "{'echo': {'n': 1}}\n", stderr: "" });
      const dead = await stage.enqueue({ queue: "normal", kind: "permanent" });
      expect((await stage.run("python3", poll(site, "normal", dead, key))).stdout).toContain("no such customer");
      gate.write();
    });

    it("answers an empty object for a job that is not there, or not in that queue", async () => {
      const id = await stage.enqueue({ queue: "normal", kind: "quick" });
      expect(await get(`/Plone/@rq-job/normal/${id}`)).toMatchObject({ id });
      expect(await get(`/Plone/@rq-job/low/${id}`)).toEqual({});
      expect(await get("/Plone/@rq-job/normal/a1b2c3...")).toEqual({});
      expect(await get("/Plone/@rq-job/normal/999999999")).toEqual({});
      expect((await stage.run("python3", poll(site, "normal", "999999999", key))).stderr).toContain("Job not found");
    });

    it("hides args and return values from who may not see payloads", async () => {
      const id = await stage.enqueue({ queue: "normal", kind: "quick", payload: ["secret"] });
      const viewer = await stage.admin.key("jobs:read");
      const { text } = await stage.admin.ask("GET", `/@rq-job/normal/${id}`, { key: viewer });
      expect(text).not.toContain("secret");
      expect(JSON.parse(text)).toMatchObject({ args: [], return_value: null });
    });
  });
});
