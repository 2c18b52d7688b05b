import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enqueue, hold } from "@jobqueue/store";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { AdminUnderTest } from "../testing/admin-under-test.ts";

/** Reads server-sent events of a response, one at a time. */
async function* eventsOf(response: Response): AsyncGenerator<{ name: string; data: unknown }> {
  let rest = "";
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    rest += Buffer.from(chunk).toString();
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
      const match = /^event: (.*)\ndata: (.*)$/.exec(rest.slice(0, end));
      rest = rest.slice(end + 2);
      if (match) yield { name: match[1] as string, data: JSON.parse(match[2] as string) as unknown };
    }
  }
}

forEachPostgres(({ adminUrl }) => {
  let admin: AdminUnderTest;
  beforeAll(async () => {
    admin = await AdminUnderTest.start(adminUrl);
  });
  afterAll(async () => admin.close());

  const watch = async () => {
    const stop = new AbortController();
    const response = await fetch(`${admin.url}/api/v1/events`, { signal: stop.signal });
    const events = eventsOf(response);
    /** The next event of this name that is as it should be. */
    const until = async <T>(name: string, good: (data: T) => boolean): Promise<T> => {
      for (;;) {
        const { value, done } = await events.next();
        if (done) throw new Error("the stream ended");
        if (value.name === name && good(value.data as T)) return value.data as T;
      }
    };
    return { until, response, stop: () => stop.abort() };
  };
  interface Queues {
    readonly queues: readonly { readonly queue: string; readonly pending: number; readonly paused: boolean }[];
  }

  describe("the live view", () => {
    it("tells at once what is, and then what changes, to everybody who watches", async () => {
      const [first, second] = [await watch(), await watch()];
      expect(first.response.headers.get("content-type")).toContain("text/event-stream");
      await first.until<Queues>("queues", () => true);
      await second.until<Queues>("queues", () => true);
      await enqueue(admin.store.database, { queue: "live", kind: "k" });
      const pending = (n: number) => (seen: Queues) =>
        seen.queues.some(({ queue, pending: have }) => queue === "live" && have === n);
      await first.until("queues", pending(1));
      await second.until("queues", pending(1));
      await hold(admin.store.database, { queue: "live", name: "h", reason: "r", actor: "a", source: "cli" });
      await first.until<Queues>("queues", (seen) => seen.queues.some(({ paused }) => paused));
      const late = await watch();
      await late.until("queues", pending(1));
      for (const stream of [first, second, late]) stream.stop();
    });

    it("needs the right to look, and says how many watch in the metrics", async () => {
      const key = await admin.key("metrics:read");
      expect((await admin.ask("GET", "/api/v1/events", { key })).status).toBe(403);
      const stream = await watch();
      expect((await admin.ask("GET", "/metrics", { key })).text).toMatch(/jobqueue_admin_live_streams [1-9]/);
      stream.stop();
    });
  });
});
