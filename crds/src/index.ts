/**
 * The two kinds, JobStore and JobQueue: their types as the API server returns them (every default filled in), names,
 * and the closed table of conditions. The CRDs themselves are crds/jobstores.yaml and crds/jobqueues.yaml.
 */
export * from "./annotations.ts";
export * from "./names.ts";
export * from "./conditions.ts";
export type * from "./object-meta.ts";
export type * from "./generated/condition.ts";
export type * from "./generated/job-queue.ts";
export type * from "./generated/job-store.ts";
