/**
 * Walks through docs/guides/operations.md. `RECORD=1` writes what is printed into the page instead of comparing; look at
 * the difference before you commit it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { signalContainer } from "../cluster/container-faults.ts";
import { cutOff, faultyNodes, reconnect } from "../cluster/node-faults.ts";
import { eventually } from "../support/eventually.ts";
import { AT_LENGTH } from "../support/kubernetes/at-length.ts";
import { installOperator, REPOSITORY } from "../support/kubernetes/installation.ts";
import { Playground } from "../support/kubernetes/playground.ts";
import { containerOf, Pool, restarts } from "../support/kubernetes/pool.ts";
import { type Command, filesOf, scenesOf, withOutputs } from "./guide/page.ts";
import { type Recorded, Walk } from "./guide/walk.ts";

const PAGE = join(REPOSITORY, "docs/guides/operations.md");
const RECORD = process.env["RECORD"] === "1";
/** How long the database is away, in seconds: three times what makes a silent worker count as hung. 600 is the full length. */
const OUTAGE_SECONDS = Number(process.env["OUTAGE_SECONDS"] ?? 45);

const page = readFileSync(PAGE, "utf8");
const scenes = scenesOf(page);
const recorded = new Map<string, readonly Recorded[]>();

type Faults = (ground: Playground, pool: Pool) => Readonly<Record<string, () => Promise<void>>>;
type Check = (ground: Playground, pool: Pool) => Promise<void>;

/** The restarts of a namespace, once the last of them is over. */
const restartsOver = async (ground: Playground) =>
  eventually("every restart to be over", async () => {
    const all = await ground.restarts();
    return all.every(({ state }) => state === "closed" || state === "abandoned") ? all : undefined;
  });

/** Plays a scene in a namespace of its own; `check` is what the page does not show. */
async function play(title: string, { faults, check, node }: { faults?: Faults; check?: Check; node?: string } = {}) {
  const scene = scenes.find((one) => one.title === title);
  if (scene === undefined) throw new Error(`the page has no section "${title}"`);
  const access = inject("cluster");
  const ground = await Playground.create(access, "walk", node === undefined ? {} : { postgresNode: node });
  const files = filesOf(page).map(({ name, text }) => ({
    name,
    text: text.replace("example.com/shop/mail:1.4.0", access.images.demoWorker),
  }));
  const walk = await Walk.begin(ground, files);
  try {
    const pool = new Pool(ground, "mail");
    recorded.set(title, await walk.through(scene, faults?.(ground, pool) ?? {}, { record: RECORD }));
    await check?.(ground, pool);
  } finally {
    walk.end();
    await ground.destroy();
  }
}

describe("docs/guides/operations.md", () => {
  beforeAll(async () => {
    await installOperator(inject("cluster"));
  });
  afterAll(() => {
    if (!RECORD) return;
    // Scenes may be recorded by several runs at once, and the prose be edited meanwhile: each output goes to its own command.
    const now = readFileSync(PAGE, "utf8");
    const commands = scenesOf(now).flatMap(({ title, steps }) =>
      steps.flatMap((step) => (step.do === "command" ? [{ title, command: step }] : [])),
    );
    const outputs = [...recorded].flatMap(([title, scene]) => {
      const own = commands.filter((one) => one.title === title);
      return scene.map(({ output }, index) => ({ command: own[index]?.command as Command, output }));
    });
    writeFileSync(PAGE, withOutputs(now, outputs));
  });

  it("has a scene for every heading", () => {
    const headings = page.match(/^## .+$/gm)?.map((heading) => heading.slice(3));
    expect(scenes.map(({ title }) => title)).toEqual(headings);
  });

  // The longest first: not all run at once.
  it.runIf(AT_LENGTH)(
    "R1: a database outage restarts none of twenty workers",
    { timeout: (OUTAGE_SECONDS + 600) * 1_000, concurrent: true },
    async () => {
      let before: Record<string, number> = {};
      await play("A database outage, with twenty workers", {
        faults: (_ground, pool) => ({
          "the outage lasts": async () => {
            before = restarts(await pool.pods());
            await sleep(OUTAGE_SECONDS * 1_000);
          },
        }),
        check: async (ground, pool) => {
          expect(Object.keys(before)).toHaveLength(20);
          // Long enough afterwards for an operator that would hold it against them.
          await eventually("all to beat again, and the database to be back for twice the timeout", async () => {
            const [row] = await (
              await ground.store()
            ).query<{ alive: boolean }>(
              `select count(*) filter (where is_live) = 20 and clock_timestamp() - pg_postmaster_start_time() > '30 s' as alive
               from jobqueue.v_workers`,
            );
            return row?.alive ? true : undefined;
          });
          expect(restarts(await pool.pods())).toEqual(before);
          expect(await ground.restarts()).toEqual([]);
        },
      });
    },
  );

  it.concurrent("R2: a hung worker is replaced, and no other", async () => {
    await play("A hung worker", {
      check: async (ground, pool) => {
        const [restart, ...more] = await restartsOver(ground);
        expect(more).toEqual([]);
        expect(restart).toMatchObject({ reason: "LoopBlocked", state: "closed" });
        // Over once its node has seen the process end; the object of the pod goes an instant later.
        const names = await eventually("three pods", async () => {
          const pods = await pool.pods();
          return pods.length === 3 ? pods.map(({ metadata }) => metadata.name) : undefined;
        });
        expect(names).not.toContain(restart?.pod);
      },
    });
  });

  it.concurrent(
    "W7: a stuck job costs a slot, all slots cost the process, and nobody else restarts anything",
    async () => {
      await play("A stuck job", {
        check: async (ground, pool) => {
          expect(await ground.restarts()).toEqual([]);
          expect(Object.values(restarts(await pool.pods()))).toEqual([1]);
        },
      });
    },
  );

  it.runIf(AT_LENGTH)(
    "R2: a worker frozen by SIGSTOP is replaced, its job runs elsewhere",
    { concurrent: true },
    async () => {
      let ids: string[] = [];
      await play("A frozen worker", {
        faults: (ground, pool) => ({
          "a worker that runs a job is stopped with SIGSTOP": async () => {
            ids = await ground.jobs("mail", "sleep", { seconds: 20 });
            const { pod } = await pool.running(ids);
            const frozen = await ground.kubectl.get("pod", pod);
            if (frozen !== undefined) await signalContainer(containerOf(frozen), "SIGSTOP", { all: true });
          },
        }),
        check: async (ground, pool) => {
          expect(await restartsOver(ground)).toMatchObject([{ reason: "HeartbeatLapsed", state: "closed" }]);
          expect(await pool.fate(ids)).toEqual({ completed: 1, twice: 0, attempt: 1, recoveries: 1 });
        },
      });
    },
  );

  it.concurrent("N4: a bad image", async () => {
    await play("A bad image", {
      check: async (ground) => {
        expect((await ground.kubectl.get("jobqueue", "mail"))?.status.lastRestart).toBeUndefined();
      },
    });
  });

  it.concurrent("a password is rotated under running workers", async () => {
    let before: Record<string, number> = {};
    await play("A password is rotated", {
      faults: (ground, pool) => ({
        "the password changes, in Postgres and in the Secret": async () => {
          before = restarts(await pool.pods());
          await ground.rotatePassword();
        },
      }),
      check: async (_ground, pool) => {
        expect(restarts(await pool.pods())).toEqual(before);
      },
    });
  });

  it.runIf(AT_LENGTH)("N1: a node is lost", async () => {
    const [steady = "", node = ""] = await faultyNodes();
    let ids: string[] = [];
    try {
      await play("A node is lost", {
        node: steady,
        faults: (ground, pool) => ({
          "every worker has jobs": async () => {
            await pool.oneOnEach(2);
            ids = await ground.jobs("mail", "sleep", { seconds: 20 }, 4); // two slots each
            for (const id of ids) await pool.running([id]);
            // What the page shows of the lost worker is what it last told of itself.
            const store = await ground.store();
            await eventually("both workers to tell of their slots", async () => {
              const busy = await store.query("select from jobqueue.v_workers where is_live and slots_busy = 2");
              return busy.length === 2 || undefined;
            });
          },
          "the node is cut off from the network": async () => cutOff(node),
          "the node comes back": async () => reconnect(node),
        }),
        check: async (ground, pool) => {
          expect(await pool.completed(ids)).toEqual({ completed: 4, twice: 0, attempt: 1, recoveries: 2 });
          expect(await ground.restarts()).toEqual([]);
          expect((await ground.kubectl.get("jobqueue", "mail"))?.status.lastRestart).toBeUndefined();
        },
      });
    } finally {
      await reconnect(node).catch(() => undefined); // done already, unless something failed before
    }
  });
});
