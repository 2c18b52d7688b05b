import type { Why } from "./answers.ts";
import { ask } from "./api.ts";
import { h, put, update } from "./dom.ts";
import { failure, loading } from "./notices.ts";
import { showAnswer } from "./show-answer.ts";

/** Why a queue or a job does not run, the most important reason first. `draw` asks anew. */
export function whyPanel(
  path: string,
  signal: AbortSignal,
): { readonly element: HTMLElement; readonly draw: () => void } {
  const body = h("div", {}, loading("the reasons"));
  const draw = (): void => {
    void showAnswer(
      ask<Why>("GET", path, { signal }),
      signal,
      ({ reasons }) => {
        const sorted = reasons.toSorted((a, b) => a.rank - b.rank);
        update(body, h("ol", { class: "reasons" }, ...sorted.map(({ message }) => h("li", {}, message))));
      },
      (error: unknown) => {
        put(body, failure(error, draw));
      },
    );
  };
  const element = h(
    "section",
    { "aria-labelledby": "why-title" },
    h("h2", { id: "why-title" }, "Why it is not running"),
    body,
  );
  return { element, draw };
}
