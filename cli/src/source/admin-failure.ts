import type { ExitName } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import type { AdminAddress } from "./admin-address.ts";
import { AdminProblem, NoAnswer } from "./admin-api.ts";

/** How the command ends for each status: as it does when the database says the same. */
const EXITS: Readonly<Record<number, ExitName>> = {
  400: "usage",
  401: "storeUnreachable",
  403: "failed",
  404: "notFound",
  409: "refused",
  413: "usage",
  429: "storeUnreachable",
  503: "storeUnreachable",
};

const UNKNOWN_AUTHORITY =
  /SELF_SIGNED|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT|CERT_SIGNATURE_FAILURE/;

/** What the admin API answered, or that it did not, as a failure that names it and says what to do. */
export function adminFailure(error: unknown, { url, from, key, keyFile }: AdminAddress): unknown {
  if (error instanceof AdminProblem) {
    const exit = EXITS[error.status] ?? "failed";
    const remedy = remedyOf(error, key === undefined && keyFile === undefined);
    // What is wrong with the question needs no address.
    const message =
      exit === "usage" || exit === "refused" ? error.message : `the admin API at ${url}: ${error.message}`;
    return new Failure(exit, message, { remedy, cause: error });
  }
  if (!(error instanceof NoAnswer)) return error;
  const half = error.sent ? " Whether what was to be changed was changed is unknown: look before you repeat it." : "";
  return new Failure("storeUnreachable", `the admin API at ${url}: ${error.message}`, {
    remedy: `${wayOut(error, from)}${half}`,
    cause: error,
  });
}

function remedyOf({ status, retryAfterSeconds }: AdminProblem, nobody: boolean): string | undefined {
  switch (status) {
    case 401:
      return nobody
        ? "Put a key into JOBQUEUE_API_KEY, or into a file for --api-key-file. `jobqueue api-key create` makes one."
        : "The key is wrong, revoked or over; `jobqueue api-key list` shows which there are, where the database is at hand.";
    case 403:
      return "A key has the scopes it was made with: ask for one that has this too (`jobqueue api-key create NAME --scope SCOPE`).";
    case 429:
    case 503:
      return retryAfterSeconds === undefined ? "Try again in a while." : `Try again in ${retryAfterSeconds} s.`;
    case 504:
      return "Narrow what you ask for: one queue, one state, a smaller --limit or --max.";
    case 500:
      return "Its log says more.";
    default:
      return undefined;
  }
}

function wayOut({ code }: NoAnswer, from: string): string {
  if (UNKNOWN_AUTHORITY.test(code)) {
    return "Its certificate is of an authority that is not known here: give that with --admin-ca-file.";
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "Its certificate is for another name: use the one it is for.";
  if (code === "CERT_HAS_EXPIRED") return "Whoever runs it has to renew the certificate.";
  if (code === "EPROTO") return "It does not speak TLS there: the URL may have to begin with http://.";
  if (code === "REDIRECT") return "Give the address that it redirects to, if that is meant: the key goes nowhere else.";
  if (code === "TIMEOUT") return "Try again, or wait longer with --admin-timeout.";
  return `The address comes from ${from}. In a cluster: kubectl port-forward service/NAME 8090 makes it http://127.0.0.1:8090.`;
}
