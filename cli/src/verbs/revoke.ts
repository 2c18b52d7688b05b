import { changeRole } from "../change-role.ts";

/** `jobqueue revoke ROLE USER`. */
export const run = changeRole(false);
