import type { Arguments } from "../arguments.ts";
import { usageFailure } from "../failure.ts";
import { DATABASE_FLAGS } from "../connect/store-address.ts";

/** Where the admin API is, and how to be somebody there; files are not read yet. */
export interface AdminAddress {
  /** http or https, without a slash at its end. May have a path, where a proxy has the server below one. */
  readonly url: string;
  readonly from: "--admin-url" | "JOBQUEUE_ADMIN_URL";
  /** The key itself, from the environment: never from an argument, which others see in the list of processes. */
  readonly key: string | undefined;
  /** A file with the key; stronger than `key` when it was given as a flag. */
  readonly keyFile: string | undefined;
  /** Certificate authorities of the server, PEM, in place of those that are known. */
  readonly caFile: string | undefined;
  /** How long one answer may take. */
  readonly timeoutSeconds: number;
}

const TIMEOUT_SECONDS = 30;

/**
 * The admin API that the command line names, or `undefined` when it names a database. What was asked for is stronger than what
 * happens to be in the environment; there the admin API is stronger than DATABASE_URL, which programs have for purposes of their own.
 */
export function adminAddress(
  args: Arguments,
  env: Readonly<Record<string, string | undefined>>,
): AdminAddress | undefined {
  const given = args.text("admin-url");
  const database = DATABASE_FLAGS.find((name) => args.text(name) !== undefined);
  if (given !== undefined && database !== undefined) {
    throw usageFailure(`--admin-url and --${database} are two ways to name a store`, "Give one of them.");
  }
  const text = given ?? (database === undefined ? env["JOBQUEUE_ADMIN_URL"] || undefined : undefined);
  if (text === undefined) {
    const alone = (["api-key-file", "admin-ca-file", "admin-timeout"] as const).find((name) => args.has(name));
    if (alone !== undefined) throw usageFailure(`--${alone} goes with --admin-url`, "Give that as well.");
    return undefined;
  }
  const from = given === undefined ? "JOBQUEUE_ADMIN_URL" : "--admin-url";
  const [flagFile, key] = [args.text("api-key-file"), env["JOBQUEUE_API_KEY"] || undefined];
  return {
    url: readUrl(text, from),
    from,
    key: flagFile === undefined ? key : undefined,
    keyFile: flagFile ?? (key === undefined ? env["JOBQUEUE_API_KEY_FILE"] || undefined : undefined),
    caFile: args.text("admin-ca-file") ?? (env["JOBQUEUE_ADMIN_CA_FILE"] || undefined),
    timeoutSeconds: args.number("admin-timeout") ?? TIMEOUT_SECONDS,
  };
}

function readUrl(text: string, from: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    // What was meant as a URL may have a secret in it.
    throw usageFailure(
      `${from} is no URL of an admin API`,
      "Such as https://jobqueue.example.org, or http://127.0.0.1:8090.",
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw usageFailure(
      `${from} has credentials in it, which others can see`,
      "Put the key into JOBQUEUE_API_KEY, or into a file for --api-key-file.",
    );
  }
  return (url.origin + url.pathname).replace(/\/+$/, "");
}
