import { createHash } from "node:crypto";
import { readFileSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { Stage } from "./testing/stage.ts";
import { LONG_LEASE } from "./testing/worker-process.ts";

const [adminUrl] = Object.values(inject("postgres")).slice(-1) as [string];
const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The files that a page shows: fenced blocks with `file=name` behind the language. */
function filesOf(page: string): { readonly name: string; readonly text: string }[] {
  const blocks = readFileSync(root(page), "utf8").matchAll(/^```\w+ file=(\S+)\n([\s\S]*?)^```$/gm);
  return [...blocks].map(([, name = "", text = ""]) => ({ name, text }));
}

describe("docs/guides/handlers.md", () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.create(adminUrl);
    for (const { name, text } of filesOf("docs/guides/handlers.md")) stage.write(name, text);
    symlinkSync(root("node_modules"), stage.path("node_modules"));
    await stage.database.query("create table accounts (name text primary key, balance int not null)");
    await stage.database.query("insert into accounts values ('alice', 5)");
  });
  afterEach(async () => {
    await stage.end();
  });

  it("its functions do what it says", async () => {
    await stage.worker({ handlers: stage.path("handlers.ts"), env: LONG_LEASE });
    const retry = { maxAttempts: 3 };
    const [count, nobody, send, later, book, report] = await stage.enqueue(
      { kind: "words.count", payload: { texts: ["one two", " three "] } },
      { kind: "invoice.send", payload: { customer: "nobody" }, ...retry },
      { kind: "invoice.send", payload: { customer: "alice@example.org" }, ...retry },
      {
        kind: "invoice.send",
        payload: { customer: "bob@example.org", notBefore: new Date(Date.now() + 1_500).toISOString() },
        ...retry,
      },
      { kind: "payment.book", payload: { account: "alice", amount: 7 } },
      { kind: "report.build", payload: { months: ["may", "june"] } },
    );
    expect(await stage.jobIn("completed", count)).toMatchObject({ result: { words: 3 }, progress: { done: 2, of: 2 } });
    expect(await stage.jobIn("dead", nobody)).toMatchObject({ attempt: 1 });
    const messageId = createHash("sha256").update(String(send)).digest("hex");
    expect(await stage.jobIn("completed", send)).toMatchObject({ attempt: 2, result: { messageId } });
    expect(await stage.jobIn("completed", later)).toMatchObject({ attempt: 2 });
    expect(await stage.jobIn("completed", book)).toMatchObject({ result: { booked: 7 } });
    expect(await stage.database.query("select * from accounts")).toEqual([{ name: "alice", balance: 12 }]);
    const { result } = await stage.jobIn("completed", report);
    for (const part of (result as { parts: string[] }).parts) {
      expect(await stage.jobIn("completed", part)).toMatchObject({ result: { words: 1 } });
    }
  });

  it("its programs do what it says", async () => {
    await stage.worker({ handlers: stage.path("handlers.yaml"), env: { ...LONG_LEASE, REGION: "eu" } });
    stage.write("document", "abc");
    const [checksum, missing, thumbnail] = await stage.enqueue(
      { kind: "document.checksum", payload: { path: stage.path("document") } },
      { kind: "document.checksum", payload: { path: stage.path("missing") } },
      { kind: "thumbnail.make", payload: { n: 1 } },
    );
    expect(await stage.jobIn("completed", checksum)).toMatchObject({
      exitCode: 0,
      result: { sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    });
    const dead = await stage.jobIn("dead", missing);
    expect(dead).toMatchObject({ attempt: 1, exitCode: 66 });
    expect(dead.lastError).toContain("No such file or directory");
    expect(await stage.jobIn("completed", thumbnail)).toMatchObject({ result: { bytes: 7, region: "eu" } });
  });
});

describe("the workers of docs/guides/examples", () => {
  it.each(["worker.py", "worker.sh"])("%s has fewer than 60 lines", (name) => {
    expect(
      readFileSync(root(`docs/guides/examples/${name}`), "utf8")
        .trimEnd()
        .split("\n").length,
    ).toBeLessThan(60);
  });
});
