import { waitFor } from "../../../../test/cluster/wait-for.ts";
import { differenceOf } from "../comparable.ts";
import { atRest } from "./at-rest.ts";
import { findingsOf } from "./evidence.ts";
import { endLeasesOfTheDead } from "./pool-workers.ts";
import type { Scenario } from "./scenarios.ts";
import { type CrashPoint, World } from "./world.ts";

/** A run of a scenario in which nothing went wrong: what all others must come to. */
export interface Reference {
  readonly scenario: Scenario;
  /** The state of rest before it. */
  readonly arranged: string;
  /** The state of rest after it. */
  readonly final: string;
  /** Its writes, each with how many of the same name there were up to it. */
  readonly writes: readonly Omit<CrashPoint, "phase">[];
}

/** Runs a scenario without a fault. */
export async function referenceOf(adminUrl: string, scenario: Scenario): Promise<Reference> {
  const world = await World.create(adminUrl);
  try {
    await world.operate();
    await scenario.arrange?.(world);
    await atRest(world);
    const arranged = await world.endState();
    world.record();
    await scenario.act(world);
    await atRest(world, scenario.waitsMs);
    const counted = new Map<string, number>();
    const writes = world.writes.map((write) => {
      const nth = (counted.get(write) ?? 0) + 1;
      counted.set(write, nth);
      return { write, nth };
    });
    return { scenario, arranged, final: await world.endState(), writes };
  } finally {
    await world.destroy();
  }
}

/** Between two looks for workers whose pods went while no operator looked, milliseconds. */
const LEASES_MS = 2_000;

/** How one run ended. */
export interface CrashOutcome {
  readonly point: CrashPoint;
  /** Whether the operator came to the write at all: another order of things may do without it. */
  readonly reached: boolean;
  /** What is different from the reference; absent: nothing. */
  readonly difference?: string;
}

/** Runs a scenario in which the operator dies at a write, and a new one is started. */
export async function crash(
  adminUrl: string,
  { scenario, arranged, final }: Reference,
  point: CrashPoint,
  as: "here" | "process" = "here",
): Promise<CrashOutcome> {
  const world = await World.create(adminUrl);
  const run = { reached: false, acted: false };
  let leases: NodeJS.Timeout | undefined;
  try {
    await world.operate(as);
    await scenario.arrange?.(world);
    await comesTo(world, arranged, "the state before");
    void (async () => {
      await world.crashAt(point);
      run.reached = true;
    })();
    const acting = scenario.act(world).finally(() => (run.acted = true));
    acting.catch(() => {}); // awaited below
    const isOver = async (): Promise<boolean> => run.reached || (run.acted && (await world.endState()) === final);
    await waitFor("the write, or the end without it", isOver, {
      timeoutMs: 90_000 + (scenario.waitsMs ?? 0),
      everyMs: 50,
    });
    if (run.reached) {
      await world.kill();
      await world.operate(as);
      leases = setInterval(() => void endLeasesOfTheDead(world).catch(() => {}), LEASES_MS); // tried again: the world may be ending
    }
    await acting;
    await comesTo(world, final, "the state after", scenario.waitsMs);
    const wrong = await findingsOf(world);
    return { point, reached: run.reached, ...(wrong.length > 0 && { difference: wrong.join("\n") }) };
  } catch (error) {
    return { point, reached: run.reached, difference: error instanceof Error ? error.message : String(error) };
  } finally {
    clearInterval(leases);
    await world.destroy();
  }
}

async function comesTo(world: World, wanted: string, what: string, waitsMs = 0): Promise<void> {
  let seen = "";
  await waitFor(what, async () => (seen = await world.endState()) === wanted, {
    timeoutMs: 90_000 + waitsMs,
    everyMs: 500,
    explain: () => differenceOf(wanted, seen),
  });
}
