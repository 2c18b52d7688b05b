import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Browser, BrowserContext, CDPSession, Locator, Page } from "playwright-core";
import { eventually } from "../eventually.ts";

/** How somebody looks at a page. */
export interface Eyes {
  readonly scheme?: "light" | "dark";
  /** Of the window, pixels. */
  readonly width?: number;
  readonly height?: number;
}

/** What the browser says when it refuses something, which pages must not make it do. */
const REPORT_REFUSALS = `addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile, lineNumber }) => {
  console.error("refused by policy: " + violatedDirective + " " + blockedURI + " at " + sourceFile + ":" + lineNumber);
})`;

/** Where the dashboard keeps its key, by design in this tab only. */
const withKey = (key: string): string => `sessionStorage.setItem("jobqueue-api-key", ${JSON.stringify(key)})`;

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Somebody at a tab of a real browser. Everything the browser complains about is kept: a test asserts that there is nothing. */
export class Visitor {
  readonly page: Page;
  readonly #context: BrowserContext;
  readonly #complaints: string[] = [];
  #inspector: CDPSession | undefined;

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    page.setDefaultTimeout(60_000);
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.#complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.#complaints.push(`uncaught: ${error.message}`));
    page.on("dialog", (dialog) => {
      this.#complaints.push(`a box of the browser: ${dialog.message()}`);
      void dialog.dismiss();
    });
  }

  /** Opens a tab at an address; `key`: signed in with it. */
  static async at(browser: Browser, url: string, key: string | undefined, eyes: Eyes = {}): Promise<Visitor> {
    const { scheme = "light", width = 1280, height = 800 } = eyes;
    const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height }, timezoneId: "UTC" });
    await context.addInitScript(REPORT_REFUSALS);
    if (key !== undefined) await context.addInitScript(withKey(key));
    const visitor = new Visitor(context, await context.newPage());
    await visitor.page.goto(url);
    return visitor;
  }

  /** Goes to a place of the dashboard: `#/items?queue=mail`. */
  async go(place: string): Promise<void> {
    await this.page.goto(new URL(place, this.page.url()).href);
  }

  /** Waits until the address bar says this place. */
  async isAt(place: string): Promise<void> {
    await eventually(`the address to be ${place}`, async () =>
      (await this.#evaluate<string>("location.hash")) === place ? true : undefined,
    );
  }

  /** Waits until a text is there to be seen. */
  async sees(text: string | RegExp, within: Locator = this.page.locator("body")): Promise<void> {
    await within.getByText(text).filter({ visible: true }).first().waitFor();
  }

  /** The row of a table that has a text in it. */
  row(text: string | RegExp): Locator {
    return this.page.locator("tbody tr").filter({ hasText: text });
  }

  /** The row of a job, worker or queue, by its id or name. */
  rowOf(id: string): Locator {
    return this.page.locator(`tbody tr[data-key="${id}"]`);
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole("button", { name, ...(typeof name === "string" && { exact: true }) });
  }

  get dialog(): Locator {
    return this.page.locator("dialog[open]");
  }

  /** Fills in the dialog that is open, and presses its button; waits until it is gone. */
  async confirm(action: string, values: Readonly<Record<string, string>> = {}): Promise<void> {
    for (const [label, value] of Object.entries(values)) {
      const field = this.dialog.getByLabel(label);
      if ((await field.and(this.page.locator("select")).count()) > 0) await field.selectOption({ label: value });
      else await field.fill(value);
    }
    await this.dialog.getByRole("button", { name: action, exact: true }).click();
    await this.dialog.waitFor({ state: "detached" });
  }

  /** Waits until the page tells of what happened. */
  async hears(text: string | RegExp): Promise<void> {
    await this.page.locator("#said").filter({ hasText: text }).waitFor();
  }

  /** Waits until the header says how fresh it is. */
  async freshness(text: string | RegExp): Promise<void> {
    await this.page.locator("#freshness").filter({ hasText: text }).waitFor();
  }

  /** The name of what has the focus: its label for a screen reader, or its text. */
  async focused(): Promise<string> {
    return this.#evaluate<string>(
      `(element => element?.getAttribute("aria-label") ?? element?.labels?.[0]?.textContent ?? element?.textContent ?? "")(document.activeElement)`,
    );
  }

  /** Presses Tab until something has the focus, as somebody without a mouse does. */
  async tabTo(name: string | RegExp): Promise<void> {
    const seen: string[] = [];
    for (let presses = 0; presses < 150; presses += 1) {
      await this.page.keyboard.press("Tab");
      const focused = await this.focused();
      if (typeof name === "string" ? focused === name : name.test(focused)) return;
      seen.push(focused);
    }
    throw new Error(`Tab does not lead to ${String(name)}; it led to ${seen.join(" | ")}`);
  }

  /** How many pixels the page is wider than the window: 0 is right. */
  async overflow(): Promise<number> {
    return this.#evaluate<number>("document.scrollingElement.scrollWidth - innerWidth");
  }

  /** What axe finds wrong, in words; its rules of WCAG 2.2 A and AA and its best practices. */
  async axe(): Promise<readonly string[]> {
    const before = this.#complaints.length;
    if ((await this.#evaluate<string>("typeof axe")) === "undefined") await this.#evaluate(`${AXE}; 0`);
    const { violations } = await this.#evaluate<Pick<AxeResults, "violations">>(
      "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => ({ violations }))",
    );
    // What axe itself is refused is not the page's doing.
    this.#complaints.length = before;
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html.slice(0, 200)} (${failureSummary ?? ""})`),
    );
  }

  /** Takes a picture of what the window shows. */
  async picture(path: string): Promise<void> {
    // Playwright hides the caret with a style of its own, which the page's policy rightly refuses.
    await this.page.screenshot({ path, caret: "initial", animations: "allow" });
  }

  /** What the browser complained about so far; then forgets it. */
  takeComplaints(): readonly string[] {
    return this.#complaints.splice(0);
  }

  /** Waits for a complaint that a test makes happen, and forgets it. */
  async expectComplaint(pattern: RegExp): Promise<void> {
    await eventually(`the browser to complain about ${String(pattern)}`, async () =>
      this.#complaints.some((text) => pattern.test(text)) ? true : undefined,
    );
    const others = this.#complaints.filter((text) => !pattern.test(text));
    this.#complaints.splice(0, this.#complaints.length, ...others);
  }

  async close(): Promise<void> {
    await this.#context.close();
  }

  /** Evaluates in the page without what its policy refuses to scripts (eval). */
  async #evaluate<T>(expression: string): Promise<T> {
    this.#inspector ??= await this.#context.newCDPSession(this.page);
    const { result, exceptionDetails } = await this.#inspector.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value as T;
  }
}
