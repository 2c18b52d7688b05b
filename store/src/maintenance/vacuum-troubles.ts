import type { OldestDatabase, TableToVacuum, VacuumFacts } from "./vacuum-facts.ts";

/** Why Postgres does not clean up behind a store, or soon will not. Reasons of the condition Vacuumed of a JobStore. */
export type VacuumReason = "WraparoundNear" | "AutovacuumOff" | "AutovacuumBehind";

/** One thing that is wrong. No number stands in it: it reads the same for as long as it lasts. */
export interface VacuumTrouble {
  readonly reason: VacuumReason;
  /** What is. */
  readonly says: string;
  /** Who has to do what. */
  readonly remedy: string;
}

/**
 * Ids are frozen too late once the oldest is older than this many times the age at which autovacuum begins to freeze, whether it is
 * switched on or not: 500 million by default, a quarter of the two thousand million at which Postgres stops taking writes. It warns
 * of that itself only 40 million before.
 */
const FROZEN_TOO_LATE = 2.5;
/** However late autovacuum is told to begin: the age at which vacuum gives up all else to freeze (vacuum_failsafe_age). */
const FAILSAFE_AGE = 1_600_000_000;

/** Autovacuum is behind with a table that has more than this many times the dead rows at which it should have come, … */
const TIMES_DUE = 10;
/** … and so many that it makes reading slow: a burst of work leaves fewer in the minute between two visits, … */
const MANY_DEAD = 500_000;
/** … and of which no vacuum has ended for half an hour. Where one did, and left dead rows, somebody holds an old snapshot. */
const LONG_AGO_SECONDS = 1_800;

/** Names of so many tables are said. */
const NAMED = 5;

/** What keeps Postgres from cleaning up behind a store, the worst first. Empty: nothing does. */
export function vacuumTroubles(facts: VacuumFacts): VacuumTrouble[] {
  return [...wraparound(facts), ...switchedOff(facts), ...behind(facts)];
}

function wraparound({ transactions, multixacts, ...limits }: VacuumFacts): VacuumTrouble[] {
  const late = ({ age }: OldestDatabase, freezeMaxAge: number): boolean =>
    age > Math.min(FROZEN_TOO_LATE * freezeMaxAge, FAILSAFE_AGE);
  const trouble = (ids: string, { name }: OldestDatabase): VacuumTrouble => ({
    reason: "WraparoundNear",
    says: `Old ${ids} ids of the database ${name} are not frozen in time. Before they run out Postgres stops taking writes, in every database of the server.`,
    remedy: `Who runs the server looks who holds old snapshots, prepared transactions or replication slots, ends them, and runs in ${name}, as a superuser: vacuum`,
  });
  return [
    ...(late(transactions, limits.freezeMaxAge) ? [trouble("transaction", transactions)] : []),
    ...(late(multixacts, limits.multixactFreezeMaxAge) ? [trouble("multixact", multixacts)] : []),
  ];
}

function switchedOff({ autovacuum, trackCounts, tables }: VacuumFacts): VacuumTrouble[] {
  const off = [...(autovacuum ? [] : ["autovacuum"]), ...(trackCounts ? [] : ["track_counts"])];
  const left = tables.filter((table) => !table.autovacuum);
  const reason = "AutovacuumOff";
  return [
    ...off.map(
      (setting) =>
        ({
          reason,
          says: `The setting ${setting} is off, so autovacuum removes no dead rows, and claims get slower and slower.`,
          remedy: `Who runs the server runs: alter system set ${setting} = on; select pg_reload_conf(). Where a role or a database has a setting of its own, that is to be reset.`,
        }) as const,
    ),
    ...(left.length === 0
      ? []
      : ([
          {
            reason,
            says: `Autovacuum is switched off for ${named(left)}: dead rows stay, and claims get slower and slower.`,
            remedy: `The owner of the tables runs: ${commands(left, (name) => `alter table ${name} reset (autovacuum_enabled)`)}`,
          },
        ] as const)),
  ];
}

function behind({ tables }: VacuumFacts): VacuumTrouble[] {
  const overdue = tables.filter(
    ({ autovacuum, dead, threshold, vacuumedSecondsAgo }) =>
      autovacuum && dead > TIMES_DUE * threshold && dead > MANY_DEAD && vacuumedSecondsAgo > LONG_AGO_SECONDS,
  );
  if (overdue.length === 0) return [];
  return [
    {
      reason: "AutovacuumBehind",
      says: `Autovacuum does not come to ${named(overdue)}: dead rows pile up, and claims get slower and slower.`,
      remedy: `The owner of the tables runs: ${commands(overdue, (name) => `vacuum (analyze) ${name}`)}. So that it lasts, who runs the server gives autovacuum more room (autovacuum_max_workers, autovacuum_vacuum_cost_limit).`,
    },
  ];
}

/** The names; how many more there are would change with every look. */
const named = (tables: readonly TableToVacuum[]): string =>
  `${tables
    .slice(0, NAMED)
    .map(({ name }) => name)
    .join(", ")}${tables.length > NAMED ? " and others" : ""}`;

const commands = (tables: readonly TableToVacuum[], command: (name: string) => string): string =>
  tables
    .slice(0, NAMED)
    .map(({ name }) => command(name))
    .join("; ");
