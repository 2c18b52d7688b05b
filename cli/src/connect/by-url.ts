import { readFile } from "node:fs/promises";
import { parseStoreUrl, TLS_MODES, type TlsMode, type TlsSettings } from "@jobqueue/store";
import { usageFailure } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import type { StoreAddress } from "./store-address.ts";
import { describeStore, type Way } from "./way.ts";

/** TLS as a worker's environment says it, so that the command works in a worker's pod as it stands. */
async function tlsOfEnvironment(env: Terminal["env"]): Promise<TlsSettings | undefined> {
  const mode = env["JOBQUEUE_TLS_MODE"];
  if (!mode) return undefined;
  if (!(TLS_MODES as readonly string[]).includes(mode)) {
    throw usageFailure(`JOBQUEUE_TLS_MODE is '${mode}'`, `Set it to one of ${TLS_MODES.join(", ")}, or not at all.`);
  }
  const file = env["JOBQUEUE_TLS_CA_FILE"];
  try {
    return { mode: mode as TlsMode, ...(file ? { ca: await readFile(file, "utf8") } : {}) };
  } catch (cause) {
    throw usageFailure(`JOBQUEUE_TLS_CA_FILE cannot be read: ${(cause as Error).message}`);
  }
}

/** The way by a URL. One from the environment may come with the TLS settings of a worker's pod beside it. */
export async function byUrl(address: StoreAddress & { by: "url" }, env: Terminal["env"]): Promise<Way> {
  const tls = address.from === "DATABASE_URL" ? await tlsOfEnvironment(env) : undefined;
  const connection = parseStoreUrl(address.url, tls);
  return {
    connection,
    schema: address.schema,
    where: describeStore(connection, address.schema),
    remedy: `The address comes from ${address.from}.`,
    close: async () => {},
  };
}
