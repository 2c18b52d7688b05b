import { configureStore, storeSettings, type StoreSettings } from "@jobqueue/store";
import { personOf } from "../actor.ts";
import { withStore } from "../connect/open-store.ts";
import { exactDuration } from "../duration.ts";
import { printResult } from "../output/result.ts";
import { changesOf, renderSettings, type SettingRow } from "../settings.ts";
import type { RunVerb } from "../verb.ts";

/** The settings that say how long something is kept. */
type Retention = "completedSeconds" | "cancelledSeconds" | "deadSeconds" | "auditSeconds";

function keep(what: string, key: Retention, days: number): SettingRow<StoreSettings> {
  const flag = `keep-${what}`;
  return {
    flag,
    key,
    fallback: `${days}d`,
    read: (args) => args.number(flag),
    show: (settings) => (settings[key] === days * 86_400 ? undefined : exactDuration(settings[key] ?? 0)),
  };
}

/** The settings of a store as flags; defaults as in the store. */
export const STORE_SETTINGS: readonly SettingRow<StoreSettings>[] = [
  keep("completed", "completedSeconds", 7),
  keep("cancelled", "cancelledSeconds", 7),
  keep("dead", "deadSeconds", 30),
  keep("audit", "auditSeconds", 365),
];

/** `jobqueue configure-store`. */
export const run: RunVerb = async (args, terminal) => {
  const changes = changesOf(STORE_SETTINGS, args) as StoreSettings;
  const look = Object.keys(changes).length === 0;
  const { changed, settings, where } = await withStore(args, terminal, async (store) => {
    const { actor } = await personOf(store, terminal.env);
    const act = { actor, reason: args.text("reason") ?? "by hand" };
    const done = look ? false : await configureStore(store.database, changes, act);
    return { changed: done, settings: await storeSettings(store.database), where: store.where };
  });
  printResult(args, terminal, {
    value: { changed, settings },
    names: [],
    text: () => {
      const head = look
        ? `The store at ${where}:`
        : `The store at ${where}, ${changed ? "changed" : "which was like that before"}:`;
      return `${head}\n${renderSettings(STORE_SETTINGS, settings)}`;
    },
  });
  return 0;
};
