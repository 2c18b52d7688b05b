/** What is said of a worker, in the list and on its page. */
import type { Worker } from "./answers.ts";
import { h } from "./dom.ts";
import { badge } from "./notices.ts";
import { ago, growing } from "./ticking.ts";

/** What each verdict means, and how bad it is. */
export const VERDICTS: Readonly<
  Record<Worker["verdict"], { readonly tone: "good" | "warn" | "bad" | "neutral"; readonly means: string }>
> = {
  healthy: { tone: "good", means: "It beats, and its loop turns." },
  draining: { tone: "neutral", means: "It claims nothing more, and ends what it runs." },
  claim_stalled: { tone: "warn", means: "It has free slots and has not claimed for a minute." },
  slots_stuck: { tone: "bad", means: "Every slot runs a job that does not stop although it was told to." },
  loop_blocked: { tone: "bad", means: "Its process lives, and its main loop does not turn: its lease runs out." },
  lapsed: { tone: "bad", means: "No heartbeat renewed its lease in time: what it runs is stale." },
  fenced: { tone: "bad", means: "It came back after its jobs were handed on; nothing it says counts." },
  gone: { tone: "neutral", means: "It left." },
};

/** The verdict as a remark. */
export const verdict = ({ verdict: word }: Worker): HTMLElement =>
  h("span", { title: VERDICTS[word].means }, badge(word.replaceAll("_", " "), VERDICTS[word].tone));

/** When it beat last: the live view says the instant, so the age grows by itself. */
export const beat = (worker: Worker): HTMLElement => ago(worker.heartbeatAt);
/** An age that was so when the worker beat last. */
export const sinceBeat = (worker: Worker, ageMs: number | null): HTMLElement =>
  growing(ageMs, Date.parse(worker.heartbeatAt));
/** Slots that run jobs, of how many. */
export const slots = ({ slotsBusy, concurrency, slotsStuck }: Worker): string =>
  `${slotsBusy ?? "?"} of ${concurrency ?? "?"}${(slotsStuck ?? 0) > 0 ? `, ${slotsStuck} stuck` : ""}`;
