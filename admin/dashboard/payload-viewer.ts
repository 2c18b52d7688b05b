import { ask } from "./api.ts";
import { h, put } from "./dom.ts";
import { pretty } from "./format.ts";
import { failure, loading } from "./notices.ts";
import { may } from "./session.ts";
import { showAnswer } from "./show-answer.ts";

interface Carried {
  readonly payload: unknown;
  readonly result: unknown;
}

/** A button that shows what a job carries, in a dialog. Only with the permission, and each look is in the audit trail. */
export function payloadButton(id: string, words = "Show"): HTMLElement {
  if (!may("payloads:read")) return h("span", { class: "hidden-payload" }, "hidden");
  return h(
    "button",
    { type: "button", class: "small", "aria-label": `Show payload of job ${id}`, onclick: () => show(id) },
    words,
  );
}

function show(id: string): void {
  const closed = new AbortController();
  const { signal } = closed;
  const body = h("div", {}, loading("the payload"));
  const close = h("button", { type: "button", onclick: () => dialog.close() }, "Close");
  const dialog = h(
    "dialog",
    { "aria-labelledby": "payload-title", class: "wide" },
    h("h2", { id: "payload-title" }, `Payload of job ${id}`),
    body,
    h("p", { class: "hint" }, "That you looked is in the audit trail."),
    h("div", { class: "buttons" }, close),
  );
  dialog.addEventListener("close", () => {
    closed.abort();
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  void showAnswer(
    ask<Carried>("GET", `api/v1/jobs/${id}/payload`, { query: { reason: "looked at in the dashboard" } }),
    signal,
    ({ payload, result }) => {
      put(body, block("Payload", payload), result !== null && block("Result", result));
    },
    (error: unknown) => {
      put(body, failure(error));
    },
  );
}

function block(title: string, value: unknown): HTMLElement {
  const text = h("pre", { tabindex: 0, role: "region", "aria-label": title }, pretty(value));
  return h("div", {}, h("h3", {}, title), text);
}
