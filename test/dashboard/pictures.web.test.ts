/**
 * Every page as people see it: light, dark, and on a narrow screen. Each is held to axe and to its width; RECORD=1 also keeps the
 * pictures, in docs/images.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configureQueue, hold, putSchedule } from "@jobqueue/store";
import { eventually } from "../support/eventually.ts";
import { forNewestPostgres } from "../support/postgres/database.ts";
import type { Eyes, Visitor } from "../support/browser/visitor.ts";
import { DashboardStage } from "./dashboard-stage.ts";

const RECORD = process.env["RECORD"] === "1";
const IMAGES = join(import.meta.dirname, "../../docs/images");
const HANDLERS = fileURLToPath(new URL("picture-handlers.ts", import.meta.url));
const ana = { actor: "ana@example.com", reason: "quarterly close" };

const EYES: Readonly<Record<string, Eyes>> = {
  light: { width: 1200, height: 800 },
  dark: { scheme: "dark", width: 1200, height: 800 },
  narrow: { width: 390, height: 780 },
};

/** What each page is opened at, and what must be seen before it is looked at. */
interface Sight {
  readonly place: string;
  readonly shows: string | RegExp;
  /** Pixels more than the window of other sights is high. */
  readonly more?: number;
  readonly onto?: (visitor: Visitor) => Promise<void>;
}

forNewestPostgres(({ adminUrl }) => {
  let stage: DashboardStage;
  let sights: Readonly<Record<string, Sight>>;

  /** A store in the middle of a working day: something waits, runs, failed, died, is paused, and one worker hangs. */
  async function scene(): Promise<void> {
    const { backstage } = stage;
    const { database } = backstage.admin.store;
    const env = { JOBQUEUE_SWEEP_SECONDS: "3600", JOBQUEUE_SLOTS: "4" };
    const gate = backstage.file("reports");
    await configureQueue(database, "mail", { maxRunning: 20, rate: { count: 100, perSeconds: 1 } }, ana);
    for (let n = 0; n < 120; n += 1)
      await backstage.enqueue({
        queue: "mail",
        kind: "mail.welcome",
        payload: { ms: 5 + ((n * 37) % 90) },
        tag: "signup",
      });
    const images: string[] = [];
    for (const file of ["scan-0412.tif", "logo.svg", "photo.heic"])
      images.push(await backstage.enqueue({ queue: "images", kind: "image.resize", payload: { file } }));
    const invoice = await backstage.enqueue({
      queue: "invoices",
      kind: "invoice.render",
      payload: { customer: 4711 },
      uniqueKey: "invoice-2026-4711",
      maxAttempts: 3,
      retry: { intervalsSeconds: [0, 600] },
    });
    const healthy = await backstage.worker("mail,images,invoices,reports", {
      handlers: HANDLERS,
      env: { ...env, JOBQUEUE_LEASE_SECONDS: "600" },
    });
    await stage.until(
      "the mail to be sent",
      "select count(*) from jobqueue.v_jobs where queue = 'mail' and state = 'completed' having count(*) = 120",
    );
    for (const id of images) await backstage.jobIn("dead", id);
    await stage.until(
      "the second attempt",
      "select from jobqueue.v_jobs where id = $1 and state = 'failed' and attempt = 2",
      [invoice],
    );
    // A chart of an hour needs an hour: the mail was sent over it.
    await stage.rows(
      "update jobqueue.job_history set finished_at = finished_at - (id % 58) * interval '1 minute' where queue = 'mail'",
    );
    await hold(database, {
      queue: "mail",
      name: "smtp",
      reason: "SMTP is being replaced",
      actor: ana.actor,
      source: "cli",
      until: new Date(Date.now() + 3_600_000),
    });
    for (let n = 0; n < 14; n += 1)
      await backstage.enqueue({ queue: "mail", kind: "mail.welcome", payload: { ms: 20 }, tag: "signup" });
    for (let n = 0; n < 3; n += 1)
      await backstage.enqueue({ queue: "reports", kind: "report.build", payload: { until: gate.path }, tag: "sales" });
    await stage.until(
      "the reports to run",
      "select count(*) from jobqueue.v_jobs where state = 'running' having count(*) = 3",
    );
    await backstage.enqueue({
      queue: "reports",
      kind: "report.build",
      payload: { until: gate.path },
      delaySeconds: 7200,
    });
    // Nobody sweeps from here on, so that there is something on the page Recovery; its lease is long enough for all that follows.
    healthy.signal("SIGSTOP");
    const lost = await backstage.worker("exports", {
      handlers: HANDLERS,
      env: { ...env, JOBQUEUE_SLOTS: "2" },
    });
    for (let n = 0; n < 2; n += 1)
      await backstage.enqueue({ queue: "exports", kind: "report.build", payload: { until: gate.path } });
    await stage.until(
      "the exports to run",
      "select count(*) from jobqueue.v_jobs where queue = 'exports' and state = 'running' having count(*) = 2",
    );
    await stage.until(
      "the worker to have told what it does",
      "select from jobqueue.v_workers where queues = '{exports}' and slots_busy = 2",
    );
    lost.signal("SIGSTOP");
    await stage.until("its lease to lapse", "select from jobqueue.v_jobs where is_stale");
    await putSchedule(
      database,
      {
        name: "nightly-report",
        queue: "reports",
        kind: "report.build",
        cron: "0 3 * * *",
        timeZone: "Europe/Berlin",
        payload: { until: gate.path },
      },
      ana,
    );
    await putSchedule(
      database,
      { name: "cleanup", queue: "mail", kind: "mail.welcome", cron: "*/15 * * * *", payload: { ms: 5 } },
      ana,
    );
    const [worker] = await stage.rows<{ id: string }>("select id from jobqueue.v_workers where 'mail' = any(queues)");
    sights = {
      queues: {
        place: "#/queues",
        more: 280,
        shows: "SMTP is being replaced",
        onto: async (visitor) => chartsDrawn(visitor),
      },
      queue: {
        place: "#/queues/mail",
        more: 400,
        shows: /It is held by ana@example.com/,
        onto: async (visitor) => chartsDrawn(visitor),
      },
      items: { place: "#/items?sort=-active", shows: "report.build" },
      job: {
        place: `#/jobs/${invoice}`,
        shows: /has no field "vat"/,
        onto: async (visitor) => visitor.sees(/Its attempt 2 of 3 failed/),
      },
      workers: { place: "#/workers", shows: "lapsed" },
      worker: { place: `#/workers/${worker?.id ?? ""}`, shows: "Incarnation" },
      recovery: { place: "#/recovery", shows: "If recovered now, 2 jobs: 2 retried." },
      schedules: {
        place: "#/schedules?cron=0+3+*+*+1-5&zone=Europe%2FBerlin",
        shows: "nightly-report",
        onto: async (visitor) => visitor.sees(/in 1 d|in 2 d|in 3 d/),
      },
      schedule: { place: "#/schedules/nightly-report", shows: "Next ticks" },
      audit: { place: "#/audit", shows: "SMTP is being replaced" },
      pause: {
        place: "#/queues",
        shows: "SMTP is being replaced",
        onto: async (visitor) => {
          await visitor.button("Pause images").click();
          await visitor.dialog.waitFor();
        },
      },
      bulk: {
        place: "#/items?queue=images&state=dead",
        shows: "image.resize",
        onto: async (visitor) => {
          await visitor.button("Retry all that match …").click();
          await visitor.dialog.waitFor();
        },
      },
      "sign-in": {
        place: "#/queues",
        shows: "Live",
        onto: async (visitor) => {
          await visitor.button("Sign out").click();
          await visitor.sees("Sign in to see this.");
        },
      },
    };
    // For the pictures that are kept, a line of depths instead of a dot.
    if (RECORD) await samples(3);
    expect(healthy.isRunning).toBe(true);
  }

  const chartsDrawn = async (visitor: Visitor): Promise<void> =>
    visitor.page.getByRole("img", { name: /^Depth/ }).waitFor();

  /** Waits for so many samples of the depth, with a little more to do from one to the next. */
  async function samples(many: number): Promise<void> {
    const key = await stage.backstage.admin.key("viewer");
    await eventually(
      `${many} samples`,
      async () => {
        const { json } = await stage.backstage.admin.ask("GET", "/api/v1/series?queue=mail", { key });
        const { depth } = json as { depth: { points: unknown[] }[] };
        await stage.backstage.enqueue({ queue: "mail", kind: "mail.welcome", payload: { ms: 20 }, tag: "signup" });
        return (depth[0]?.points.length ?? 0) >= many ? true : undefined;
      },
      { timeoutMs: many * 20_000, everyMs: 5_000 },
    );
  }

  beforeAll(async () => {
    stage = await DashboardStage.start(adminUrl);
    await scene();
    if (RECORD) mkdirSync(IMAGES, { recursive: true });
  }, 400_000);
  afterAll(async () => {
    await stage.clear();
    await stage.close();
  });

  describe.each(Object.entries(EYES))("the dashboard on a %s screen", (name, eyes) => {
    let visitor: Visitor;
    beforeAll(async () => {
      visitor = await stage.visit("#/jobs", "admin", eyes);
    });
    afterAll(async () => visitor.page.close());

    it.each([
      "queues",
      "queue",
      "items",
      "job",
      "workers",
      "worker",
      "recovery",
      "schedules",
      "schedule",
      "audit",
      "pause",
      "bulk",
      "sign-in",
    ])("has the page %s, which axe finds nothing wrong with, and which is no wider than the screen", async (page) => {
      const sight = sights[page] as Sight;
      const { width = 1200, height = 800 } = eyes;
      await visitor.page.setViewportSize({ width, height: height + (sight.more ?? 0) });
      await visitor.go(sight.place);
      await visitor.sees(sight.shows);
      await visitor.freshness("Live");
      await sight.onto?.(visitor);
      expect(await visitor.overflow()).toBeLessThanOrEqual(0);
      expect(await visitor.axe()).toEqual([]);
      if (RECORD) await visitor.picture(join(IMAGES, `dashboard-${page}-${name}.png`));
      expect(visitor.takeComplaints()).toEqual([]);
      await visitor.page.keyboard.press("Escape");
    });
  });
});
