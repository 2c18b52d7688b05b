import { Registry } from "prom-client";
import { systemClock } from "../../runtime/clock.ts";
import { loadAccess, type Access } from "../access.ts";
import { KubeClient } from "../client.ts";
import { kubeMetrics, type KubeMetrics } from "../metrics.ts";
import { defineResource } from "../resources.ts";
import { Transport, type RequestObservation, type TransportOptions } from "../transport.ts";

/** A client as the product makes it, and what it measured. */
export interface Edge {
  readonly client: KubeClient;
  readonly transport: Transport;
  readonly metrics: KubeMetrics;
  readonly requests: RequestObservation[];
  /** Sum of a metric over everything that has these labels. */
  readonly metric: (name: keyof KubeMetrics, labels: Readonly<Record<string, string>>) => Promise<number>;
  readonly close: () => Promise<void>;
}

/** Connects to the API server of a kubeconfig, or through other access to it. */
export async function connect(
  where: string | Access,
  options: Partial<Omit<TransportOptions, "access">> = {},
): Promise<Edge> {
  const access = typeof where === "string" ? await loadAccess({ kubeconfig: where }) : where;
  const metrics = kubeMetrics(new Registry());
  const requests: RequestObservation[] = [];
  const transport = new Transport({
    access,
    clock: systemClock,
    metrics,
    onRequest: (observation) => requests.push(observation),
    ...options,
  });
  return {
    client: new KubeClient(transport),
    transport,
    metrics,
    requests,
    metric: async (name, labels) => {
      const { values } = await metrics[name].get();
      const wanted = Object.entries(labels);
      const matching = values.filter((entry) => wanted.every(([key, value]) => entry.labels[key] === value));
      return matching.reduce((sum, entry) => sum + entry.value, 0);
    },
    close: () => transport.close(),
  };
}

/** A kind that every API server has and that nobody else acts on. */
export interface ConfigMap {
  readonly metadata?: object;
  readonly data?: Readonly<Record<string, string>>;
}

/** The kind ConfigMap. */
export const CONFIG_MAPS = defineResource<ConfigMap>({
  group: "",
  version: "v1",
  plural: "configmaps",
  kind: "ConfigMap",
});
