/** How soon somebody has to look: `critical` wakes people, `warning` is for the working day. */
export type Severity = "critical" | "warning";

/** One alert, as people think of it. The rule of Prometheus and the list of runbooks are made from it. */
export interface Alert {
  /** Also the name of its runbook: docs/runbooks/<name>.md. */
  readonly name: string;
  readonly severity: Severity;
  /** PromQL; whatever comes out of it fires. */
  readonly expr: string;
  /** How many minutes it has to be so before it fires; 0: at once. */
  readonly forMinutes: number;
  /** One line, for the subject of a message. May name labels that the expression keeps: `{{ $labels.name }}`. */
  readonly summary: string;
  /** What it means for those who wait for their jobs, and what it may come from. */
  readonly description: string;
}

/** Alerts about one thing. */
export interface AlertGroup {
  /** Of the group in Prometheus. */
  readonly name: string;
  /** Of the group in the list of runbooks. */
  readonly title: string;
  readonly alerts: readonly Alert[];
}
