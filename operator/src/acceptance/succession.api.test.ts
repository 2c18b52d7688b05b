import { listAuditEvents, listHolds, type Database } from "@jobqueue/store";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { PostgresProxy } from "../../../test/support/postgres/proxy.ts";
import { waitFor } from "../../../test/cluster/wait-for.ts";
import { ClusterUnderTest, openStore } from "../testing/cluster-under-test.ts";
import { LONG_LEASE_TIMES } from "../testing/times.ts";
import { spawnOperator, type OperatorProcess } from "../testing/spawn-operator.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

describe("O2: a leader that is stopped past its Lease, succeeded, and woken", () => {
  let cluster: ClusterUnderTest;
  let database: TestDatabase;
  let proxy: PostgresProxy;
  let store: Database;
  let old: OperatorProcess | undefined;

  beforeAll(async () => {
    cluster = await ClusterUnderTest.create("succession");
    database = await createTestDatabase(adminUrl);
    proxy = await PostgresProxy.create(database.url);
    store = openStore(database.url);
    await cluster.secret("default", proxy.url);
    // Patient: a leader that wakes would else give up its connections before it has sent what it decided.
    await cluster.jobStore("default", { statementTimeoutSeconds: 120 });
  });

  afterEach(async () => {
    proxy.onSent = undefined;
    await old?.end();
    await cluster.stop();
  });

  afterAll(async () => {
    await proxy.close();
    await store.close();
    await database.drop();
  });

  /** Pauses a queue; stops the leader with that decision on its way, lets another one take over, and wakes the first. */
  async function overtake(queue: string, statement: string): Promise<readonly string[]> {
    // What a new leader does last of all: then the next transaction is that of the pause.
    const { promise: settled, resolve: settle } = Promise.withResolvers<void>();
    proxy.onSent = (sent, connection): "pass" => {
      if (sent.includes(".maintain(")) void connection.served().then(settle);
      return "pass";
    };
    const first = spawnOperator(cluster.kubeconfig, cluster.namespace, `first-${queue}`);
    old = first;
    await cluster.jobQueue(queue, {});
    await cluster.condition(`jobqueues/${queue}`, "Ready", "True");
    await settled;
    const { promise: onItsWay, resolve: send } = Promise.withResolvers<void>();
    const { promise: arrival, resolve: arrive } = Promise.withResolvers<void>();
    let holding = false;
    proxy.onSent = async (sent): Promise<"pass"> => {
      if (!holding && sent.includes(statement)) {
        holding = true;
        send();
        await arrival;
      }
      return "pass";
    };
    await cluster.jobQueue(queue, { state: "Paused", pauseReason: "nightly" });
    await onItsWay;
    first.kill("SIGSTOP");
    await cluster.jobQueue(queue, { state: "Active" });
    await cluster.operator({ identity: `second-${queue}`, leaseTimes: LONG_LEASE_TIMES });
    await waitFor(
      "the successor to have seen the spec",
      async () => {
        const { observedGeneration } = await cluster.status(queue);
        const { metadata } = await cluster.api.get(cluster.path(`jobqueues/${queue}`));
        return observedGeneration === metadata["generation"];
      },
      { timeoutMs: 60_000 }, // the Lease expires first
    );
    const [leader] = await store.query<{ holder: string }>("select holder from jobqueue.v_leaders");
    expect(leader?.holder).toBe(`second-${queue}`);
    expect(await listHolds(store, queue)).toEqual([]);
    arrive();
    first.kill("SIGCONT");
    await first.log.first((message) => message === "the controllers have ended");
    return (await listAuditEvents(store, { target: queue })).map(({ action }) => action);
  }

  it.each([
    ["before it has said anything to the store", "begin", "begin isolation level"],
    ["before it has proved its term", "proof", ".assert_term("],
    ["between its proof and its write", "write", ".hold("],
  ])(
    "writes nothing, if it was stopped %s",
    async (_when, queue, statement) => {
      expect(await overtake(queue, statement)).not.toContain("hold");
      expect(await listHolds(store, queue)).toEqual([]);
      await cluster.condition(`jobqueues/${queue}`, "Paused", "False", "Active");
    },
    120_000,
  );

  it("would write, if the store did not ask for its term: what is shown above is the proof's doing", async () => {
    const [{ body } = { body: "" }] = await store.query<{ body: string }>(
      "select pg_get_functiondef('jobqueue.assert_term'::regproc) as body",
    );
    await store.query(body.replace("if not found", "if false"));
    expect(await overtake("unfenced", "begin isolation level")).toContain("hold");
    await store.query(body);
  }, 120_000);
});
