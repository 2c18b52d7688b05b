import { h } from "./dom.ts";
import type { Filters } from "./page.ts";

/** One filter. */
export interface Filter {
  /** Its name in the URL. */
  readonly name: string;
  readonly label: string;
  /** Choose one of these: value and words. Absent: any text. */
  readonly choices?: readonly (readonly [string, string])[];
  /** What may be typed, as a list to choose from. */
  readonly suggestions?: readonly string[];
  readonly pattern?: string;
  /** What the pattern means, in words. */
  readonly hint?: string;
}

const TYPING_MS = 400;

/** A form of filters, each with a label. What is chosen is in the URL at once, and `changed` is called. */
export function filterForm(filters: Filters, fields: readonly Filter[], changed: () => void): HTMLElement {
  const take = (name: string, input: HTMLInputElement | HTMLSelectElement): void => {
    if (!input.checkValidity() || input.value.trim() === filters.get(name)) return;
    filters.set(name, input.value.trim());
    // Another filter has other pages.
    filters.set("page", "");
    filters.set("after", "");
    changed();
  };
  const controls = fields.map((field) => {
    const { name, label, choices, suggestions, pattern, hint } = field;
    const id = `filter-${name}`;
    const value = filters.get(name);
    const list = suggestions === undefined ? undefined : `${id}-list`;
    const input = choices
      ? h(
          "select",
          { id },
          ...choices.map(([choice, words]) => h("option", { value: choice, selected: choice === value }, words)),
        )
      : h("input", { id, type: "text", value, list, pattern, title: hint, autocomplete: "off", maxlength: 200 });
    let typing: ReturnType<typeof setTimeout> | undefined;
    input.addEventListener("change", () => {
      clearTimeout(typing);
      take(name, input);
    });
    input.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => {
        take(name, input);
      }, TYPING_MS);
    });
    return h(
      "div",
      { class: "field" },
      h("label", { for: id }, label),
      input,
      suggestions && h("datalist", { id: list }, ...suggestions.map((text) => h("option", { value: text }))),
    );
  });
  const form = h("form", { class: "filters", role: "search", "aria-label": "Filters" }, ...controls);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
  });
  return form;
}
