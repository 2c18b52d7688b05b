import { ask } from "./api.ts";
import { h, put } from "./dom.ts";
import { instant } from "./format.ts";
import { failure } from "./notices.ts";
import type { PageContext } from "./page.ts";
import { showAnswer } from "./show-answer.ts";
import { ago } from "./ticking.ts";

/** Ticks that are to come: in the reader's time, in UTC, and how far they are. */
export const tickList = (ticks: readonly string[]): HTMLElement =>
  h("ol", {}, ...ticks.map((tick) => h("li", {}, `${instant(tick)} here, `, h("code", {}, tick), ", ", ago(tick))));

/** Says when an expression would tick, before anybody relies on it. */
export function previewForm({ filters, signal }: PageContext): HTMLElement {
  const cron = h("input", {
    id: "cron",
    type: "text",
    required: true,
    value: filters.get("cron"),
    maxlength: 256,
    autocomplete: "off",
  });
  const zone = h("input", {
    id: "zone",
    type: "text",
    value: filters.get("zone") || "UTC",
    maxlength: 64,
    autocomplete: "off",
  });
  const answer = h("div", { "aria-live": "polite" });
  const form = h(
    "form",
    { class: "filters" },
    h("div", { class: "field" }, h("label", { for: "cron" }, "Cron expression"), cron),
    h("div", { class: "field" }, h("label", { for: "zone" }, "Time zone"), zone),
    h("button", { type: "submit" }, "Preview"),
  );
  const preview = (): void => {
    filters.set("cron", cron.value.trim());
    filters.set("zone", zone.value.trim());
    const query = { cron: cron.value.trim(), timeZone: zone.value.trim() || "UTC", count: 10 };
    void showAnswer(
      ask<{ ticks: readonly string[] }>("GET", "api/v1/schedule-preview", { query, signal }),
      signal,
      ({ ticks }) => {
        put(answer, ticks.length === 0 ? h("p", {}, "It never ticks again.") : tickList(ticks));
      },
      (error: unknown) => {
        put(answer, failure(error));
      },
    );
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    preview();
  });
  if (cron.value !== "") preview();
  return h(
    "section",
    { "aria-labelledby": "preview-title" },
    h("h2", { id: "preview-title" }, "When would it tick?"),
    form,
    answer,
  );
}
