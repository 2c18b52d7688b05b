/** What goes wrong on the way to the admin API, and there: each in a sentence, with what to do, and with the exit code of the same from a database. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { enqueue } from "@jobqueue/store";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { AdminUnderTest } from "../../../admin/src/testing/admin-under-test.ts";
import { TestAuthority } from "../../../test/support/postgres/certificate.ts";
import { forNewestPostgres } from "../../../test/support/postgres/database.ts";
import { PostgresProxy } from "../../../test/support/postgres/proxy.ts";
import { atTerminal } from "../testing/at-terminal.ts";
import { runJobqueue } from "../testing/run-jobqueue.ts";

forNewestPostgres(({ adminUrl }) => {
  let admin: AdminUnderTest;
  let proxy: PostgresProxy | undefined;
  let directory: string;
  let key: string;
  let id: string;
  const servers: Server[] = [];
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "jobqueue-admin-"));
    admin = await AdminUnderTest.start(adminUrl, ["--auth", "keys"], async (url) => {
      proxy = await PostgresProxy.create(url);
      return proxy.url;
    });
    key = await admin.key("admin", "ana");
    ({ id } = await enqueue(admin.store.database, { queue: "mailers", kind: "welcome", payload: { to: "ana" } }));
  });
  afterAll(async () => {
    await admin.close();
    await proxy?.close();
    rmSync(directory, { recursive: true });
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const listening = async (server: Server): Promise<number> => {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  };
  /** Something that is no admin server, or stands before one. */
  const at = async (listener: RequestListener): Promise<Record<string, string>> => ({
    JOBQUEUE_ADMIN_URL: `http://127.0.0.1:${await listening(createServer(listener))}`,
    JOBQUEUE_API_KEY: key,
  });
  const here = (secret = key): Record<string, string> => ({ JOBQUEUE_ADMIN_URL: admin.url, JOBQUEUE_API_KEY: secret });
  const status = async (env: Record<string, string>, ...flags: string[]) => {
    const { code, failure } = await atTerminal(["status", ...flags], env);
    return { code, failure: failure ?? "" };
  };

  describe("who the key is", () => {
    it("is asked for where there is none, and a wrong one is refused (S19)", async () => {
      const nobody = await status({ JOBQUEUE_ADMIN_URL: admin.url });
      expect(nobody.code).toBe(4);
      expect(nobody.failure).toContain("needs credentials with the scope queues:read");
      expect(nobody.failure).toContain("Put a key into JOBQUEUE_API_KEY");
      const wrong = await status(here("jqk_wrong"));
      expect(wrong).toMatchObject({ code: 4, failure: expect.stringContaining("not valid here") as string });
      expect(wrong.failure).not.toContain("jqk_wrong");
    });

    it("decides what may be done: the scope that is missing is named, and payloads are left out", async () => {
      const viewer = here(await admin.key("viewer", "vic"));
      const refused = await atTerminal(["cancel", "--queue", "mailers", "--yes"], viewer);
      expect(refused).toMatchObject({
        code: 1,
        failure: expect.stringContaining("key:vic lacks the scope jobs:cancel") as string,
      });
      const { code, stdout, stderr } = await atTerminal(["jobs", "-o", "json"], viewer);
      expect({ code, jobs: JSON.parse(stdout()) as unknown }).toMatchObject({ code: 0, jobs: [{ payload: null }] });
      expect(stderr()).toContain("Payloads and results are left out: key:vic lacks the scope payloads:read.");
    });

    it("is read from a file, which is refused in words where it has no key in it, and is never shown", async () => {
      const url = ["--admin-url", admin.url];
      expect(await status({}, ...url, "--api-key-file", file("key", `${key}\n`))).toEqual({ code: 0, failure: "" });
      const process = await runJobqueue(["jobs", ...url, "-o", "name"], {
        env: { JOBQUEUE_API_KEY_FILE: file("key", key) },
      });
      expect(process).toEqual({ code: 0, stdout: `${id}\n`, stderr: "" });
      const two = await status({}, ...url, "--api-key-file", file("two", `${key} ${key}`));
      expect(two).toMatchObject({ code: 2, failure: expect.stringContaining("has no key in it") as string });
      expect(two.failure).not.toContain(key);
      expect((await status({}, ...url, "--api-key-file", join(directory, "none"))).code).toBe(2);
    });
  });

  describe("the way there", () => {
    it("through TLS needs the authority of its certificate, and leads below a proxy's path", async () => {
      const authority = new TestAuthority();
      const { certificate, key: secret } = authority.issue("localhost");
      const { port } = new URL(admin.url);
      const server = createTlsServer({ cert: certificate, key: secret }, (request, response) => {
        const path = (request.url ?? "").replace(/^\/queues/, "");
        const { method, headers } = request;
        const onward = httpRequest({ host: "127.0.0.1", port, path, method, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        });
        request.pipe(onward);
      });
      const url = `https://localhost:${await listening(server)}/queues/`;
      const env = { JOBQUEUE_ADMIN_URL: url, JOBQUEUE_API_KEY: key };
      const stranger = await status(env);
      expect(stranger).toMatchObject({ code: 4, failure: expect.stringContaining("--admin-ca-file") as string });
      const ca = file("ca.pem", authority.certificate);
      expect(await status(env, "--admin-ca-file", ca)).toEqual({ code: 0, failure: "" });
      expect(await status({ ...env, JOBQUEUE_ADMIN_CA_FILE: ca })).toEqual({ code: 0, failure: "" });
      const other = await status(
        { ...env, JOBQUEUE_ADMIN_URL: url.replace("localhost", "127.0.0.1") },
        "--admin-ca-file",
        ca,
      );
      expect(other).toMatchObject({ code: 4, failure: expect.stringContaining("for another name") as string });
    });

    it("that nobody answers on is named, with where it comes from", async () => {
      const { code, failure } = await status({ JOBQUEUE_ADMIN_URL: "http://127.0.0.1:1" });
      expect(code).toBe(4);
      expect(failure).toContain("the admin API at http://127.0.0.1:1: connect ECONNREFUSED");
      expect(failure).toContain("The address comes from JOBQUEUE_ADMIN_URL.");
    });

    it("that leads to something else is told from an admin API; the key follows no redirect", async () => {
      const page = await status(
        await at((_request, response) => void response.writeHead(200, { "content-type": "text/html" }).end("<p>")),
      );
      expect(page).toMatchObject({ code: 4, failure: expect.stringContaining("which no admin API does") as string });
      const sent: string[] = [];
      const elsewhere = await at((request, response) => {
        sent.push(request.url ?? "");
        response.end("{}");
      });
      const moved = await status(
        await at(
          (_request, response) => void response.writeHead(302, { location: elsewhere["JOBQUEUE_ADMIN_URL"] }).end(),
        ),
      );
      expect(moved).toMatchObject({
        code: 4,
        failure: expect.stringContaining("a redirect to http://127.0.0.1") as string,
      });
      expect(sent).toEqual([]);
    });

    it("on which nothing comes back is left after --admin-timeout; of an act it says that it may be done", async () => {
      const silent = await at(() => {});
      const { code, failure } = await status(silent, "--admin-timeout", "1s");
      expect({ code, failure }).toEqual({
        code: 4,
        failure: expect.stringContaining(
          "no answer within 1 s\nTry again, or wait longer with --admin-timeout.",
        ) as string,
      });
      expect(failure).not.toContain("is unknown");
      const act = await atTerminal(["cancel", "4711", "--admin-timeout", "1s"], silent);
      expect(act).toMatchObject({
        code: 4,
        failure: expect.stringContaining(
          "whether what was to be changed was changed is unknown".replace("w", "W"),
        ) as string,
      });
    });

    it("that says to come again says when", async () => {
      const busy = await at(
        (_request, response) =>
          void response
            .writeHead(429, { "content-type": "application/json", "retry-after": "7" })
            .end('{"code":"x","error":"Too many."}'),
      );
      expect(await status(busy)).toMatchObject({
        code: 4,
        failure: expect.stringMatching(/Too many\.\nTry again in 7 s\./) as string,
      });
    });
  });

  it("a store that does not answer the admin server is said to be that", async () => {
    proxy?.cut(true);
    try {
      const { code, failure } = await status(here());
      expect({ code, failure }).toMatchObject({
        code: 4,
        failure: expect.stringMatching(/The store (?:does not answer|took too long)/) as string,
      });
    } finally {
      proxy?.cut(false);
    }
  });

  it("a question that the server does not take is a wrong command line, in the server's words", async () => {
    const { code, failure } = await atTerminal(["jobs", "--queue", "No Queue"], here());
    expect({ code, failure }).toMatchObject({
      code: 2,
      failure: expect.stringContaining("names of queues have lower-case letters") as string,
    });
  });
});
