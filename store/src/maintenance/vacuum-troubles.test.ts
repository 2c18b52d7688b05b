import { describe, expect, it } from "vitest";
import type { TableToVacuum, VacuumFacts } from "./vacuum-facts.ts";
import { vacuumTroubles } from "./vacuum-troubles.ts";

const SOUND: VacuumFacts = {
  autovacuum: true,
  trackCounts: true,
  transactions: { name: "shop", age: 210_000_000 },
  multixacts: { name: "shop", age: 410_000_000 },
  freezeMaxAge: 200_000_000,
  multixactFreezeMaxAge: 400_000_000,
  tables: [],
};
const aTable = (some: Partial<TableToVacuum> = {}): TableToVacuum => ({
  name: "jobqueue.jobs",
  autovacuum: true,
  dead: 600_000,
  threshold: 10_050,
  vacuumedSecondsAgo: 7_200,
  ...some,
});
const said = (some: Partial<VacuumFacts>): string[] =>
  vacuumTroubles({ ...SOUND, ...some }).map(({ reason, says }) => `${reason}: ${says.split(/: |\. /)[0]}`);

describe("P13: what keeps Postgres from cleaning up", () => {
  it.each<[string, Partial<VacuumFacts>]>([
    ["ids are as old as they always get before autovacuum freezes them", {}],
    [
      "autovacuum is told to begin late, and the ids are that old",
      { freezeMaxAge: 1_500_000_000, transactions: { name: "shop", age: 1_550_000_000 } },
    ],
    ["a table has dead rows that autovacuum is about to remove", { tables: [aTable({ dead: 11_000 })] }],
    [
      "a burst of work left many, and autovacuum was there a moment ago",
      { tables: [aTable({ vacuumedSecondsAgo: 50 })] },
    ],
    [
      "a small table has many times what makes autovacuum come, and few all the same",
      { tables: [aTable({ dead: 400_000, threshold: 51 })] },
    ],
    ["a large table has many, and few for its size", { tables: [aTable({ threshold: 100_000 })] }],
  ])("is nothing while %s", (_sentence, some) => {
    expect(said(some)).toEqual([]);
  });

  it.each<[string, Partial<VacuumFacts>, string]>([
    [
      "autovacuum is off",
      { autovacuum: false },
      "AutovacuumOff: The setting autovacuum is off, so autovacuum removes no dead rows, and claims get slower and slower.",
    ],
    [
      "nothing is counted",
      { trackCounts: false },
      "AutovacuumOff: The setting track_counts is off, so autovacuum removes no dead rows, and claims get slower and slower.",
    ],
    [
      "a table is left out",
      { tables: [aTable({ autovacuum: false, dead: 0 })] },
      "AutovacuumOff: Autovacuum is switched off for jobqueue.jobs",
    ],
    [
      "it does not come",
      { tables: [aTable(), aTable({ name: "jobqueue.leases" })] },
      "AutovacuumBehind: Autovacuum does not come to jobqueue.jobs, jobqueue.leases",
    ],
    [
      "transaction ids get old",
      { transactions: { name: "other", age: 500_000_001 } },
      "WraparoundNear: Old transaction ids of the database other are not frozen in time",
    ],
    [
      "multixact ids get old",
      { multixacts: { name: "shop", age: 1_000_000_001 } },
      "WraparoundNear: Old multixact ids of the database shop are not frozen in time",
    ],
    [
      "they get as old as can be, whatever the setting",
      { freezeMaxAge: 2_000_000_000, transactions: { name: "shop", age: 1_600_000_001 } },
      "WraparoundNear: Old transaction ids of the database shop are not frozen in time",
    ],
  ])("is said when %s", (_sentence, some, words) => {
    expect(said(some)).toEqual([words]);
  });

  it("is told the worst first, each with who has to run what", () => {
    const tables = [aTable({ name: "jobqueue.leases", autovacuum: false }), aTable()];
    const found = vacuumTroubles({
      ...SOUND,
      autovacuum: false,
      tables,
      transactions: { name: "shop", age: 2_000_000_000 },
    });
    expect(found.map(({ reason }) => reason)).toEqual([
      "WraparoundNear",
      "AutovacuumOff",
      "AutovacuumOff",
      "AutovacuumBehind",
    ]);
    const remedies = found.map(({ remedy }) => remedy).join("\n");
    expect(remedies).toContain("runs in shop, as a superuser: vacuum");
    expect(remedies).toContain("alter system set autovacuum = on; select pg_reload_conf()");
    expect(remedies).toContain("alter table jobqueue.leases reset (autovacuum_enabled)");
    expect(remedies).toContain("vacuum (analyze) jobqueue.jobs");
  });

  it("reads the same from look to look while it lasts, however many tables it is about", () => {
    const tables = (count: number, dead: number): TableToVacuum[] =>
      Array.from({ length: count }, (_, n) =>
        aTable({ name: `jobqueue.job_history_${n}`, dead, vacuumedSecondsAgo: dead }),
      );
    const [before, after] = [
      { ...SOUND, tables: tables(7, 700_000), transactions: { name: "shop", age: 600_000_000 } },
      { ...SOUND, tables: tables(8, 900_000), transactions: { name: "shop", age: 600_100_000 } },
    ].map((facts) => vacuumTroubles(facts));
    expect(before?.[1]?.says).toContain("jobqueue.job_history_4 and others");
    expect(after).toEqual(before);
  });
});
