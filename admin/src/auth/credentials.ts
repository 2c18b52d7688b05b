import { Problem } from "../problem.ts";

/** What a request brings to prove who sends it. */
export interface PresentedCredentials {
  readonly secret: string;
  /** A browser adds it by itself, also to requests that another site made it send. */
  readonly ambient: boolean;
}

/** Longer than any token of an API server, and far shorter than what would be work to hash. */
const MAX_LENGTH = 8192;

/**
 * Reads the header Authorization: `Key SECRET` (Posit Connect), `Bearer SECRET`, or `Basic` with the secret as the password
 * (wcs.backend; the user name is not looked at). Absent: undefined. Repeated or unreadable: a problem, never a guess.
 */
export function readAuthorization(headers: readonly string[] | undefined): PresentedCredentials | undefined {
  if (headers === undefined || headers.length === 0) return undefined;
  const [header = ""] = headers;
  if (headers.length > 1) throw unreadable("it is there twice");
  if (header.length > MAX_LENGTH) throw unreadable("it is too long");
  const match = /^(Key|Bearer|Basic) +([\w.~+/=-]+) *$/i.exec(header);
  const [, scheme = "", value = ""] = match ?? [];
  if (match === null) throw unreadable("write Key, Bearer or Basic, a space and the secret");
  if (scheme.toLowerCase() !== "basic") return { secret: value, ambient: false };
  const pair = Buffer.from(value, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  if (colon < 0) throw unreadable("Basic needs USER:PASSWORD in base64");
  return { secret: pair.slice(colon + 1), ambient: true };
}

function unreadable(why: string): Problem {
  return new Problem("unauthorized", `The header Authorization cannot be read: ${why}.`);
}
