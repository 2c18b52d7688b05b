import { type Child, h, put, refocus } from "./dom.ts";
import { failure } from "./notices.ts";
import { showAnswer } from "./show-answer.ts";

/** What a dialog asks. */
interface DialogOptions {
  readonly title: string;
  readonly body?: readonly Child[];
  readonly fields?: readonly Field[];
  /** What the button says that does it. */
  readonly action: string;
  readonly danger?: boolean;
  /** Does it. A dialog whose act failed stays open and says why; another try is one more press. */
  readonly act: (values: Readonly<Record<string, string>>) => Promise<void>;
}

/** Something to fill in. */
interface Field {
  readonly name: string;
  readonly label: string;
  readonly value?: string;
  readonly hint?: string;
  readonly required?: boolean;
  readonly maxLength?: number;
  /** Hidden while it is typed. */
  readonly secret?: boolean;
  /** Choose one of these: value and words. */
  readonly choices?: readonly (readonly [string, string])[];
}

/**
 * Asks before something is done. The browser's own modal dialog: it keeps the focus, Escape leaves it, and the focus goes back to where
 * it was. Resolves to whether it was done.
 */
export async function askFirst({
  title,
  body = [],
  fields = [],
  action,
  danger,
  act,
}: DialogOptions): Promise<boolean> {
  const problem = h("div");
  const submit = h("button", { type: "submit", class: danger ? "danger" : "primary" }, action);
  const cancel = h("button", { type: "button", onclick: () => dialog.close() }, "Back");
  const controls = fields.map(control);
  const form = h(
    "form",
    {},
    h("h2", { id: "dialog-title" }, title),
    ...body,
    ...controls.map(({ element }) => element),
    problem,
    h("div", { class: "buttons" }, cancel, submit),
  );
  const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, form);
  let done = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (submit.disabled) return;
    submit.disabled = true;
    put(problem);
    const values = Object.fromEntries(controls.map(({ name, input }) => [name, input.value.trim()]));
    cancel.disabled = true;
    const succeed = (): void => {
      done = true;
      dialog.close();
    };
    void showAnswer(act(values), new AbortController().signal, succeed, (error) => {
      submit.disabled = false;
      cancel.disabled = false;
      put(problem, failure(error));
    });
  });
  // What is under way is not left by Escape: whoever started it learns how it ended.
  dialog.addEventListener("cancel", (event) => {
    if (submit.disabled) event.preventDefault();
  });
  const opener = document.activeElement;
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      // The browser gives the focus back; unless what had it went away meanwhile.
      if (opener?.isConnected !== true) refocus(undefined);
      resolve(done);
    });
  });
}

/** A labelled control of a field. */
function control(field: Field) {
  const { name, label, value = "", hint, required = false, maxLength = 1024, secret, choices } = field;
  const id = `field-${name}`;
  const described = hint === undefined ? undefined : `${id}-hint`;
  const input = choices
    ? h(
        "select",
        { id, "aria-describedby": described },
        ...choices.map(([choice, words]) => h("option", { value: choice, selected: choice === value }, words)),
      )
    : h("input", {
        id,
        type: secret ? "password" : "text",
        value,
        required,
        maxlength: maxLength,
        autocomplete: "off",
        spellcheck: secret ? "false" : undefined,
        "aria-describedby": described,
      });
  const element = h(
    "div",
    { class: "field" },
    h("label", { for: id }, label, required ? " (required)" : ""),
    input,
    hint !== undefined && h("p", { class: "hint", id: described }, hint),
  );
  return { name, input, element };
}
