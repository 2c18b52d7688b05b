import { ADMIN_SETTINGS, runAdminCommand } from "@jobqueue/admin";
import type { RunVerb, Setting } from "../verb.ts";

/** The settings of the admin server, for the help. */
export const settings: readonly Setting[] = Object.values(ADMIN_SETTINGS).map((setting) => {
  const { flag, env, help } = setting;
  return {
    flag,
    env,
    help,
    ...("fallback" in setting && setting.fallback !== "" ? { default: setting.fallback } : {}),
  };
});

/** `jobqueue admin`. */
export const run: RunVerb = async (args, terminal) => runAdminCommand(args.rest, terminal.env);
