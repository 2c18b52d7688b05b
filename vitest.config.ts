import { defineConfig } from "vitest/config";

interface LevelOptions {
  /** Of a test and of a hook, milliseconds. */
  readonly timeout: number;
  /** Files at once (2). */
  readonly workers?: number;
  readonly globalSetup?: string[];
  /** Other files than those named after the level. */
  readonly include?: string[];
  readonly exclude?: string[];
}

/**
 * One vitest project per level of `make test` (`test/run.ts` runs them in order). A test file belongs to the level
 * named before `.test.ts`: `x.store.test.ts` needs a Postgres, `x.cluster.test.ts` a cluster; plain `x.test.ts` is pure.
 */
const level = (name: string, options: LevelOptions) => ({
  test: {
    name,
    include: options.include ?? [name === "unit" ? "**/*.test.ts" : `**/*.${name}.test.ts`],
    exclude: [
      "**/node_modules/**",
      "**/dist/**",
      ...(name === "unit" ? LEVELS.map((other) => `**/*.${other}.test.ts`) : []),
      ...(options.exclude ?? []),
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

/** Projects that need something real beside the code, in the order they run. */
const LEVELS = ["store", "worker", "web", "api", "cluster-together", "cluster"];

/** Files at once where tests mostly wait (for leases to lapse, for polls): with two, two cores are idle for half of the time. */
const WAITING = 3;

/**
 * End-to-end tests that leave nodes and operator alone, each in namespaces of its own: they run beside each other. With
 * `E2E=all` one of them cuts a node off.
 */
const TOGETHER = ["health", "lifecycle", "operations", "scale"].map((name) => `test/e2e/${name}.cluster.test.ts`);
const CLUSTER = { timeout: 600_000, globalSetup: ["./test/support/kubernetes/cluster-setup.ts"] };

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
      level("cluster", { ...CLUSTER, workers: 1, exclude: TOGETHER }),
      level("cluster-together", { ...CLUSTER, workers: process.env["E2E"] === "all" ? 1 : 2, include: TOGETHER }),
    ],
  },
});
