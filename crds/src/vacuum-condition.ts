/** The condition of a JobStore about vacuum, part of the table CONDITIONS. */
export const VACUUM_CONDITION = {
  // Does Postgres clean up behind the queues? A warning: says nothing about Ready, and stops nothing.
  Vacuumed: {
    NothingInTheWay: {
      status: ["True"],
      actor: "nobody",
      meaning: "Nothing keeps Postgres from removing dead rows and freezing old ids.",
    },
    WraparoundNear: {
      status: ["False"],
      actor: "administrator",
      meaning:
        "The oldest transaction or multixact id of a database of the server is two and a half times as old as autovacuum should let it become (autovacuum_freeze_max_age), or 1,600 million ids old. At two thousand million Postgres stops taking writes.",
    },
    AutovacuumOff: {
      status: ["False"],
      actor: "administrator",
      meaning:
        "autovacuum or track_counts is off, or a table of the store has the storage parameter autovacuum_enabled off.",
    },
    AutovacuumBehind: {
      status: ["False"],
      actor: "administrator",
      meaning:
        "A table of the store has more than 500,000 dead rows, and more than ten times as many as should make autovacuum come, and no vacuum of it has ended for half an hour.",
    },
    OldSnapshots: {
      status: ["False"],
      actor: "administrator",
      meaning: "status.oldSnapshots says who keeps Postgres from removing dead rows.",
    },
    StoreUnreachable: { status: ["Unknown"], actor: "administrator", meaning: "Postgres cannot be asked." },
  },
} as const;
