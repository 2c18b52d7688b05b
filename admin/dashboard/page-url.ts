/**
 * Where in the dashboard somebody is: page, thing and filters, all in the fragment of the URL. So a link shows somebody else
 * the same, a path prefix of a proxy does not matter, and what was looked for is in no server's log.
 */

/** A place: `#/items?queue=mail&state=dead` is page `items`; `#/jobs/4711` is page `jobs` with the thing `4711`. */
export interface Place {
  readonly page: string;
  readonly thing: string | undefined;
  readonly filters: URLSearchParams;
}

/** Reads a fragment; one that says nothing is the page of queues. */
export function readPlace(fragment: string): Place {
  const [path = "", query = ""] = fragment.replace(/^#?\/?/, "").split("?", 2);
  const at = path.indexOf("/");
  const page = at < 0 ? path : path.slice(0, at);
  return {
    page: page === "" ? "queues" : page,
    thing: at < 0 ? undefined : decode(path.slice(at + 1)),
    filters: new URLSearchParams(query),
  };
}

/** The fragment of a place; filters that are empty are left out. */
export function placeLink(
  page: string,
  thing?: string,
  filters: Readonly<Record<string, string>> | URLSearchParams = {},
): string {
  const entries = filters instanceof URLSearchParams ? [...filters] : Object.entries(filters);
  const query = new URLSearchParams(entries.filter(([, value]) => value !== "")).toString();
  return `#/${page}${thing === undefined ? "" : `/${encodeURIComponent(thing)}`}${query === "" ? "" : `?${query}`}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
