import { afterAll, beforeAll, expect, it } from "vitest";
import { forEachPostgres } from "../../test/support/postgres/database.ts";
import { isLegalTransition, JOB_STATE_NAMES, JOB_STATES, transitionReason } from "./job-state.ts";
import { openStore, type StoreUnderTest } from "./testing/open-store.ts";

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());

  it("the table of states and the constraints of the database allow the same, live and terminal apart", async () => {
    const [jobs] = await store.database.query<{ definition: string }>(
      "select pg_get_constraintdef(oid) as definition from pg_constraint where conname = 'jobs_state_check'",
    );
    const [history] = await store.database.query<{ definition: string }>(
      "select pg_get_constraintdef(oid) as definition from pg_constraint where conname = 'job_history_state_check'",
    );
    const stored = (terminal: boolean) =>
      JOB_STATE_NAMES.filter((name) => JOB_STATES[name].terminal === terminal).map((name) => JOB_STATES[name].stored);
    const allowed = (definition?: string) =>
      [...(definition?.matchAll(/\d+/g) ?? [])].map(([number]) => Number(number));
    expect(new Set(allowed(jobs?.definition))).toEqual(new Set(stored(false)));
    expect(new Set(allowed(history?.definition))).toEqual(new Set(stored(true)));
  });

  it("the view names every state as the table does", async () => {
    const [view] = await store.database.query<{ definition: string }>(
      "select pg_get_viewdef('jobqueue.v_jobs'::regclass) as definition",
    );
    for (const name of JOB_STATE_NAMES) expect(view?.definition).toContain(`'${name}'::text`);
  });

  it.each([
    ["a running job without a lease token", "state = 1, worker_id = 1"],
    ["a running job without a worker", "state = 1, lease_token = 1"],
    ["a pending job with a lease token", "lease_token = 1"],
    ["a state that does not exist", "state = 5"],
    ["a terminal state among the live", "state = 10"],
    ["a pending job that counts for a limit", "limited = true"],
    ["a pending job with a deadline", "deadline = clock_timestamp()"],
    ["attempts below zero", "attempt = -1"],
    ["a time that never comes", "run_at = 'infinity'"],
  ])("rows edited by hand cannot hold %s", async (_, change) => {
    await store.database.query("select jobqueue.enqueue('q', 'k', '{}')");
    await expect(store.database.query(`update jobqueue.jobs set ${change}`)).rejects.toThrow(
      /violates check constraint/,
    );
  });

  it("transitions lead to states that exist, each with its reason; out of a terminal state only a retry leads", () => {
    for (const from of JOB_STATE_NAMES) {
      const next = JOB_STATE_NAMES.filter((to) => isLegalTransition(from, to));
      expect(next.toSorted()).toEqual(Object.keys(JOB_STATES[from].next).toSorted());
      expect(next.filter((to) => !transitionReason(from, to))).toEqual([]);
    }
    const terminal = JOB_STATE_NAMES.filter((name) => JOB_STATES[name].terminal);
    expect(terminal.map((from) => Object.keys(JOB_STATES[from].next))).toEqual([[], [], ["pending"]]);
  });
});
