import { describe, expect, inject, it } from "vitest";
import { oldSnapshots } from "./old-snapshots.ts";
import { openStore } from "./testing/open-store.ts";

describe.each(Object.entries(inject("postgres")))("old snapshots, %s", (_server, adminUrl) => {
  it("names who holds one, since when, and nobody who has let go", async () => {
    const store = await openStore(adminUrl);
    const other = store.connect({ applicationName: "a report" });
    await other.transaction(async (session) => {
      await session.query("set transaction isolation level repeatable read");
      await session.query("select count(*) from jobqueue.jobs");
      const found = (await oldSnapshots(store.database, 0)).find(({ holder }) => holder.includes("a report"));
      expect(found?.holder).toMatch(/^session \d+ \(a report\)$/);
      expect(found?.since).toBeInstanceOf(Date);
      expect(await oldSnapshots(store.database, 10)).toEqual([]);
    });
    expect((await oldSnapshots(store.database, 0)).filter(({ holder }) => holder.includes("a report"))).toEqual([]);
    await store.close();
  });
});
