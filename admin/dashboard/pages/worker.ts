import type { Worker } from "../answers.ts";
import { ask } from "../api.ts";
import { h, put, update } from "../dom.ts";
import { count, span } from "../format.ts";
import { loading } from "../notices.ts";
import type { PageContext } from "../page.ts";
import { placeLink } from "../page-url.ts";
import { ago, countdown } from "../ticking.ts";
import { beat, sinceBeat, slots, verdict, VERDICTS } from "../worker-facts.ts";

/** One worker: who it is, where it runs, and what is thought of it. */
export async function showWorker({ root, live, signal }: PageContext, id: string): Promise<void> {
  const body = h("div", {}, loading("the worker"));
  put(root, h("p", { class: "back" }, h("a", { href: placeLink("workers") }, "All workers")), body);
  const draw = async (): Promise<void> => {
    update(body, facts(await ask<Worker>("GET", `api/v1/workers/${encodeURIComponent(id)}`, { signal })));
  };
  await draw();
  live.onChange(signal, () => {
    // One that is forgotten meanwhile stays as it was seen last.
    draw().catch(() => {});
  });
}

function facts(worker: Worker): HTMLElement {
  const texts: readonly (readonly [string, string | null])[] = [
    ["Pod", worker.pod],
    ["Namespace", worker.namespace],
    ["Node", worker.node],
    ["Host", worker.hostname],
    ["Container", worker.container],
    ["Process", worker.pid === null ? null : String(worker.pid)],
    ["Incarnation", worker.bootId],
    ["Pod UID", worker.podUid],
    ["Image", worker.image],
    ["Version", worker.version],
    ["Pool", worker.pool],
    ["Queues, in the order it serves them", worker.queues.join(", ")],
    ["Types it handles", worker.kinds === null ? "all" : worker.kinds.join(", ")],
    ["Why it left", worker.goneReason],
  ];
  return h(
    "dl",
    { class: "facts" },
    h("dt", {}, "Verdict"),
    h("dd", {}, verdict(worker), ` ${VERDICTS[worker.verdict].means}`),
    h("dt", {}, "Last beat"),
    h("dd", {}, beat(worker), !worker.renewing && ", and it did not renew the lease"),
    h("dt", {}, "Loop age"),
    h("dd", {}, sinceBeat(worker, worker.loopAgeMs)),
    h("dt", {}, "Slots busy"),
    h("dd", {}, slots(worker)),
    h("dt", {}, "Running, as the store counts"),
    h(
      "dd",
      {},
      h("a", { href: placeLink("items", undefined, { worker: worker.id, state: "running" }) }, count(worker.running)),
    ),
    h("dt", {}, "Lease"),
    h(
      "dd",
      {},
      worker.goneAt === null ? countdown(worker.leaseUntil, "lapsed") : "–",
      ` of ${span(worker.leaseSeconds * 1000)}`,
    ),
    h("dt", {}, "Last claim"),
    h("dd", {}, sinceBeat(worker, worker.lastClaimAgeMs)),
    h("dt", {}, "Last finish"),
    h("dd", {}, sinceBeat(worker, worker.lastFinishAgeMs)),
    h("dt", {}, "Started"),
    h("dd", {}, ago(worker.startedAt)),
    ...texts.flatMap(([title, text]) => (text === null ? [] : [h("dt", {}, title), h("dd", {}, text)])),
  );
}
