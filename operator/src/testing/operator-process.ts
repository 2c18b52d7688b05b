/**
 * An operator as a process of its own, which tests stop with signals; run as `node operator-process.ts KUBECONFIG NAMESPACE
 * IDENTITY TIMES`. It works in that namespace only, with the times it is given (JSON, see spawn-operator.ts), and logs to stdout.
 */
import { pino } from "pino";
import { Operator } from "../main.ts";
import type { OperatorTimes } from "./spawn-operator.ts";
import { LONG_LEASE_TIMES, MONITOR_TIMES } from "./times.ts";

const [kubeconfig = "", namespace = "", identity = "", times = "{}"] = process.argv.slice(2);
const operator = new Operator({
  config: {
    namespace,
    watchNamespaces: [namespace],
    leaderElection: true,
    httpPort: 0,
    logLevel: "info",
    identity,
    kubeconfig,
  },
  log: pino({ base: null }),
  leaseTimes: LONG_LEASE_TIMES,
  monitorTimes: MONITOR_TIMES,
  ...(JSON.parse(times) as OperatorTimes),
});
process.once("SIGTERM", () => void operator.stop());
await operator.start();
