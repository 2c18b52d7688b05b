import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { claim, enqueueMany, putSchedule, registerWorker } from "@jobqueue/store";
import { forNewestPostgres } from "../../test/support/postgres/database.ts";
import type { Route } from "./route.ts";
import { ROUTES } from "./routes.ts";
import type { Fields } from "./schema.ts";
import { AdminUnderTest } from "./testing/admin-under-test.ts";
import { badText, badValue, goodValue, type Known, Random } from "./testing/fuzz.ts";

/** The same requests every time, so that a change is judged by itself; FUZZ_SEED=$RANDOM makes others, FUZZ_REQUESTS more of them. */
const SEED = Number(process.env["FUZZ_SEED"] ?? 7);
const REQUESTS = Number(process.env["FUZZ_REQUESTS"] ?? 40);

interface Made {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly good: boolean;
}

/** One request for a route: good in everything, or bad in one thing or several. */
function make(route: Route, known: Known, random: Random): Made {
  const good = random.next() < 0.4;
  const wrong = (): boolean => !good && random.next() < 0.4;
  const text = (name: string, fields: Fields): string => {
    if (wrong()) return badText(random);
    return encodeURIComponent(String(goodValue(name, fields[name] ?? {}, known, random)));
  };
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => text(name, route.params) || "%20");
  const pairs = Object.keys(route.query)
    .filter(() => random.next() < 0.4)
    .map((name) => `${name}=${text(name, route.query)}`);
  if (wrong()) pairs.push(`${random.pick(["page", "limit", "__proto__", "x[y]", ""])}=${badText(random)}`);
  if (wrong() && pairs[0] !== undefined) pairs.push(pairs[0]);
  let body = route.body && goodValue("", route.body, known, random);
  const [wholeIsWrong, partIsWrong] = [wrong(), wrong()];
  if (route.body && wholeIsWrong) {
    body = random.pick([badValue(random), "{", "[1,", '{"a":1}', '{"reason":"\\ud800"}']);
  } else if (route.body && partIsWrong)
    body = { ...(body as object), [random.pick(Object.keys(body as object).concat("extra"))]: badValue(random) };
  return { method: route.method, path: pairs.length === 0 ? path : `${path}?${pairs.join("&")}`, body, good };
}

forNewestPostgres(({ adminUrl }) => {
  let admin: AdminUnderTest;
  let key: string;
  const known: Record<string, readonly string[]> = {};
  beforeAll(async () => {
    admin = await AdminUnderTest.start(adminUrl);
    key = await admin.key("admin", "fuzzer");
    const { database } = admin.store;
    const queues = ["mailers", "imports"];
    const ids = await enqueueMany(
      database,
      Array.from({ length: 60 }, (_, n) => ({ queue: queues[n % 2] as string, kind: "k", labels: { app_id: "guid" } })),
    );
    const workerId = await registerWorker(database, { bootId: "fuzz", queues });
    await claim(database, { workerId, queues, max: 10 });
    const act = { actor: "a", reason: "r" };
    await putSchedule(database, { name: "nightly", queue: "mailers", kind: "k", cron: "0 3 * * *" }, act);
    Object.assign(known, {
      id: [...ids.map(({ id }) => id), "999999999"],
      ids: ids.map(({ id }) => id),
      queue: [...queues, "nothing"],
      queue_names: queues,
      hold: ["mine"],
      name: ["nightly", "absent"],
      worker: [workerId],
      workers: [workerId],
      guid: ["guid"],
      registry: ["failed_job_registry", "started_job_registry", "other"],
      label: ["app_id=guid"],
      cron: ["0 3 * * *", "*/5 * * * * *"],
      timeZone: ["UTC", "Europe/Berlin"],
    });
  });
  afterAll(async () => admin.close());

  describe("the API under generated requests", () => {
    const tally = new Map<string, number>();
    // A stream has no end to wait for, and no parameters.
    const routes = ROUTES.filter(({ answer }) => answer.contentType !== "text/event-stream");

    it.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
      "%s answers what the document announces, never a 5xx",
      async (name, route) => {
        const random = new Random(SEED + routes.indexOf(route));
        for (let n = 0; n < REQUESTS; n++) {
          const { method, path, body, good } = make(route, known, random);
          // Shape and status are checked by the helper, against the document.
          const answer = await admin.ask(method, path, { key, ...(body !== undefined && { body }) });
          if (answer.status >= 500) {
            throw new Error(
              `seed ${SEED}: ${method} ${path} ${JSON.stringify(body)} answered ${answer.status} ${answer.text}`,
            );
          }
          const bucket = `${good ? "good" : "bad"} ${answer.status}`;
          tally.set(bucket, (tally.get(bucket) ?? 0) + 1);
        }
        expect(name).not.toBe("");
      },
    );

    it("was heard out: good requests were mostly carried out, bad ones mostly refused", () => {
      const sum = (kind: string, from: number, to: number): number =>
        [...tally].reduce((total, [bucket, count]) => {
          const [was, status] = bucket.split(" ");
          return was === kind && Number(status) >= from && Number(status) < to ? total + count : total;
        }, 0);
      const rows = [...tally]
        .toSorted(([a], [b]) => a.localeCompare(b))
        .map(([bucket, count]) => `${bucket}: ${count}`);
      console.log(
        `fuzzer, seed ${SEED}: ${routes.length} routes, ${routes.length * REQUESTS} requests; ${rows.join(", ")}`,
      );
      expect(sum("good", 200, 300)).toBeGreaterThan(sum("good", 400, 500));
      expect(sum("bad", 400, 500)).toBeGreaterThan(sum("bad", 200, 300) / 4);
      expect(sum("bad", 500, 600) + sum("good", 500, 600)).toBe(0);
    });
  });
});
