import { pauseSchedules } from "../schedules.ts";

/** `jobqueue schedule pause NAME`. */
export const run = pauseSchedules(true);
