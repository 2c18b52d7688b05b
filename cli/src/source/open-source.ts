import type { Arguments } from "../arguments.ts";
import { withStore } from "../connect/open-store.ts";
import type { Terminal } from "../terminal.ts";
import { adminAddress } from "./admin-address.ts";
import { databaseSource, type Source } from "./source.ts";

/** What a verb works on that needs no database of its own. */
export interface OpenSource {
  readonly source: Source;
  /** Who the cluster takes us for, when the store was found through one. */
  readonly clusterUser: () => Promise<string | undefined>;
}

/**
 * Opens what the command line names, the admin API or a database, hands it to `work`, and closes everything again, whatever happens.
 * What goes wrong in between becomes a failure that names it.
 */
export async function withSource<Result>(
  args: Arguments,
  terminal: Terminal,
  work: (open: OpenSource) => Promise<Result>,
): Promise<Result> {
  const address = adminAddress(args, terminal.env);
  if (address === undefined) {
    return withStore(args, terminal, async ({ database, clusterUser }) =>
      work({ source: databaseSource(database), clusterUser }),
    );
  }
  const { throughAdminApi } = await import("./through-admin-api.ts");
  return throughAdminApi(address, terminal, async (source) => work({ source, clusterUser: async () => undefined }));
}
