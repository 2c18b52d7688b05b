/** How a worker process ends. Kubernetes shows the number in the container's last state. */
export const EXIT_CODE = {
  /** Drained: everything held was finished or given back (or the store was away and the leases will expire). */
  drained: 0,
  /** A defect: an exception that nothing caught. */
  defect: 1,
  /** The configuration or the handlers cannot be used; the message lists every problem. */
  configuration: 64,
  /** No progress is possible: all slots stuck, or the claim loop stands still. A blocked event loop ends by SIGKILL (137). */
  hung: 70,
  /** The watchdog thread died: without it nothing would renew the lease or notice a blocked event loop. */
  watchdogDied: 71,
} as const;

export type ExitCode = (typeof EXIT_CODE)[keyof typeof EXIT_CODE];
