import { defineConfig } from "vitest/config";

/**
 * One vitest project per level of `make test` (`test/run.ts` runs them in order). A test file belongs to the level
 * named before `.test.ts`: `x.store.test.ts` needs a Postgres, `x.cluster.test.ts` a cluster; plain `x.test.ts` is pure.
 */
const level = (name: string, options: { timeout: number; parallel?: boolean; globalSetup?: string[] }) => ({
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
    fileParallelism: options.parallel ?? true,
    ...(options.globalSetup ? { globalSetup: options.globalSetup } : {}),
  },
});

/** Levels that need something real beside the code, in the order they run. */
const LEVELS = ["store", "worker", "api", "web", "cluster"];

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      level("unit", { timeout: 60_000 }),
      level("store", {
        timeout: 60_000,
        globalSetup: ["./test/support/programs.ts", "./test/support/postgres/global-setup.ts"],
      }),
      level("worker", {
        timeout: 120_000,
        globalSetup: ["./test/support/programs.ts", "./test/support/postgres/global-setup.ts"],
      }),
      level("api", {
        timeout: 120_000,
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
        parallel: false,
        globalSetup: ["./test/support/kubernetes/cluster-setup.ts"],
      }),
    ],
  },
});
