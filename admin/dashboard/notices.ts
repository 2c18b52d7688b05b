import { ApiError, isAbort } from "./api.ts";
import { type Child, h } from "./dom.ts";

/** Says that there is nothing, and what that means or what to do. */
export function nothingHere(title: string, ...explanation: readonly Child[]): HTMLElement {
  return h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), h("p", {}, ...explanation));
}

/** Says that something is being asked. */
export const loading = (what: string): HTMLElement => h("p", { class: "loading" }, `Loading ${what} …`);

/** Says what went wrong, in a way that a screen reader tells at once; nothing for a request that nobody waits for any more. */
export function failure(error: unknown, retry?: () => void): HTMLElement | null {
  if (isAbort(error)) return null;
  return h(
    "div",
    { class: "failure", role: "alert" },
    h("p", {}, words(error)),
    retry && h("button", { type: "button", onclick: retry }, "Try again"),
  );
}

/** A failure in a sentence for people. */
export function words(error: unknown): string {
  if (error instanceof ApiError) {
    if (error.status === 0 || error.status >= 500) return `${error.message} Nothing here is newer than your last look.`;
    return error.message;
  }
  return `This page met a defect of its own: ${(error as Error).message}`;
}

/** A remark beside something: `neutral`, `good`, `warn` or `bad`. The words carry the meaning, the colour only helps. */
export const badge = (text: string, tone: "neutral" | "good" | "warn" | "bad" = "neutral"): HTMLElement =>
  h("span", { class: `badge ${tone}` }, text);
