/** A worker process as a user starts it, for tests: `jobqueue worker` without the rest of the command. */
import { runWorkerCommand } from "../index.ts";

process.exit(await runWorkerCommand(process.env, process.argv.slice(2)));
