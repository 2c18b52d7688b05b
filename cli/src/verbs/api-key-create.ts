import { newApiKey } from "@jobqueue/admin/api-keys";
import { readScopes } from "@jobqueue/admin/scopes";
import { createApiKey, serverFacts } from "@jobqueue/store";
import { personOf } from "../actor.ts";
import { withStore } from "../connect/open-store.ts";
import { exactDuration } from "../duration.ts";
import { usageFailure } from "../failure.ts";
import { printResult } from "../output/result.ts";
import { remark } from "../terminal.ts";
import type { RunVerb } from "../verb.ts";

function scopesOf(texts: readonly string[]): readonly string[] {
  try {
    const scopes = readScopes(texts.join(","));
    if (scopes.length > 0) return scopes;
  } catch (error) {
    throw usageFailure(`--scope ${(error as Error).message}`);
  }
  throw usageFailure("--scope is missing", "Say what the key may do, such as --scope viewer.");
}

/** `jobqueue api-key create NAME`. */
export const run: RunVerb = async (args, terminal) => {
  const name = args.positional("NAME");
  const scopes = scopesOf(args.texts("scope"));
  const forSeconds = args.number("for");
  if (forSeconds === 0)
    throw usageFailure("--for 0s would be over at once", "Leave --for out for a key that lasts until it is revoked.");
  const { key, hash } = newApiKey();
  const made = await withStore(args, terminal, async (store) => {
    const { actor } = await personOf(store, terminal.env);
    const { now } = await serverFacts(store.database);
    const expiresAt = forSeconds === undefined ? undefined : new Date(now.getTime() + forSeconds * 1000);
    const reason = args.text("reason") ?? "made by hand";
    const id = await createApiKey(store.database, { name, hash, scopes, expiresAt }, { actor, reason });
    return { id, expiresAt: expiresAt ?? null };
  });
  const lasts = forSeconds === undefined ? "until it is revoked" : `for ${exactDuration(forSeconds)}`;
  remark(terminal, `Key ${name} works ${lasts}. It is shown this once; the store keeps only its hash.`);
  printResult(args, terminal, { value: { ...made, name, scopes, key }, names: [key], text: () => key });
  return 0;
};
