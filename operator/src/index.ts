/** The operator as a package: a command for the `jobqueue` binary, and the service itself. */
export { runOperatorCommand } from "./command.ts";
export { SETTINGS as OPERATOR_SETTINGS } from "./config.ts";
export { JOB_QUEUE_EVENTS, JOB_STORE_EVENTS } from "./controllers/events.ts";
export { KUBE_METRICS } from "./kube/index.ts";
export { OPERATOR_METRICS } from "./metrics.ts";
export { RUNTIME_METRICS } from "./runtime/index.ts";
