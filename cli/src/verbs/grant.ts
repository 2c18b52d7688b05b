import { changeRole } from "../change-role.ts";

/** `jobqueue grant ROLE USER`. */
export const run = changeRole(true);
