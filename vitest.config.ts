import { defineConfig } from "vitest/config";

/**
 * One vitest project per level of `make test` (`test/run.ts` runs them in order). A test file belongs to the level
 * named before `.test.ts`: `x.store.test.ts` needs a Postgres, `x.cluster.test.ts` a cluster; plain `x.test.ts` is pure.
 */
const level = (name: string, options: { timeout: number; workers?: number; globalSetup?: string[] }) => ({
  test: {
    name,
    include: [name === "unit" ? "**/*.test.ts" : `**/*.${name}.test.ts`],
    exclude: [
      "**/node_modules/**",
      "**/dist/**",
      ...(name === "unit" ? LEVELS.map((other) => `**/*.${other}.test.ts`) : []),
    ],
    pool: "forks" as const,
    testTimeout: options.timeout,
    hookTimeout: options.timeout,
    // The default of a second is over before a busy machine had its turn.
    expect: { poll: { timeout: 30_000 } },
    maxWorkers: options.workers ?? 2,
    sequence: { groupOrder: [...LEVELS, "unit"].indexOf(name) },
    ...(options.globalSetup ? { globalSetup: options.globalSetup } : {}),
  },
});

/** Levels that need something real beside the code, in the order they run. */
const LEVELS = ["store", "worker", "api", "web", "cluster"];

/** Files at once where tests mostly wait (for leases to lapse, for polls): with two, two cores are idle for half of the time. */
const WAITING = 3;

export default defineConfig({
  test: {
    projects: [
      level("unit", { timeout: 60_000 }),
      level("store", {
        timeout: 60_000,
        globalSetup: ["./test/support/programs.ts", "./test/support/postgres/global-setup.ts"],
      }),
      level("worker", {
        timeout: 120_000,
        workers: WAITING,
        globalSetup: ["./test/support/programs.ts", "./test/support/postgres/global-setup.ts"],
      }),
      level("api", {
        timeout: 120_000,
        workers: WAITING,
        globalSetup: [
          "./test/support/programs.ts",
          "./test/support/postgres/global-setup.ts",
          "./test/support/api-server/global-setup.ts",
        ],
      }),
      level("web", {
        timeout: 120_000,
        globalSetup: [
          "./test/support/programs.ts",
          "./test/support/browser/global-setup.ts",
          "./test/support/postgres/global-setup.ts",
        ],
      }),
      level("cluster", {
        timeout: 600_000,
        workers: 1,
        globalSetup: ["./test/support/kubernetes/cluster-setup.ts"],
      }),
    ],
  },
});
