import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { getJob, notifyQueue } from "@jobqueue/store";
import { eventually } from "@jobqueue/test/support/eventually.ts";
import { OtlpReceiver } from "@jobqueue/test/support/otlp/receiver.ts";
import { scraped, type Series } from "@jobqueue/test/support/otlp/series.ts";
import { forNewestPostgres } from "@jobqueue/test/support/postgres/database.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Stage } from "./testing/stage.ts";
import { LONG_LEASE, TEST_HANDLERS, type WorkerProcess } from "./testing/worker-process.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const TRACEPARENT = `00-${TRACE}-${SPAN}-01`;

/** As OTLP counts the kinds of spans. */
const KIND = { client: 3, producer: 4, consumer: 5 };

const example = (name: string): string =>
  fileURLToPath(new URL(`../../docs/guides/examples/telemetry/${name}`, import.meta.url));

/** Runs one of the guide's programs to its end, and returns the id of the job that it says it has enqueued. */
async function enqueued(command: string, file: string, env: Readonly<Record<string, string>>): Promise<string> {
  const more = { PATH: process.env["PATH"], NODE_COMPILE_CACHE: join(tmpdir(), "jobqueue-compile-cache") };
  const { stdout } = await promisify(execFile)(command, [example(file)], { env: { ...more, ...env } });
  return /^job (\d+)\n$/.exec(stdout)?.[1] ?? `no job: ${stdout}`;
}

it("docs/guides/telemetry.md shows the files of its example as they are", () => {
  const page = readFileSync(fileURLToPath(new URL("../../docs/guides/telemetry.md", import.meta.url)), "utf8");
  const shown = [...page.matchAll(/^```\w+ file=(\S+)\n([\s\S]*?)^```$/gm)].map(([, name, text]) => [name, text]);
  const files = readdirSync(example("")).map((name) => [name, readFileSync(example(name), "utf8")]);
  expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(files));
});

forNewestPostgres(({ adminUrl }) => {
  describe("docs/guides/telemetry.md: with an OpenTelemetry SDK in the processes", () => {
    let stage: Stage;
    let receiver: OtlpReceiver;
    let worker: WorkerProcess;
    beforeAll(async () => {
      receiver = await OtlpReceiver.start();
      stage = await Stage.create(adminUrl);
      worker = await stage.worker({
        handlers: [example("handlers.ts"), example("handlers.yaml"), TEST_HANDLERS].join(),
        env: { ...LONG_LEASE, ...receiver.environment("worker") },
      });
    });
    afterAll(async () => {
      await stage.end();
      await receiver.close();
    });

    it("one trace shows who enqueued, the attempt, what its handler did, and the job that it enqueued, a program's", async () => {
      const env = { DATABASE_URL: stage.databaseUrl, ...receiver.environment("shop") };
      const id = await enqueued(process.execPath, "shop.ts", env);
      const job = await stage.jobIn("completed", id);
      const { receipt } = job.result as { receipt: string };
      const printed = await stage.jobIn("completed", receipt);

      const checkout = await receiver.span("checkout");
      const ofTrace = ({ traceId }: { readonly traceId: string }): boolean => traceId === checkout.traceId;
      const enqueue = await receiver.span("enqueue default", ({ service }) => service === "shop");
      expect(enqueue).toMatchObject({ traceId: checkout.traceId, parentSpanId: checkout.spanId, kind: KIND.producer });
      expect(enqueue.attributes).toEqual({
        "messaging.system": "jobqueue",
        "messaging.operation.name": "enqueue",
        "messaging.operation.type": "send",
        "messaging.destination.name": "default",
        "messaging.message.id": id,
        "jobqueue.outcome": "inserted",
      });
      const run = await receiver.span("run order.place", ofTrace);
      expect(run).toMatchObject({ service: "worker", parentSpanId: enqueue.spanId, kind: KIND.consumer, links: [] });
      expect(run.attributes).toEqual({
        "messaging.system": "jobqueue",
        "messaging.operation.name": "run",
        "messaging.operation.type": "process",
        "messaging.destination.name": "default",
        "messaging.message.id": id,
        "jobqueue.kind": "order.place",
        "jobqueue.attempt": 1,
        "jobqueue.generation": 1,
        "jobqueue.worker_id": job.workerId,
        "jobqueue.outcome": "completed",
      });
      const reserve = await receiver.span("reserve stock", ofTrace);
      expect(reserve.parentSpanId).toBe(run.spanId);
      const more = await receiver.span(
        "enqueue default",
        ({ service, ...span }) => service === "worker" && ofTrace(span),
      );
      expect(more.parentSpanId).toBe(reserve.spanId);
      const print = await receiver.span("run receipt.print", ofTrace);
      expect(print.parentSpanId).toBe(more.spanId);
      expect(printed.result).toEqual({ trace: checkout.traceId, span: print.spanId });

      // A batch belongs to no job: roots, with links.
      const claim = await receiver.span("claim", ({ links }) => links.some(({ spanId }) => spanId === enqueue.spanId));
      expect(claim).toMatchObject({ service: "worker", kind: KIND.client });
      expect(claim.parentSpanId ?? "").toBe("");
      expect(claim.attributes).toMatchObject({
        "messaging.system": "jobqueue",
        "messaging.operation.type": "receive",
        "messaging.destination.name": "default",
        "jobqueue.worker_id": job.workerId,
      });
      const finish = await receiver.span("finish", ({ links }) => links.some(({ spanId }) => spanId === run.spanId));
      expect(finish).toMatchObject({ service: "worker", kind: KIND.client });
      expect(finish.parentSpanId ?? "").toBe("");
      expect(finish.attributes).toMatchObject({ "messaging.operation.type": "settle" });
    });

    it("a producer in another language begins the trace by the option traceparent, in SQL", async () => {
      const env = { DATABASE_URL: stage.databaseUrl, TRACEPARENT };
      const id = await enqueued("/usr/bin/python3", "shop.py", env);
      await stage.jobIn("completed", id);
      const run = await receiver.span("run order.place", ({ attributes }) => attributes["messaging.message.id"] === id);
      expect(run).toMatchObject({ traceId: TRACE, parentSpanId: SPAN });
      const finish = await receiver.span("finish", ({ links }) => links.some(({ spanId }) => spanId === run.spanId));
      expect(finish.traceId).not.toBe(TRACE);
    });

    it("an attempt that begins more than an hour after the job was enqueued is a trace of its own, with a link", async () => {
      const [id] = await stage.enqueue({ kind: "quick", traceparent: TRACEPARENT, delaySeconds: 3_600 });
      await stage.database.query(
        `update jobqueue.jobs set created_at = created_at - interval '61 minutes', run_at = clock_timestamp() where id = $1`,
        [id],
      );
      await notifyQueue(stage.database, "default");
      await stage.jobIn("completed", id);
      const run = await receiver.span("run quick", ({ attributes }) => attributes["messaging.message.id"] === id);
      expect(run.traceId).not.toBe(TRACE);
      expect(run.parentSpanId ?? "").toBe("");
      expect(run.links).toMatchObject([{ traceId: TRACE, spanId: SPAN, attributes: { "jobqueue.link": "enqueue" } }]);
    });

    it("of what a handler throws only the class is told, and a producer that does not sample is followed", async () => {
      const [failed, unsampled] = await stage.enqueue(
        { kind: "throw", maxAttempts: 1, traceparent: TRACEPARENT },
        { kind: "child", traceparent: `00-${TRACE}-${SPAN}-00` },
      );
      await stage.jobIn("dead", failed);
      const run = await receiver.span("run throw");
      expect(run.status).toEqual({ code: 2, message: "TypeError" });
      expect(run.attributes).toMatchObject({ "error.type": "TypeError", "jobqueue.outcome": "failed" });
      // It runs under a span that nobody records: told by the name that goes on to others.
      const { result } = await stage.jobIn("completed", unsampled);
      const { traceparent } = result as { traceparent: string };
      expect(traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
      expect(traceparent).not.toContain(SPAN);
      await receiver.span("finish", ({ links }) => links.some(({ spanId }) => spanId === run.spanId));
      expect(receiver.spans.filter(({ name }) => name === "run child")).toEqual([]);
      expect(JSON.stringify(receiver.spans)).not.toContain("no such document");
    });

    it("metrics arrive by OTLP as /metrics shows them: the same names, labels and counts, also of histograms", async () => {
      /** What changes by itself between two looks. */
      const restless = /^(process|nodejs)_|_lease_remaining_seconds|_longest_block_seconds|_claims_total/;
      const steady = (series: Series): object =>
        Object.fromEntries([...series].filter(([name]) => !restless.test(name)).sort(([a], [b]) => (a < b ? -1 : 1)));
      const namesOf = (series: Series): Set<string> =>
        new Set([...series.keys()].map((key) => key.replace(/\{.*/, "")));
      const [id] = await stage.enqueue({ kind: "quick" });
      await stage.jobIn("completed", id);
      const seen = await eventually("the same by both ways", async () => {
        const scrape = scraped((await worker.probe("/metrics")).text);
        const sent = receiver.metricsOf("worker");
        expect(steady(sent)).toEqual(steady(scrape));
        expect([...namesOf(scrape)].filter((name) => !namesOf(sent).has(name))).toEqual([]);
        return sent;
      });
      const labels = 'kind="quick",outcome="completed",queue="default"';
      const finished = seen.get(`jobqueue_worker_jobs_finished_total{${labels}}`);
      expect(finished).toBeGreaterThan(0);
      const durations = "jobqueue_worker_job_duration_seconds";
      expect(seen.get(`${durations}_bucket{kind="quick",le="+Inf",queue="default"}`)).toBe(finished);
      expect(seen.get(`${durations}_count{kind="quick",queue="default"}`)).toBe(finished);
      expect(seen.get('jobqueue_worker_slots{state="stuck"}')).toBe(0);
    });
  });

  describe("traces and workers that end", () => {
    let stage: Stage;
    let receiver: OtlpReceiver;
    beforeEach(async () => {
      receiver = await OtlpReceiver.start();
      stage = await Stage.create(adminUrl);
    });
    afterEach(async () => {
      await stage.end();
      await receiver.close();
    });

    it("the attempt after a lost one is in the trace of the job and links to the lost claim; a drain sends what is left", async () => {
      const lost = await stage.worker({ env: receiver.environment("lost") });
      const payload = { file: stage.path("go") };
      const [id] = await stage.enqueue({ kind: "wait", payload, traceparent: TRACEPARENT });
      await lost.logged("started");
      const claim = await receiver.span("claim", ({ links }) => links.some(({ spanId }) => spanId === SPAN));
      await lost.kill();
      // Nothing of it is sent before its time, which is the end.
      const env = { ...LONG_LEASE, ...receiver.environment("heir", { everyMs: 600_000 }) };
      const heir = await stage.worker({ env });
      stage.touch("go");
      const job = await stage.jobIn("completed", id, 60_000);
      expect(job).toMatchObject({
        recoveries: 1,
        lastRecovery: { traceparent: `00-${claim.traceId}-${claim.spanId}-01` },
      });
      expect(receiver.spans.filter(({ service }) => service === "heir")).toEqual([]);
      heir.signal("SIGTERM");
      expect(await heir.exited).toEqual({ code: 0, signal: null });
      const run = await receiver.span("run wait");
      expect(run).toMatchObject({ service: "heir", traceId: TRACE, parentSpanId: SPAN });
      expect(run.attributes).toMatchObject({ "jobqueue.attempt": 1, "jobqueue.worker_id": job.workerId });
      const { traceId, spanId } = claim;
      expect(run.links).toMatchObject([{ traceId, spanId, attributes: { "jobqueue.link": "lost attempt" } }]);
      await receiver.span("finish", ({ links }) => links.some((link) => link.spanId === run.spanId));
      const counted = 'jobqueue_worker_jobs_finished_total{kind="wait",outcome="completed",queue="default"}';
      await eventually("its last count", async () =>
        receiver.metricsOf("heir").get(counted) === 1 ? true : undefined,
      );
    });

    it("without an SDK nothing is sent, and jobs carry nothing", async () => {
      const env = receiver.environment("none", { sdk: false });
      const worker = await stage.worker({ handlers: example("handlers.ts"), env: { ...LONG_LEASE, ...env } });
      const id = await enqueued(process.execPath, "shop.ts", { DATABASE_URL: stage.databaseUrl, ...env });
      const { result } = await stage.jobIn("completed", id);
      const options = await stage.database.query(
        "select options from jobqueue.job_history where id = $1 union all select options from jobqueue.jobs where id = $2",
        [id, (result as { receipt: string }).receipt],
      );
      expect(options).toEqual([{ options: null }, { options: null }]);
      expect(await getJob(stage.database, id)).toMatchObject({ lastRecovery: null });
      worker.signal("SIGTERM");
      await worker.exited;
      expect(receiver.posts).toBe(0);
    });
  });
});
