import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { Database, migrate, parseStoreUrl } from "@jobqueue/store";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { PostgresServer } from "../../../test/support/postgres/server.ts";
import { ClusterUnderTest, openStore, workersSpec } from "../testing/cluster-under-test.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

/** From now on the server asks for passwords, as a real one does. */
async function requirePasswords(server: PostgresServer, password: string): Promise<void> {
  const admin = new Database({ connection: parseStoreUrl(server.url()), applicationName: "test", poolSize: 1 });
  await admin.query(`alter user postgres password '${password}'`);
  await admin.close();
  writeFileSync(join(server.directory, "data", "pg_hba.conf"), "host all all 127.0.0.1/32 scram-sha-256\n");
  await server.restart();
}

function withPassword(server: PostgresServer, password: string): string {
  const url = new URL(server.url());
  url.password = password;
  return url.href;
}

describe("stores that fail, beside one that works", () => {
  let cluster: ClusterUnderTest;
  let good: TestDatabase;
  let server: PostgresServer;

  beforeAll(async () => {
    cluster = await ClusterUnderTest.create("stores");
    good = await createTestDatabase(adminUrl);
    server = await PostgresServer.create(18);
    await requirePasswords(server, "first");
    await cluster.operator();
    await cluster.secret("good", good.url);
    await cluster.jobStore("good");
    await cluster.jobQueue("works", { storeRef: { name: "good" }, workers: workersSpec() });
  });

  afterAll(async () => {
    await cluster.stop();
    await good.drop();
    await server.destroy();
  });

  it("a JobStore without its Secret says so, and connects when the Secret comes", async () => {
    await cluster.jobStore("late");
    const { message } = await cluster.condition("jobstores/late", "Reachable", "False", "SecretNotFound");
    expect(message).toMatch(/^There is no Secret late with the key uri in namespace stores-/);
    await cluster.condition("jobstores/late", "Stalled", "True", "SecretNotFound");
    await cluster.secret("late", good.url);
    await cluster.condition("jobstores/late", "Ready", "True", "Reconciled");
  });

  it("O5: a wrong password is told on the store and its queue, without a secret in any word of it, and nothing else suffers", async () => {
    await cluster.secret("flaky", withPassword(server, "hunter2"));
    await cluster.jobStore("flaky");
    await cluster.jobQueue("waits", { storeRef: { name: "flaky" }, workers: workersSpec() });
    const { message } = await cluster.condition("jobstores/flaky", "Reachable", "False", "AuthFailed");
    expect(message).toBe(
      "Postgres refuses the user or the password in Secret flaky, key uri (28P01); correct the Secret, it is read again by itself.",
    );
    await cluster.condition("jobqueues/waits", "Ready", "Unknown", "StoreAuthFailed");
    await cluster.condition("jobqueues/waits", "Paused", "Unknown", "StoreUnreachable");
    expect(JSON.stringify(await cluster.api.get(cluster.path("jobstores")))).not.toContain("hunter2");
    expect(JSON.stringify(await cluster.api.get(cluster.path("events")))).not.toContain("hunter2");
    expect(await cluster.api.find(cluster.path("deployments/waits-workers"))).toBeUndefined();

    await cluster.jobQueue("works", { storeRef: { name: "good" }, state: "Paused", workers: workersSpec() });
    await cluster.condition("jobqueues/works", "Paused", "True", "PausedBySpec");
  });

  it("a corrected Secret is picked up without a restart of anything", async () => {
    await cluster.secret("flaky", withPassword(server, "first"));
    await cluster.condition("jobstores/flaky", "Ready", "True", "Reconciled");
    const { metadata } = await cluster.object("deployments/waits-workers");
    expect(metadata["generation"]).toBe(1);
  });

  it("a password that is rotated is followed, too", async () => {
    const admin = new Database({
      connection: parseStoreUrl(withPassword(server, "first")),
      applicationName: "test",
      poolSize: 1,
    });
    await admin.query("alter user postgres password 'second'");
    await cluster.secret("flaky", withPassword(server, "second"));
    // Ends what the old password opened; connecting with it again is refused from here on.
    await admin.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'jobqueue-operator%'",
    );
    await admin.close();
    await cluster.jobQueue("waits", { storeRef: { name: "flaky" }, state: "Paused", workers: workersSpec() });
    await cluster.condition("jobqueues/waits", "Paused", "True", "PausedBySpec");
    const ready = await cluster.condition("jobstores/flaky", "Ready", "True", "Reconciled");
    expect(ready.message).toBe("The store can be used.");
  });

  it("an address in parts is used like one in a URL, and its password is followed, too", async () => {
    const { hostname, port, username, pathname, password } = new URL(withPassword(server, "second"));
    await cluster.secretOf("parts", { username, password: "wrong" });
    const connection = {
      server: {
        host: hostname,
        port: Number(port),
        database: pathname.slice(1),
        userSecretRef: { name: "parts", key: "username" },
        passwordSecretRef: { name: "parts", key: "password" },
      },
      tls: { mode: "Disabled" },
    };
    await cluster.jobStore("parts", { connection, schema: "in_parts" });
    const { message } = await cluster.condition("jobstores/parts", "Reachable", "False", "AuthFailed");
    expect(message).toContain("the password in spec.connection.server");
    await cluster.secretOf("parts", { username, password: `${password}\n` });
    await cluster.condition("jobstores/parts", "Ready", "True", "Reconciled");
    await cluster.jobQueue("in-parts", { storeRef: { name: "parts" }, workers: workersSpec() });
    const { spec } = await cluster.object("deployments/in-parts-workers");
    expect(JSON.stringify(spec)).not.toContain(password);
    await cluster.api.delete(cluster.path("jobqueues/in-parts"));
    await cluster.api.delete(cluster.path("jobstores/parts"));
  });

  it("P13: autovacuum that is switched off for a table is told while it is, with what to run, and the store stays ready", async () => {
    const { message } = await cluster.condition("jobstores/good", "Vacuumed", "True", "NothingInTheWay");
    expect(message).toBe("Postgres removes dead rows by itself.");
    const store = openStore(good.url);
    try {
      await store.query("alter table jobqueue.jobs set (autovacuum_enabled = off)");
      const off = await cluster.condition("jobstores/good", "Vacuumed", "False", "AutovacuumOff");
      expect(off.message).toBe(
        "Autovacuum is switched off for jobqueue.jobs: dead rows stay, and claims get slower and slower. The owner of the tables runs: alter table jobqueue.jobs reset (autovacuum_enabled)",
      );
      await cluster.condition("jobstores/good", "Ready", "True", "Reconciled");
      await store.query("alter table jobqueue.jobs reset (autovacuum_enabled)");
      await cluster.condition("jobstores/good", "Vacuumed", "True", "NothingInTheWay");
    } finally {
      await store.close();
    }
  });

  it("with migrations: Manual the schema is a person's, and the store is used once it is there", async () => {
    const store = { connection: { uriSecretRef: { name: "good", key: "uri" }, tls: { mode: "Disabled" } } };
    await cluster.jobStore("by-hand", { ...store, schema: "by_hand", migrations: "Manual" });
    await cluster.jobQueue("by-hand", { storeRef: { name: "by-hand" } });
    const { message } = await cluster.condition("jobstores/by-hand", "Stalled", "True", "MigrationRequired");
    expect(message).toContain(`run "jobqueue migrate --namespace ${cluster.namespace} --store by-hand"`);
    await cluster.condition("jobqueues/by-hand", "Ready", "False", "SchemaIncompatible");
    const hand = new Database({ connection: parseStoreUrl(good.url), schema: "by_hand", applicationName: "test" });
    await migrate(hand);
    await hand.close();
    await cluster.condition("jobstores/by-hand", "Ready", "True", "Reconciled");
    await cluster.condition("jobqueues/by-hand", "Ready", "True", "Reconciled");
  });

  it("a JobStore that is Paused holds every queue, also one that is made later, until it is Active again", async () => {
    const store = { connection: { uriSecretRef: { name: "good", key: "uri" }, tls: { mode: "Disabled" } } };
    const paused = { ...store, schema: "by_hand", state: "Paused", pauseReason: "failover test" };
    await cluster.jobStore("by-hand", paused);
    const { message } = await cluster.condition("jobstores/by-hand", "Paused", "True", "PausedBySpec");
    expect(message).toBe("Every queue is held by spec: failover test.");
    await cluster.jobQueue("later", { storeRef: { name: "by-hand" } });
    const later = await cluster.condition("jobqueues/later", "Paused", "True", "PausedByHold");
    expect(later.message).toMatch(/^Held by spec \(jobqueue-operator:.*, on the whole store\): failover test\.$/);
    expect(await cluster.columns("jobqueues/later")).toMatchObject({ READY: "True", "PAUSED-BY": "*/spec" });
    expect(await cluster.columns("jobstores/by-hand")).toMatchObject({ READY: "True", PAUSED: "True" });
    await cluster.jobStore("by-hand", { ...paused, state: "Active" });
    await cluster.condition("jobqueues/later", "Paused", "False", "Active");
    await cluster.condition("jobstores/by-hand", "Paused", "False", "Active");
  });

  it("O5: while Postgres is down its queues are Unknown and their Deployments untouched; when it is back all is well again", async () => {
    const before = await cluster.object("deployments/waits-workers");
    await server.stop("immediate");
    await cluster.condition("jobstores/flaky", "Reachable", "False", "ConnectFailed");
    await cluster.condition("jobqueues/waits", "Ready", "Unknown", "StoreUnreachable");
    await cluster.condition("jobqueues/waits", "Paused", "Unknown", "StoreUnreachable");
    expect((await cluster.status("waits")).pausedBy).toBe("spec"); // what was seen last is still in force
    expect((await cluster.status("works")).conditions).toContainEqual(
      expect.objectContaining({ type: "Paused", status: "True" }),
    );

    await server.start();
    await cluster.condition("jobstores/flaky", "Reachable", "True", "Connected");
    await cluster.condition("jobqueues/waits", "Paused", "True", "PausedBySpec");
    const after = await cluster.object("deployments/waits-workers");
    expect(after.metadata["generation"]).toBe(before.metadata["generation"]);
    expect(after.metadata.uid).toBe(before.metadata.uid);
  });

  it("O6: a store that takes connections and never answers delays no pause of another store's queue", async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    await cluster.secret("silent", `postgres://a:b@127.0.0.1:${port}/c`);
    await cluster.jobStore("silent");
    await Promise.all(
      Array.from({ length: 30 }, (_, number) => cluster.jobQueue(`stuck-${number}`, { storeRef: { name: "silent" } })),
    );
    await cluster.condition("jobqueues/stuck-29", "Ready", "Unknown");
    const began = performance.now();
    await cluster.jobQueue("works", { storeRef: { name: "good" }, workers: workersSpec() });
    await cluster.condition("jobqueues/works", "Paused", "False", "Active");
    expect(performance.now() - began).toBeLessThan(4_000); // the silent store is waited for 5 s at a time
    await cluster.condition("jobstores/silent", "Reachable", "False", "Timeout");
    await cluster.api.delete(cluster.path("jobstores/silent"));
    silent.close();
  });

  it("a JobStore that is deleted leaves its queues and their workers as they are, and says so on the queues", async () => {
    const before = await cluster.object("deployments/works-workers");
    await cluster.api.delete(cluster.path("jobstores/good"));
    await cluster.condition("jobqueues/works", "Ready", "False", "StoreNotFound");
    expect((await cluster.object("deployments/works-workers")).metadata["generation"]).toBe(
      before.metadata["generation"],
    );
    await cluster.jobStore("good");
    await cluster.condition("jobqueues/works", "Paused", "False", "Active");
  });

  it("tells events of the store on the store, once each", async () => {
    const { items } = await cluster.api.get<{ items: { reason: string; regarding: { kind: string; name: string } }[] }>(
      cluster.path("events"),
    );
    const about = (name: string) =>
      items
        .filter(({ regarding }) => regarding.name === name)
        .map(({ regarding, reason }) => `${regarding.kind} ${reason}`);
    expect(about("flaky")).toContain("JobStore StoreUnreachable");
    expect(about("flaky")).toContain("JobStore StoreRecovered");
    expect(about("waits")).toContain("JobQueue QueuePaused");
    expect(about("waits").join()).not.toContain("Store");
  });
});
