/**
 * Turns the URLs by which other systems' clients know a route into ours: Connect has `/__api__` before its paths and may be
 * served below a path of a proxy, and wcs.backend's endpoints hang below any site and folder (`/Plone/@rq-queues`). Who may
 * do what is decided for the route that is reached, so there is nothing to gain by a prefix.
 */
export function rewriteUrl(url: string): string {
  const at = url.indexOf("?");
  const path = (at < 0 ? url : url.slice(0, at)).replaceAll(/%40/g, "@");
  const query = at < 0 ? "" : url.slice(at);
  const rq = /^(?:\/.*)?(\/@rq-(?:queues|job)(?:\/.*)?)$/.exec(path)?.[1];
  const connect = /^(?:\/.*)?\/__api__(\/.*)$/.exec(path)?.[1];
  const found = rq ?? connect;
  return found === undefined ? url : found + query;
}
