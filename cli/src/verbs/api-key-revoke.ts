import { revokeApiKey } from "@jobqueue/store";
import { personOf } from "../actor.ts";
import { withStore } from "../connect/open-store.ts";
import { Failure } from "../failure.ts";
import { printResult } from "../output/result.ts";
import type { RunVerb } from "../verb.ts";

/** `jobqueue api-key revoke NAME`. */
export const run: RunVerb = async (args, terminal) => {
  const name = args.positional("NAME");
  await withStore(args, terminal, async (store) => {
    const { actor } = await personOf(store, terminal.env);
    if (await revokeApiKey(store.database, name, { actor, reason: args.text("reason") ?? "revoked by hand" })) return;
    throw new Failure("notFound", `there is no key '${name}' that works`, {
      remedy: "`jobqueue api-key list --all` shows all.",
    });
  });
  printResult(args, terminal, {
    value: { name, revoked: true },
    names: [name],
    text: () => `Key ${name} opens nothing any more.`,
  });
  return 0;
};
