import { hostname, userInfo } from "node:os";
import type { OpenStore } from "./connect/open-store.ts";

/** Who runs the command. */
export interface Person {
  /** Name of the local user, such as `ana`. */
  readonly user: string;
  /** For holds and the audit trail: `ana@laptop`, and who the cluster takes her for where that is known and differs. */
  readonly actor: string;
}

function localUser(env: Readonly<Record<string, string | undefined>>): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a user id that /etc/passwd does not know.
    return env["USER"] || `uid-${process.getuid?.() ?? "unknown"}`;
  }
}

/** Finds out who runs the command; asks the cluster when the store was found through one. */
export async function personOf(
  open: Pick<OpenStore, "clusterUser">,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Person> {
  const user = localUser(env);
  const known = await open.clusterUser();
  const local = `${user}@${hostname()}`;
  return { user, actor: known === undefined || known === user ? local : `${local} (${known})` };
}
