/** The product's worker, with every call of the store logged; see test/support/history. */
import { runWorkerCommand } from "@jobqueue/worker";
import { logEveryCall } from "../support/history/logged-session.ts";
import { processLog } from "./handlers.ts";

logEveryCall(processLog);
process.exit(await runWorkerCommand(process.env, process.argv.slice(2)));
