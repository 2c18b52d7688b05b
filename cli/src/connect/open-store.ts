import { Database } from "@jobqueue/store";
import type { Arguments } from "../arguments.ts";
import type { Terminal } from "../terminal.ts";
import { byUrl } from "./by-url.ts";
import { storeAddress } from "./store-address.ts";
import { storeFailure } from "./store-failure.ts";
import type { Way } from "./way.ts";

/** A store that a verb works on. */
export interface OpenStore {
  readonly database: Database;
  /** Host, port, database and schema, for people; never a password. */
  readonly where: string;
  /** Who the cluster takes us for, when the store was found through one. */
  readonly clusterUser: () => Promise<string | undefined>;
}

/**
 * Opens the store that the command line names, hands it to `work`, and closes everything again, whatever happens. What
 * the store throws in between becomes a failure that names the store.
 */
export async function withStore<Result>(
  args: Arguments,
  terminal: Terminal,
  work: (store: OpenStore) => Promise<Result>,
): Promise<Result> {
  const address = storeAddress(args, terminal.env);
  let way: Way | undefined;
  let database: Database | undefined;
  try {
    // The edge to the API server is loaded only when it is needed.
    way =
      address.by === "url"
        ? await byUrl(address, terminal.env)
        : await (await import("./through-job-store.ts")).throughJobStore(address, terminal.env);
    const { connection, schema, where, clusterUser } = way;
    database = new Database({ connection, schema, applicationName: "jobqueue", poolSize: 2 });
    return await work({ database, where, clusterUser: clusterUser ?? (async () => undefined) });
  } catch (error) {
    throw storeFailure(error, way?.where, way?.remedy);
  } finally {
    // Closing sends hints that wait; when that fails the jobs are stored all the same.
    await database?.close().catch(() => {});
    await way?.close();
  }
}
