/**
 * A process that takes part in an election and says what it does, one JSON line each; run as
 * `node elector-process.ts KUBECONFIG NAMESPACE IDENTITY`. Tests stop it with signals. While its term is current it
 * says `acting` every 20 ms, with the time of the wall clock: what a leader would do to the world.
 */
import { Registry } from "prom-client";
import { sleep, systemClock } from "../../runtime/clock.ts";
import { silentLog } from "../../runtime/log.ts";
import { loadAccess } from "../access.ts";
import { KubeClient } from "../client.ts";
import { LeaderElector } from "../lease.ts";
import { kubeMetrics } from "../metrics.ts";
import { Transport } from "../transport.ts";

const [kubeconfig, namespace = "", identity = ""] = process.argv.slice(2);
const say = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`);
const clock = systemClock;
const metrics = kubeMetrics(new Registry());
const transport = new Transport({ access: await loadAccess({ kubeconfig }), clock, metrics });
const elector = new LeaderElector({
  client: new KubeClient(transport),
  namespace,
  leaseName: "test",
  identity,
  clock,
  log: silentLog,
  metrics,
  leaseDurationMs: 2000,
  renewDeadlineMs: 1400,
  retryPeriodMs: 200,
  lead: async (term) => {
    say({ what: "leading", fence: term.fence });
    do {
      if (term.isCurrent()) say({ what: "acting", at: Date.now() });
    } while (await sleep(clock, 20, term.ending));
    say({ what: term.lost.aborted ? "lost" : "ending" });
  },
});
process.once("SIGTERM", () => {
  void elector.stop().then(() => transport.close());
});
await elector.start();
