import { pauseSchedules } from "../schedules.ts";

/** `jobqueue schedule resume NAME`. */
export const run = pauseSchedules(false);
