/** What holds on every page: who may see it, how it behaves when nothing is there or nothing answers, and the keyboard alone. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { AdminUnderTest } from "../../admin/src/testing/admin-under-test.ts";
import { bundle } from "../../images/bundle.ts";
import { eventually } from "../support/eventually.ts";
import { forNewestPostgres } from "../support/postgres/database.ts";
import { PostgresProxy } from "../support/postgres/proxy.ts";
import { DashboardStage } from "./dashboard-stage.ts";

forNewestPostgres(({ adminUrl }) => {
  let stage: DashboardStage;
  beforeAll(async () => {
    stage = await DashboardStage.start(adminUrl);
  });
  afterAll(async () => stage.close());
  afterEach(async () => stage.clear());

  describe("somebody", () => {
    it("without a key sees nothing, signs in with one, and is forgotten when they sign out (S19)", async () => {
      await stage.backstage.enqueue({ queue: "mail", kind: "quick" });
      const visitor = await stage.stranger("#/items?queue=mail");
      await visitor.sees("Sign in to see this.");
      await visitor.freshness("Not live: not signed in");
      await visitor.button("Sign in").last().click();
      await visitor.dialog.getByLabel("Key or token (required)").fill("jqk_wrong");
      await visitor.dialog.getByRole("button", { name: "Sign in" }).click();
      await visitor.dialog.getByRole("alert").waitFor();
      await visitor.expectComplaint(/status of 401/);
      await visitor.confirm("Sign in", {
        "Key or token (required)": await stage.backstage.admin.key("viewer", "ana"),
      });
      // Where they wanted to go is where they are.
      await visitor.row("quick").waitFor();
      await visitor.sees("key:ana");
      await visitor.freshness("Live");
      await visitor.page.reload();
      await visitor.row("quick").waitFor();
      await visitor.button("Sign out").click();
      await visitor.sees("Sign in to see this.");
      await visitor.page.reload();
      await visitor.sees("Not signed in");
    });

    it("sees only pages and buttons that their key allows", async () => {
      await stage.backstage.enqueue({ queue: "mail", kind: "quick" });
      const viewer = await stage.visit("#/queues", "viewer");
      await viewer.row("mail").waitFor();
      const pages = viewer.page.getByRole("navigation", { name: "Pages of the dashboard" }).getByRole("link");
      expect(await pages.allInnerTexts()).toEqual(["Queues", "Queue items", "Job", "Workers", "Recovery", "Schedules"]);
      expect(await viewer.button(/Pause/).count()).toBe(0);
      await viewer.go("#/audit");
      await viewer.sees(/It needs the scope audit:read/);
      await viewer.go("#/nowhere");
      await viewer.sees("The dashboard has no such page.");
    });

    it("is told on each page what it means that it is empty", async () => {
      const visitor = await stage.visit("#/queues");
      for (const [place, text] of [
        ["#/queues", "No queues yet."],
        ["#/items", "The queues are empty."],
        ["#/workers", "No worker is there."],
        ["#/recovery", "No job is stale."],
        ["#/schedules", "No schedules."],
        ["#/audit?target=nothing", "No event fits."],
      ] as const) {
        await visitor.go(place);
        await visitor.sees(text);
      }
    });

    it("pauses and releases a queue with the keyboard alone, and the focus is never lost", async () => {
      await stage.backstage.enqueue({ queue: "mail", kind: "quick" });
      const visitor = await stage.visit("#/items", "operator");
      const { keyboard } = visitor.page;
      await visitor.row("mail").waitFor();
      await visitor.tabTo("Skip to the page");
      await visitor.tabTo("Queues");
      await keyboard.press("Enter");
      await visitor.row("mail").waitFor();
      // Who goes to a page hears its name first, and is at its beginning.
      expect(await visitor.focused()).toBe("Queues");
      await visitor.tabTo("Pause mail");
      await keyboard.press("Enter");
      await visitor.dialog.waitFor();
      expect(await visitor.focused()).toBe("Why (required)");
      await keyboard.type("SMTP is down");
      await keyboard.press("Tab");
      expect(await visitor.focused()).toBe("For how long");
      await keyboard.type("15");
      await visitor.tabTo("Pause");
      await keyboard.press("Enter");
      await visitor.hears("Paused mail.");
      await visitor.sees(/^14 min/, visitor.row("mail"));
      expect(await visitor.focused()).toBe("Pause mail");
      await keyboard.press("Shift+Tab");
      expect(await visitor.focused()).toBe("Release dashboard of mail");
      // What happens elsewhere meanwhile does not take the focus away.
      await stage.backstage.enqueue({ queue: "mail", kind: "quick" });
      await stage.backstage.enqueue({ queue: "a-first", kind: "quick" });
      await visitor.row("a-first").waitFor();
      expect(await visitor.focused()).toBe("Release dashboard of mail");
      await keyboard.press("Enter");
      await visitor.dialog.waitFor();
      await keyboard.press("Escape");
      await visitor.dialog.waitFor({ state: "detached" });
      expect(await visitor.focused()).toBe("Release dashboard of mail");
      await keyboard.press("Enter");
      await visitor.dialog.waitFor();
      await keyboard.press("Enter");
      await visitor.hears("Released dashboard of mail.");
      await visitor.sees("open", visitor.row("mail"));
    });
  });

  describe("when the store does not answer the dashboard", () => {
    it("says that what is shown is old, and goes on by itself when it is back (D1)", async () => {
      let proxy: PostgresProxy | undefined;
      const admin = await AdminUnderTest.start(adminUrl, ["--anonymous", "viewer"], async (url) => {
        proxy = await PostgresProxy.create(url);
        return proxy.url;
      });
      try {
        const { database } = admin.store;
        await database.query("select jobqueue.ensure_queue('mail')");
        const visitor = await stage.stranger("#/queues", undefined, {}, admin.url);
        await visitor.freshness("Live");
        await visitor.row("mail").waitFor();
        proxy?.cut(true);
        await visitor.freshness("Not fresh: The store does not answer");
        expect(await visitor.row("mail").count()).toBe(1);
        await visitor.go("#/items");
        await visitor.page.getByRole("alert").waitFor();
        proxy?.cut(false);
        await visitor.freshness("Live");
        await database.query("select jobqueue.ensure_queue('reports')");
        await visitor.sees("The queues are empty.");
        await visitor.go("#/queues");
        await visitor.row("reports").waitFor();
        await visitor.expectComplaint(/status of 50[34]/);
        await visitor.page.close();
      } finally {
        proxy?.cut(false);
        await admin.close();
        await proxy?.close();
      }
    });

    it("nor the server: it says so, and keeps what it showed", async () => {
      const admin = await AdminUnderTest.start(adminUrl);
      await admin.store.database.query("select jobqueue.ensure_queue('mail')");
      const visitor = await stage.stranger("#/queues", undefined, {}, admin.url);
      await visitor.freshness("Live");
      await visitor.row("mail").waitFor();
      await admin.close();
      await visitor.freshness("Not live: The admin server does not answer");
      expect(await visitor.row("mail").count()).toBe(1);
      await visitor.expectComplaint(/net::ERR_/);
    });
  });

  it("as the image has it, in one bundle, the dashboard is the same", async () => {
    await stage.backstage.enqueue({ queue: "mail", kind: "quick" });
    const directory = mkdtempSync(join(tmpdir(), "jobqueue-image-"));
    const children: ReturnType<typeof spawn>[] = [];
    try {
      await bundle(directory);
      const server = spawn(
        process.execPath,
        [join(directory, "app/jobqueue.mjs"), "admin", "--listen", "127.0.0.1:0"],
        {
          env: { PATH: process.env["PATH"], DATABASE_URL: stage.backstage.admin.store.url },
          stdio: ["ignore", "pipe", "inherit"],
        },
      );
      children.push(server);
      let output = "";
      server.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
      const url = await eventually("the bundled server to listen", async () => /"url":"([^"]+)"/.exec(output)?.[1]);
      const visitor = await stage.stranger("#/queues", undefined, {}, url);
      await visitor.freshness("Live");
      await visitor.row("mail").waitFor();
      await visitor.go("#/items");
      await visitor.row("quick").waitFor();
    } finally {
      for (const child of children) child.kill("SIGKILL");
      rmSync(directory, { recursive: true });
    }
  });
});
