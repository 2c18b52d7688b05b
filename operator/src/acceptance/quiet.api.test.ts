/**
 * Quiet (G17): once a scenario has come to rest the operator writes nothing, as the API server's own audit log and the row
 * versions of the store tell; only the Lease is renewed and the canary beats. The history checker judges it (H17), and with it
 * what was shown in the end (H16), what was restarted (H14) and what stands in the audit trail (H15). For 10 s; `QUIET=60`
 * looks for so many seconds, and at the slow scenarios too.
 */
import { describe, expect, inject, it } from "vitest";
import { setTimeout as sleep } from "node:timers/promises";
import { atRest } from "../testing/crash/at-rest.ts";
import { findingsOf, operatorWrites } from "../testing/crash/evidence.ts";
import { inParallel } from "../testing/crash/in-parallel.ts";
import { SCENARIOS } from "../testing/crash/scenarios.ts";
import { World } from "../testing/crash/world.ts";
import { rowVersions } from "../testing/row-versions.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

const seconds = Number(process.env["QUIET"] || 10);

describe("quiet after every scenario (G17)", () => {
  it(
    `no write for ${seconds} s, to the API server or to the store`,
    async () => {
      const scenarios = SCENARIOS.filter(({ slow = false }) => seconds >= 60 || !slow);
      const found = await inParallel(scenarios, async (scenario) => {
        const world = await World.create(adminUrl);
        try {
          await world.operate();
          await scenario.arrange?.(world);
          await atRest(world);
          await scenario.act(world);
          await atRest(world, scenario.waitsMs);
          const before = await rowVersions(world.store);
          const since = Date.now();
          await sleep(seconds * 1000); // the absence of something has no signal
          const after = await rowVersions(world.store);
          const writes = operatorWrites(world.cluster.namespace);
          const late = [
            ...writes.filter(({ at }) => at >= since),
            ...Object.keys(after)
              .filter((table) => after[table] !== before[table] && table !== "leaders")
              .map((what) => ({ what, at: since })),
          ];
          const summaries = await world.summaries();
          return {
            scenario: scenario.name,
            // The log and the filter are right: it did write before, and the canary beat.
            wroteBefore: writes.length > 0 && after["leaders"] !== before["leaders"],
            findings: await findingsOf(world, { lateWrites: late, summaries }),
          };
        } finally {
          await world.destroy();
        }
      });
      expect(found).toEqual(scenarios.map(({ name }) => ({ scenario: name, wroteBefore: true, findings: [] })));
    },
    480_000 + 4 * seconds * 1000,
  );
});
