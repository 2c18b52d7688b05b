import type { Browser } from "playwright-core";
import { ContractStage } from "../contracts/contract-stage.ts";
import { startChromium } from "../support/browser/chromium.ts";
import { type Eyes, Visitor } from "../support/browser/visitor.ts";
import { eventually } from "../support/eventually.ts";

/** A real admin server on a real store, real worker processes, and people at a real browser. */
export class DashboardStage {
  /** Server, store and workers. */
  readonly backstage: ContractStage;
  readonly #browser: Browser;
  readonly #visitors: Visitor[] = [];

  private constructor(backstage: ContractStage, browser: Browser) {
    this.backstage = backstage;
    this.#browser = browser;
  }

  static async start(adminUrl: string): Promise<DashboardStage> {
    const [backstage, browser] = await Promise.all([ContractStage.start(adminUrl), startChromium()]);
    return new DashboardStage(backstage, browser);
  }

  /** Somebody with these scopes opens a place of the dashboard. */
  async visit(place: string, scopes = "admin", eyes: Eyes = {}): Promise<Visitor> {
    const name = `${scopes.split(",")[0] ?? ""}-${crypto.randomUUID().slice(0, 8)}`;
    return this.stranger(place, await this.backstage.admin.key(scopes, name), eyes);
  }

  /** Somebody opens a place, with a key or without one. */
  async stranger(place: string, key?: string, eyes?: Eyes, url = this.backstage.admin.url): Promise<Visitor> {
    const visitor = await Visitor.at(this.#browser, `${url}/${place}`, key, eyes);
    this.#visitors.push(visitor);
    return visitor;
  }

  /** Rows of the store. */
  async rows<T extends object>(sql: string, values: readonly unknown[] = []): Promise<T[]> {
    return this.backstage.admin.store.database.query<T>(sql, [...values]);
  }

  /** Waits until the store says so. */
  async until(what: string, sql: string, values: readonly unknown[] = []): Promise<void> {
    await eventually(what, async () => ((await this.rows(sql, values)).length > 0 ? true : undefined));
  }

  /** Audit events, the oldest first. */
  async audit(): Promise<{ action: string; target: string; actor: string; reason: string; count: number }[]> {
    return this.rows(
      "select action, target, actor, reason, count::float8 as count from jobqueue.v_audit_events where action <> 'create_api_key' order by id",
    );
  }

  /** Everybody leaves, and nobody's browser has complained. Workers end, and the store is empty again. */
  async clear(): Promise<void> {
    const visitors = this.#visitors.splice(0);
    const complaints = visitors.flatMap((visitor) => visitor.takeComplaints());
    await Promise.all(visitors.map(async (visitor) => visitor.close()));
    await this.backstage.clear();
    if (complaints.length > 0) throw new Error(`the browser complained:\n${complaints.join("\n")}`);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.backstage.close();
  }
}
