/** What `kubectl port-forward` must lead to so that a host name inside a cluster is reached from outside. */
export interface ForwardTarget {
  readonly namespace: string;
  /** Such as `service/postgres`, or `pod/postgres-0` for the name of one pod of a headless Service. */
  readonly resource: string;
  /** Whether the name can only be one inside a cluster; otherwise the network may know it as well. */
  readonly certain: boolean;
}

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * What a host name means inside a cluster, seen from a namespace: `db`, `db.shop`, `db.shop.svc`,
 * `db.shop.svc.cluster.local` and `db-0.db.shop.svc…` (DNS for Services and Pods). `undefined` when it cannot be one.
 */
export function forwardTarget(host: string, namespace: string): ForwardTarget | undefined {
  const labels = host.toLowerCase().replace(/\.$/, "").split(".");
  if (/^[\d.]+$/.test(host) || host === "localhost" || !labels.every((label) => LABEL.test(label))) return undefined;
  const svc = labels.indexOf("svc");
  const inside = svc > 0 && (labels.length === svc + 1 || labels.slice(svc + 1).join(".") === "cluster.local");
  const names = inside ? labels.slice(0, svc) : labels;
  const [first, second, third, ...more] = names;
  if (first === undefined || more.length > 0) return undefined;
  if (third !== undefined) {
    return inside ? { namespace: third, resource: `pod/${first}`, certain: true } : undefined;
  }
  if (inside && second === undefined) return undefined;
  return { namespace: second ?? namespace, resource: `service/${first}`, certain: inside };
}
