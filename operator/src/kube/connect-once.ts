import { Registry } from "prom-client";
import { systemClock } from "../runtime/clock.ts";
import { type Access, type AccessOptions, loadAccess } from "./access.ts";
import { KubeClient } from "./client.ts";
import { kubeMetrics } from "./metrics.ts";
import { Transport } from "./transport.ts";

/**
 * A client for a program that makes a few calls and ends, such as a subcommand: nobody reads its metrics. Close
 * `client.transport` when done. @throws KubeError `NotConfigured`
 */
export async function connectOnce(
  options: Omit<AccessOptions, "clock"> & { readonly userAgent: string },
): Promise<{ readonly access: Access; readonly client: KubeClient }> {
  const { userAgent, ...where } = options;
  const access = await loadAccess(where);
  const metrics = kubeMetrics(new Registry());
  return { access, client: new KubeClient(new Transport({ access, clock: systemClock, metrics, userAgent })) };
}
