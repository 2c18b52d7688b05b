import { describe, expect, inject, it } from "vitest";
import { listRestarts } from "@jobqueue/store";
import { atRest } from "../testing/crash/at-rest.ts";
import { findingsOf, operatorWrites } from "../testing/crash/evidence.ts";
import { inParallel } from "../testing/crash/in-parallel.ts";
import { HUNG_WORKER } from "../testing/crash/scenarios.ts";
import { type Phase, World } from "../testing/crash/world.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

/** The leader dies at the eviction of a hung worker's pod, and another process takes over. */
async function failover(phase: Phase): Promise<object> {
  const world = await World.create(adminUrl);
  try {
    await world.operate("here", "first");
    await HUNG_WORKER.arrange?.(world);
    await atRest(world);
    const died = world.crashAt({ write: "create pods/eviction", nth: 1, phase });
    const acting = HUNG_WORKER.act(world); // it throws if the job is not finished, or twice
    acting.catch(() => {}); // awaited below
    await Promise.race([died, acting]);
    await world.kill();
    await world.operate("here", "second");
    await acting;
    await atRest(world);
    return {
      phase,
      kills: operatorWrites(world.cluster.namespace).filter(({ killed }) => killed !== undefined).length,
      restarts: (await listRestarts(world.store)).map(({ state, outcome }) => `${state} ${outcome}`),
      findings: await findingsOf(world),
    };
  } finally {
    await world.destroy();
  }
}

describe("a failover in the middle of a restart (G15, G16)", () => {
  it("O4: between eviction and the end of the restart costs one pod, and the job of the hung worker is finished once", async () => {
    const phases: readonly Phase[] = ["before", "after", "replyLost"];
    expect(await inParallel(phases, failover)).toEqual(
      phases.map((phase) => ({ phase, kills: 1, restarts: ["closed gone"], findings: [] })),
    );
  }, 300_000);
});
