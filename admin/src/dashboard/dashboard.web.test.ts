import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cancelJob, enqueue } from "@jobqueue/store";
import { eventually } from "../../../test/support/eventually.ts";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { AdminUnderTest } from "../testing/admin-under-test.ts";

forEachPostgres(({ adminUrl }) => {
  let admin: AdminUnderTest;
  beforeAll(async () => {
    admin = await AdminUnderTest.start(adminUrl);
  });
  afterAll(async () => admin.close());

  describe("the dashboard", () => {
    it("is a page with a policy that allows only its own files, and no markup from texts (S23)", async () => {
      const page = await fetch(`${admin.url}/`);
      expect(page.status).toBe(200);
      expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
      const policy = page.headers.get("content-security-policy") ?? "";
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("require-trusted-types-for 'script'");
      expect(policy).not.toContain("unsafe");
    });

    it("sends a file again only when it is another one", async () => {
      const first = await fetch(`${admin.url}/dashboard/main.ts`);
      expect(first.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
      const etag = first.headers.get("etag") ?? "";
      const again = await fetch(`${admin.url}/dashboard/main.ts`, { headers: { "if-none-match": etag } });
      expect(again.status).toBe(304);
    });

    it("has no files but its own", async () => {
      for (const path of ["/dashboard/nothing.ts", "/dashboard/..%2fpackage.json", "/dashboard/tsconfig.json"])
        expect((await fetch(admin.url + path)).status).toBe(404);
    });

    it("asks its person itself: a script's refused request does not open the browser's own box", async () => {
      const challenge = async (headers: Record<string, string>) =>
        (await fetch(`${admin.url}/api/v1/audit`, { headers })).headers.get("www-authenticate");
      expect(await challenge({ "sec-fetch-dest": "empty" })).toBe('Bearer realm="jobqueue"');
      expect(await challenge({})).toContain("Basic");
    });
  });

  describe("lists and series that the dashboard shows", () => {
    it("sort items by any column, page by page", async () => {
      const { database } = admin.store;
      for (const kind of ["b", "a", "c"]) await enqueue(database, { queue: "sorted", kind });
      const kinds = async (query: string) => {
        const { json } = await admin.ask("GET", `/api/v1/jobs?queue=sorted&${query}`);
        return (json as { jobs: { kind: string }[] }).jobs.map(({ kind }) => kind);
      };
      expect(await kinds("live=true&sort=kind")).toEqual(["a", "b", "c"]);
      expect(await kinds("live=true&sort=kind&order=desc&limit=2&offset=1")).toEqual(["b", "a"]);
      expect(await kinds("sort=created&order=desc")).toEqual(["c", "a", "b"]);
      expect((await admin.ask("GET", "/api/v1/jobs?sort=kind&after=1")).status).toBe(400);
    });

    it("tell depths as sampled and what ended by minute", async () => {
      const { database } = admin.store;
      const { id } = await enqueue(database, { queue: "charted", kind: "k" });
      await cancelJob(database, id, { actor: "test", reason: "test" });
      // Nobody waits for a store that takes its time: then the answer comes with a later question.
      const ended = await eventually("the history to be read", async () => {
        const { json } = await admin.ask("GET", "/api/v1/series?queue=charted");
        const series = json as { endedAt: string | null; ended: unknown[] };
        return series.endedAt !== null && series.ended.length > 0 ? series.ended : undefined;
      });
      expect(ended).toMatchObject([{ queue: "charted", cancelled: 1, completed: 0, p50Ms: null }]);
    });
  });
});
