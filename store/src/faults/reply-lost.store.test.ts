import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { PostgresProxy } from "../../../test/support/postgres/proxy.ts";
import { Database } from "../connection/database.ts";
import { parseStoreUrl } from "../connection/settings.ts";
import { claim } from "../jobs/claim.ts";
import { complete } from "../jobs/complete.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { fail } from "../jobs/fail.ts";
import { getJob } from "../jobs/read-jobs.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  let proxy: PostgresProxy;
  let database: Database;
  let worker: string;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());
  beforeEach(async () => {
    await store.clear();
    worker = await store.worker();
    proxy = await PostgresProxy.create(store.url);
    database = new Database({ connection: parseStoreUrl(proxy.url), applicationName: "reply lost", poolSize: 2 });
  });
  afterEach(async () => {
    await database.close();
    await proxy.close();
  });

  const oneClaimed = async () => {
    const { id } = await enqueue(store.database, { queue: "q", kind: "k" });
    const [job] = await claim(store.database, { workerId: worker, queues: ["q"], max: 1 });
    if (job === undefined) throw new Error("nothing was claimed");
    return { id, job };
  };

  describe("P4: a reply that is lost after the commit", () => {
    it("of an enqueue says that the outcome is unknown, and a repetition with the key says which (G2)", async () => {
      const job = { queue: "q", kind: "k", uniqueKey: "order-1" };
      proxy.loseReplies(".enqueue_many(");
      await expect(enqueue(database, job)).rejects.toMatchObject({ code: "connection_lost", retry: "reconnect" });
      const { outcome, id } = await enqueue(database, job);
      expect(outcome).toBe("duplicate");
      expect(await store.database.query("select id from jobqueue.jobs")).toEqual([{ id }]);
    });

    it("of a completion leaves the job completed; the repetition counts as done and never as a failure (G9)", async () => {
      const { id, job } = await oneClaimed();
      proxy.loseReplies(".complete(");
      await expect(complete(database, [job])).rejects.toMatchObject({ code: "connection_lost" });
      expect((await getJob(store.database, id))?.state).toBe("completed");
      expect(await complete(database, [job])).toEqual([]);
      expect(await getJob(store.database, id)).toMatchObject({ state: "completed", attempt: 1, lastError: null });
    });

    it("of a failure spends one attempt, not two, when it is repeated", async () => {
      const { id, job } = await oneClaimed();
      const failed = [{ ...job, error: "no" }];
      proxy.loseReplies(".fail(");
      await expect(fail(database, failed)).rejects.toMatchObject({ code: "connection_lost" });
      expect(await fail(database, failed)).toEqual([]);
      expect(await getJob(store.database, id)).toMatchObject({ state: "failed", attempt: 1 });
    });

    it("of a claim leaves jobs with a worker that does not know them; its next claim gives them back (G3)", async () => {
      const { id } = await enqueue(store.database, { queue: "q", kind: "k" });
      const request = { workerId: worker, queues: ["q"], max: 1 };
      proxy.loseReplies(".claim");
      await expect(claim(database, request)).rejects.toMatchObject({ code: "connection_lost" });
      expect((await getJob(store.database, id))?.state).toBe("running");
      const [again] = [...(await claim(database, { ...request, heldTokens: [] })), ...(await claim(database, request))];
      expect(again).toMatchObject({ id, attempt: 1 });
      expect(await complete(database, again ? [again] : [])).toEqual([]);
    });
  });
});
