import { setTimeout as sleep } from "node:timers/promises";
import { Database, parseStoreUrl } from "@jobqueue/store";
import { type ChaosFault, STORE, type Targets } from "./fault.ts";

/** Every process but those of the run's own housekeeping. */
const OTHERS = "datname = current_database() and pid <> pg_backend_pid() and application_name not like 'chaos%'";

/** Does something to random sessions again and again for a few seconds. */
function toSessions(id: string, name: string, sql: string): ChaosFault {
  return {
    id,
    name,
    apply: async ({ direct, random }) => {
      for (let shot = 0; shot < 20; shot++) {
        await direct
          .query(`select ${sql}(pid) from pg_stat_activity where ${OTHERS} order by md5(pid::text || $1) limit 1`, [
            String(random.next()),
          ])
          .catch(() => {});
        await sleep(200);
      }
      return STORE;
    },
  };
}

function restart(mode: "fast" | "immediate"): ChaosFault {
  return {
    id: "P1",
    name: `server restarted (${mode})`,
    apply: async ({ server }) => {
      await server.restart(mode);
      return STORE;
    },
  };
}

function repliesLost(pattern: string, count: number): ChaosFault {
  return {
    id: "P4",
    name: `reply of ${pattern} lost`,
    apply: async ({ proxy }) => {
      proxy.loseReplies(`.${pattern}`, count);
      for (let look = 0; look < 30 && proxy.repliesToLose > 0; look++) await sleep(100);
      return STORE;
    },
  };
}

/** Holds a lock that everything else has to wait for. */
async function locked({ direct }: Targets): Promise<void> {
  await direct
    .transaction(async (session) => {
      await session.query(`lock table ${session.schema}.jobs in share row exclusive mode`);
      await sleep(2_500);
    })
    .catch(() => {});
}

/** Takes every connection that the server has to give, for a while. */
async function crowd({ server }: Targets): Promise<void> {
  const crowds = Array.from(
    { length: 4 },
    () =>
      new Database({
        connection: parseStoreUrl(server.url()),
        applicationName: "chaos crowd",
        poolSize: 100,
        connectTimeoutMs: 2_000,
      }),
  );
  await Promise.all(
    crowds.flatMap((database) =>
      Array.from({ length: 100 }, async () => database.query("select pg_sleep(3)").catch(() => {})),
    ),
  );
  await Promise.all(crowds.map(async (database) => database.close()));
}

/** Faults of the server and of the way to it. */
export const POSTGRES_FAULTS: readonly ChaosFault[] = [
  restart("fast"),
  restart("immediate"),
  {
    id: "P2",
    name: "outage",
    apply: async ({ server, random }) => {
      await server.stop("immediate");
      await sleep(random.between(1_000, 7_000));
      await server.start();
      return STORE;
    },
  },
  {
    id: "P3",
    name: "connections half-open",
    apply: async ({ proxy }) => {
      proxy.blackhole();
      await sleep(3_000);
      return STORE;
    },
  },
  repliesLost("complete(", 3),
  repliesLost("claim", 3),
  repliesLost("enqueue_many(", 3),
  repliesLost("fail(", 2),
  toSessions("P5", "sessions terminated, 5 a second", "pg_terminate_backend"),
  toSessions("P9", "statements cancelled, 5 a second", "pg_cancel_backend"),
  {
    id: "P9",
    name: "jobs locked by another",
    apply: async (targets) => {
      await locked(targets);
      return STORE;
    },
  },
  {
    id: "P6",
    name: "too many connections",
    apply: async (targets) => {
      await crowd(targets);
      return STORE;
    },
  },
];
