import { request as httpRequest } from "node:http";
import { createConnection } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createApiKey, enqueue, listAuditEvents, revokeApiKey } from "@jobqueue/store";
import { eventually } from "../../test/support/eventually.ts";
import { forNewestPostgres } from "../../test/support/postgres/database.ts";
import { PostgresProxy } from "../../test/support/postgres/proxy.ts";
import { newApiKey } from "./auth/api-keys.ts";
import { ROUTES } from "./routes.ts";
import { AdminUnderTest } from "./testing/admin-under-test.ts";

/** Sends raw bytes and returns what comes back until the server closes. */
async function raw(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: hostname, port: Number(port) }, () => socket.write(bytes));
    let got = "";
    socket.on("data", (chunk) => (got += chunk.toString()));
    socket.on("end", () => {
      resolve(got);
    });
    socket.on("error", reject);
  });
}

forNewestPostgres(({ adminUrl }) => {
  let admin: AdminUnderTest;
  let key: string;
  beforeAll(async () => {
    admin = await AdminUnderTest.start(adminUrl);
    key = await admin.key("admin", "ana");
  });
  afterAll(async () => admin.close());
  beforeEach(async () => admin.store.clear());

  describe("credentials", () => {
    it("a key is taken as Key, Bearer and Basic password alike", async () => {
      const basic = `Basic ${Buffer.from(`admin:${key}`).toString("base64")}`;
      for (const authorization of [`Key ${key}`, `Bearer ${key}`, basic]) {
        const { json } = await admin.ask("GET", "/api/v1/whoami", { headers: { authorization } });
        expect(json).toMatchObject({ actor: "key:ana" });
      }
    });

    it("that are wrong are refused, even where none are needed, and say what is taken", async () => {
      const wrong = await admin.ask("GET", "/livez", { key: "jqk_wrong" });
      expect(wrong).toMatchObject({ status: 401, json: { code: "unauthorized" } });
      expect(wrong.headers.get("www-authenticate")).toContain("Basic");
      expect((await admin.ask("GET", "/api/v1/queues", { key: "a-token-of-some-cluster" })).status).toBe(401);
    });

    it("that are wrong twenty times in a minute make strangers of that address wait, but nobody who is known (S19)", async () => {
      const other = await AdminUnderTest.start(adminUrl);
      try {
        const [known, stranger] = [await other.key("viewer"), await other.key("viewer")];
        const ask = async (secret: string) => other.ask("GET", "/api/v1/queues", { key: secret });
        expect((await ask(known)).status).toBe(200);
        for (let n = 0; n < 20; n += 1) expect((await ask(`jqk_wrong${n}`)).status).toBe(401);
        const refused = await ask(stranger);
        expect(refused).toMatchObject({ status: 429, json: { code: "too_many_requests" } });
        expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
        expect((await ask(known)).status).toBe(200);
        expect((await other.ask("GET", "/api/v1/queues")).status).toBe(200);
      } finally {
        await other.close();
      }
    });

    it("revoked or expired open nothing from the next request on", async () => {
      const mine = await admin.key("viewer", "leaver");
      expect((await admin.ask("GET", "/api/v1/queues", { key: mine })).status).toBe(200);
      await revokeApiKey(admin.store.database, "leaver", { actor: "test", reason: "left" });
      expect((await admin.ask("GET", "/api/v1/queues", { key: mine })).status).toBe(401);
      const { key: late, hash } = newApiKey();
      const act = { actor: "test", reason: "test" };
      await createApiKey(
        admin.store.database,
        { name: "late", hash, scopes: ["queues:read"], expiresAt: "2999-01-01T00:00:00Z" },
        act,
      );
      await admin.store.database.query(
        "update jobqueue.api_keys set expires_at = clock_timestamp() where name = 'late'",
      );
      expect((await admin.ask("GET", "/api/v1/queues", { key: late })).status).toBe(401);
    });

    it("on a loopback address are not needed to look, but to change or to see what is hidden", async () => {
      const { id } = await enqueue(admin.store.database, { queue: "q", kind: "k" });
      expect((await admin.ask("GET", `/api/v1/jobs/${id}`)).status).toBe(200);
      expect((await admin.ask("GET", `/api/v1/jobs/${id}/payload`)).status).toBe(401);
      expect((await admin.ask("DELETE", `/api/v1/jobs/${id}`)).status).toBe(401);
      expect(await listAuditEvents(admin.store.database)).toEqual([]);
    });

    it("of a proxy are not believed", async () => {
      const headers = { "x-forwarded-user": "root", "x-remote-user": "root", "x-forwarded-for": "127.0.0.1" };
      expect((await admin.ask("GET", "/api/v1/whoami", { headers })).json).toMatchObject({ actor: "anonymous" });
    });
  });

  describe("a request", () => {
    it("of another site is not carried out, whatever credentials the browser adds (S22)", async () => {
      const headers = {
        "sec-fetch-site": "cross-site",
        authorization: `Basic ${Buffer.from(`a:${key}`).toString("base64")}`,
      };
      const body = { queue: "q", kind: "k" };
      expect((await admin.ask("POST", "/api/v1/jobs", { headers, body })).status).toBe(403);
    });

    it("under a foreign name is refused on a loopback address (DNS rebinding)", async () => {
      const { hostname, port } = new URL(admin.url);
      const status = await new Promise((resolve, reject) => {
        httpRequest({ hostname, port, path: "/api/v1/queues", headers: { host: "evil.example" } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        })
          .on("error", reject)
          .end();
      });
      expect(status).toBe(403);
    });

    it.each([
      ["GET", "/api/v1/jobs?page=-1", "There is no parameter"],
      ["GET", "/api/v1/jobs?limit=1000000000", "from 1 to 1000"],
      ["GET", "/api/v1/jobs?limit=1e3", "from 1 to 1000"],
      ["GET", "/api/v1/jobs?state=RUNNING'--", "write one of deferred, scheduled, pending"],
      ["GET", "/api/v1/jobs?state=dead&state=running", "more than once"],
      ["GET", "/api/v1/jobs?after=9007199254740993000", "1,18"],
      ["GET", "/api/v1/jobs?label=x", "NAME=VALUE"],
      ["GET", `/api/v1/jobs?${Array.from({ length: 40 }, () => "label=a=b").join("&")}`, "at most 32"],
      ["GET", "/api/v1/jobs?stale=yes", "true or false"],
      ["GET", "/api/v1/jobs?queue=%00", "characters|lower-case"],
      ["GET", "/api/v1/jobs/abc", "whole numbers"],
      ["GET", "/api/v1/jobs/-1", "whole numbers"],
      ["GET", "/api/v1/jobs/1e3", "whole numbers"],
      ["GET", "/api/v1/queues/%2e%2e%2f", "lower-case"],
      ["GET", "/api/v1/queues/%F0%9F%92%A9", "lower-case"],
      ["GET", `/api/v1/queues/${"a".repeat(64)}`, "64 characters"],
      ["GET", "/api/v1/queues/%zz", "cannot be decoded"],
    ])("%s %s is a 400 that says what is allowed", async (method, path, words) => {
      const { status, json } = await admin.ask(method, path, { key });
      expect({ status, json }).toMatchObject({ status: 400, json: { code: "bad_request" } });
      expect((json as { error: string }).error).toMatch(new RegExp(words));
    });

    it.each([
      [{}, "queue is missing"],
      [{ queue: "q", kind: "k", priority: "1" }, "priority"],
      [{ queue: "q", kind: "k", prio: 1 }, 'no field "prio"'],
      [{ queue: "q", kind: "k", onWorkerLoss: "explode" }, "one of retry, fail, hold"],
      [{ queue: "q", kind: "k", runAt: "tomorrow" }, "runAt"],
      [{ queue: "q", kind: "k", runAt: "2030-01-01T00:00:00Z", delaySeconds: 5 }, "run_at|delay"],
      [{ queue: "q", kind: "k", payload: "a\0b" }, "payload"],
      [
        { queue: "q", kind: "k", payload: { deep: JSON.parse("[".repeat(600) + "]".repeat(600)) as unknown } },
        "payload",
      ],
      ["{", "no JSON"],
      ["[]", "object"],
      ["null", "object|missing"],
      ["", "no JSON|empty"],
    ])("with the body %j is a 400 that says what is allowed", async (body, words) => {
      const { status, json } = await admin.ask("POST", "/api/v1/jobs", {
        key,
        body,
        headers: { "content-type": "application/json" },
      });
      expect({ status, json }).toMatchObject({ status: 400, json: { code: "bad_request" } });
      expect((json as { error: string }).error).toMatch(new RegExp(words));
    });

    it("that is too large, of another type, or for nothing is refused in the same shape", async () => {
      const large = { queue: "q", kind: "k", payload: "x".repeat(3_000_000) };
      expect(await admin.ask("POST", "/api/v1/jobs", { key, body: large })).toMatchObject({
        status: 413,
        json: { code: "too_large" },
      });
      const xml = { key, body: "<job/>", headers: { "content-type": "application/xml" } };
      expect(await admin.ask("POST", "/api/v1/jobs", xml)).toMatchObject({ status: 415 });
      expect(await admin.ask("GET", "/nothing", { key })).toMatchObject({ status: 404, json: { code: "not_found" } });
      const patch = await admin.ask("PATCH", "/api/v1/jobs", { key });
      expect(patch).toMatchObject({ status: 405, json: { allowed: ["GET", "POST"] } });
      expect(patch.headers.get("allow")).toBe("GET, POST");
    });

    it("may leave an optional body out while it says that it sends JSON", async () => {
      const headers = { "content-type": "application/json" };
      expect((await admin.ask("POST", "/api/v1/recovery", { key, headers, body: "" })).json).toEqual({
        dryRun: false,
        jobs: [],
      });
    });

    it("with two Authorization headers is refused", async () => {
      const head = `GET /api/v1/queues HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Key ${key}\r\nAuthorization: Key ${key}\r\n\r\n`;
      expect(await raw(admin.url, head)).toContain("401 Unauthorized");
    });

    it("D3: of a stranger may send no body", async () => {
      const head =
        "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n";
      expect(await raw(admin.url, head)).toContain("401 Unauthorized");
    });
  });

  it("every answer forbids to be guessed, framed and kept", async () => {
    for (const path of ["/api/v1/queues", "/nothing", "/livez"]) {
      const { headers } = await admin.ask("GET", path);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(headers.get("cache-control")).toBe("no-store");
    }
  });

  it("the document is OpenAPI 3.1 and names every route once", async () => {
    const document = (await admin.ask("GET", "/openapi.json")).json as {
      openapi: string;
      paths: Record<string, Record<string, { operationId: string }>>;
    };
    expect(document.openapi).toBe("3.1.0");
    const operations = Object.values(document.paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    expect(operations.toSorted()).toEqual(ROUTES.map(({ id }) => id).toSorted());
    expect(new Set(operations).size).toBe(operations.length);
  });

  it("D1: stays up and says so while the store is away, and goes on when it is back", async () => {
    let proxy: PostgresProxy | undefined;
    const far = await AdminUnderTest.start(adminUrl, [], async (storeUrl) => {
      proxy = await PostgresProxy.create(storeUrl);
      return proxy.url;
    });
    try {
      expect((await far.ask("GET", "/readyz")).status).toBe(200);
      proxy?.retarget("postgres://127.0.0.1:1/nothing");
      proxy?.reset();
      expect((await far.ask("GET", "/livez")).status).toBe(200);
      expect((await far.ask("GET", "/readyz")).status).toBe(503);
      expect(await far.ask("GET", "/api/v1/jobs")).toMatchObject({ status: 503, json: { code: "unavailable" } });
      proxy?.retarget(far.store.url);
      await eventually("the server to be ready again", async () =>
        (await far.ask("GET", "/readyz")).status === 200 ? true : undefined,
      );
      expect((await far.ask("GET", "/api/v1/jobs")).status).toBe(200);
    } finally {
      await far.close();
      await proxy?.close();
    }
  });
});
