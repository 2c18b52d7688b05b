/** The admin server: an HTTP API over one store, for people and other systems. */
export { runAdminCommand } from "./command.ts";
export { type AdminSetting, SETTINGS as ADMIN_SETTINGS } from "./config.ts";
export { ADMIN_METRICS } from "./metrics.ts";
