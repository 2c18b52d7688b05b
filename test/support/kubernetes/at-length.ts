/**
 * Whether tests run that take minutes each on real nodes, and whose rule a test on a real API server or with real processes
 * shows as well: with `E2E=all`. With all of them `make test` would not end within 45 minutes on two cores.
 */
export const AT_LENGTH = process.env["E2E"] === "all";
