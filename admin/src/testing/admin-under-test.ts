import { createApiKey } from "@jobqueue/store";
import { pino } from "pino";
import { openStore, type StoreUnderTest } from "../../../store/src/testing/open-store.ts";
import { newApiKey } from "../auth/api-keys.ts";
import { readScopes } from "../auth/scopes.ts";
import { parseConfig } from "../config.ts";
import { AdminServer } from "../server.ts";
import { checkAnswer } from "./check-answer.ts";

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown;
}

/** A request in short. `key`: an API key; absent: no credentials. */
export interface Ask {
  readonly key?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A real admin server on a store of a test's own. Every answer is held to the OpenAPI document. */
export class AdminUnderTest {
  readonly store: StoreUnderTest;
  readonly server: AdminServer;

  private constructor(store: StoreUnderTest, server: AdminServer) {
    this.store = store;
    this.server = server;
  }

  /** Starts one; `argv` are flags of `jobqueue admin`, `through` puts something between it and the store. */
  static async start(
    adminUrl: string,
    argv: readonly string[] = [],
    through: (storeUrl: string) => Promise<string> = async (storeUrl) => storeUrl,
  ): Promise<AdminUnderTest> {
    const store = await openStore(adminUrl);
    const storeUrl = await through(store.url);
    const parsed = parseConfig(["--store-url", storeUrl, "--listen", "127.0.0.1:0", ...argv], {});
    if (!parsed.ok) throw new Error(parsed.problems.join("; "));
    const log = pino({ level: process.env["TEST_LOG"] ?? "silent" });
    const server = new AdminServer({ config: parsed.config, log, env: {} });
    try {
      await server.start();
    } catch (error) {
      await store.close();
      throw error;
    }
    return new AdminUnderTest(store, server);
  }

  get url(): string {
    return this.server.url;
  }

  /** A key with these scopes and roles, separated by commas. */
  async key(scopes: string, name: string = crypto.randomUUID()): Promise<string> {
    const { key, hash } = newApiKey();
    const act = { actor: "test", reason: "test" };
    await createApiKey(this.store.database, { name, hash, scopes: readScopes(scopes) }, act);
    return key;
  }

  /** Sends a request as it stands. */
  async ask(method: string, path: string, { key, body, headers = {} }: Ask = {}): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json: unknown = response.headers.get("content-type")?.startsWith("application/json")
      ? JSON.parse(text)
      : undefined;
    checkAnswer(method, path, response.status, json);
    return { status: response.status, headers: response.headers, text, json };
  }

  async close(): Promise<void> {
    await this.server.stop();
    await this.store.close();
  }
}
