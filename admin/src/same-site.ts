import { isLoopback } from "./config.ts";
import { Problem } from "./problem.ts";

/** The headers that say where a request comes from. */
interface OriginHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly "sec-fetch-site"?: string | undefined;
}

/**
 * Refuses what another site made a browser send with the person's credentials (CSRF). Browsers say in Sec-Fetch-Site where a
 * request comes from and no page can forge it; old ones say Origin. A program sends neither, and brings its credentials itself.
 * The way Sidekiq went when it dropped CSRF tokens (sidekiq#6874).
 */
export function refuseCrossSite(method: string, headers: OriginHeaders): void {
  if (method === "GET" || method === "HEAD") return;
  const site = headers["sec-fetch-site"];
  if (site === "same-origin" || site === "none") return;
  if (site === undefined && (headers.origin === undefined || sameHost(headers.origin, headers.host))) return;
  throw new Problem("forbidden", "Another site made your browser send this; it was not done.");
}

function sameHost(origin: string, host: string | undefined): boolean {
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}

/**
 * On a loopback address: refuses names that are not of this machine. A page can have its own name lead to 127.0.0.1 (DNS
 * rebinding) and would then be the same site; it cannot make the browser say another name.
 */
export function refuseForeignHost(host: string | undefined): void {
  const name = (host ?? "").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  if (isLoopback(name)) return;
  throw new Problem("forbidden", "This server is for this machine only: call it by 127.0.0.1 or localhost.");
}
