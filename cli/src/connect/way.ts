import type { ConnectionSettings } from "@jobqueue/store";

/** How a store is reached, and what has to be ended afterwards. */
export interface Way {
  readonly connection: ConnectionSettings;
  readonly schema: string;
  /** Host, port, database and schema, for people; never a password. */
  readonly where: string;
  /** What to do when the server does not answer. */
  readonly remedy: string | undefined;
  /** Who the cluster takes us for; absent when the store was not found through one. */
  readonly clusterUser?: () => Promise<string | undefined>;
  readonly close: () => Promise<void>;
}

/** Names a store for people. */
export function describeStore(connection: ConnectionSettings, schema: string): string {
  const host = connection.host.includes(":") ? `[${connection.host}]` : connection.host;
  return `${host}:${connection.port}/${connection.database}, schema ${schema}`;
}
