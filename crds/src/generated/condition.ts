// Made by crds/scripts/generate.ts from crds/src/schema/; change those and run "make generate".

export interface Condition {
  /** What the condition is about. (at most 316 characters) */
  type: string;
  /** True, False or Unknown. */
  status: "True" | "False" | "Unknown";
  /** One word that says why. (at most 128 characters) */
  reason: string;
  /** One sentence for a person. (at most 4096 characters) */
  message: string;
  /** metadata.generation this was computed from. (minimum 0) */
  observedGeneration?: number;
  /** When status last changed. (at most 64 characters) */
  lastTransitionTime: string;
}
