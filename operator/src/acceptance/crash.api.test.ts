/**
 * Crash at every write (O1): each write that a scenario makes in a run without faults, to the API server and to a store, is
 * once not carried out, once carried out, and once carried out without its reply arriving, and the operator dies there. A
 * new one must come to the same end. `make test` takes a sample; all of them: `CRASH=all`, a number for so many, `SEED=`
 * others, `CRASH_ONLY="SCENARIO: PHASE WRITE"`, or its beginning, one of them.
 */
import { describe, expect, inject, it } from "vitest";
import { Random } from "../../../test/chaos/random.ts";
import { inParallel } from "../testing/crash/in-parallel.ts";
import { crash, referenceOf, type CrashOutcome, type Reference } from "../testing/crash/run.ts";
import { SCENARIOS } from "../testing/crash/scenarios.ts";
import type { CrashPoint, Phase } from "../testing/crash/world.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

const PHASES: readonly Phase[] = ["before", "after", "replyLost"];
/**
 * What `make test` takes: so many scenarios, crash points of these, and of these how many end a real process by SIGKILL instead
 * of all that a process is to the world.
 */
const SAMPLE = { scenarios: 4, points: 10, processes: 1 };

const { CRASH = "", CRASH_ONLY = "", SEED = "" } = process.env;
/** `make test` takes the same sample every time: what is new to a run is what changed in the code. */
const seed = Number(SEED || 1);

/** In a random order. */
function shuffled<Item>(items: readonly Item[], random: Random): readonly Item[] {
  return items
    .map((item) => ({ item, rank: random.next() }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

const nameOf = ({ scenario }: Reference, { write, nth, phase }: CrashPoint): string =>
  `${scenario.name}: ${phase} ${write} #${nth}`;

describe("O1: crash at every write (G15, G17)", () => {
  it(
    "ends as if nothing had happened, wherever the operator dies",
    async () => {
      const random = new Random(seed);
      const scenarios = shuffled(SCENARIOS, random)
        .filter(({ name, slow = false }) =>
          CRASH_ONLY === "" ? CRASH === "all" || !slow : CRASH_ONLY.startsWith(name) || name.startsWith(CRASH_ONLY),
        )
        .slice(0, CRASH === "" && CRASH_ONLY === "" ? SAMPLE.scenarios : undefined);
      const references = await inParallel(scenarios, (scenario) => referenceOf(adminUrl, scenario));
      const all = references.flatMap((reference) =>
        reference.writes.flatMap((write) =>
          PHASES.map((phase) => ({ reference, point: { ...write, phase } })).filter(
            ({ point }) => CRASH_ONLY === "" || nameOf(reference, point).startsWith(CRASH_ONLY),
          ),
        ),
      );
      const wholly = CRASH === "all" || (CRASH === "" && CRASH_ONLY !== "");
      const wanted = wholly ? all.length : CRASH === "" ? SAMPLE.points : Number(CRASH);
      const chosen = shuffled(all, random)
        .slice(0, wanted)
        .map((run, at) => ({ ...run, as: at < SAMPLE.processes ? ("process" as const) : ("here" as const) }));
      const outcomes = await inParallel(chosen, async ({ reference, point, as }) => ({
        name: nameOf(reference, point),
        ...(await crash(adminUrl, reference, point, as)),
      }));
      const reached = outcomes.filter((outcome) => outcome.reached).length;
      process.stdout.write(`crash: ${outcomes.length} of ${all.length} points, ${reached} reached, SEED=${seed}\n`);
      const told = (outcome: CrashOutcome & { name: string }): string => `${outcome.name}\n${outcome.difference}`;
      expect(outcomes.filter(({ difference }) => difference !== undefined).map(told)).toEqual([]);
      expect(reached).toBeGreaterThan(0.5 * outcomes.length);
      // What no scenario writes cannot be crashed at: a function that is called nowhere else is named here.
      expect(references.filter(({ writes }) => writes.length === 0).map(({ scenario }) => scenario.name)).toEqual([]);
    },
    CRASH === "" ? 600_000 : 7_200_000,
  );
});
