import { h, put } from "./dom.ts";
import type { Freshness } from "./live.ts";
import type { Page } from "./page.ts";
import { placeLink } from "./page-url.ts";
import { may, whoAmI } from "./session.ts";

/** How fresh it is, without a reason and before one. */
const FRESH: Readonly<Record<Freshness, readonly [string, string]>> = {
  live: ["Live", "Live"],
  waiting: ["Connecting …", "Not live"],
  old: ["Not fresh", "Not fresh"],
};

/** What is around every page: navigation, who is signed in, and how fresh it all is. */
export class Shell {
  /** Where pages draw. */
  readonly page = h("div", { id: "page" });
  readonly #title = h("h1", { tabindex: -1 });
  readonly #nav = required("nav");
  readonly #who = required("#who");
  readonly #freshness = required("#freshness");

  constructor() {
    const main = required("main");
    put(main, this.#title, this.page);
    // A link to #main would be a place of the dashboard: the fragment is taken.
    required("#skip").addEventListener("click", (event) => {
      event.preventDefault();
      this.#title.focus();
    });
  }

  /** Names the page that is shown. `focus`: it was gone to, so a screen reader begins there. */
  showTitle(title: string, focus: boolean): void {
    this.#title.textContent = title;
    document.title = `${title} – Job queues`;
    if (focus) this.#title.focus();
  }

  /** Draws the navigation: only what this person may see. */
  drawNavigation(pages: readonly Page[], current: string): void {
    const links = pages
      .filter(({ scope }) => may(scope))
      .map(({ name, title }) =>
        h("li", {}, h("a", { href: placeLink(name), "aria-current": name === current ? "page" : undefined }, title)),
      );
    put(this.#nav, h("ul", {}, ...links));
  }

  /** Says who is signed in. */
  drawWho(signIn: () => void, signOut: () => void): void {
    const { actor, by } = whoAmI();
    const signedIn = by !== "nothing";
    put(
      this.#who,
      h("span", {}, signedIn ? actor : "Not signed in"),
      h(
        "button",
        { type: "button", class: "small", onclick: signedIn ? signOut : signIn },
        signedIn ? "Sign out" : "Sign in",
      ),
    );
  }

  /** Says how fresh what is shown is. */
  readonly drawFreshness = (freshness: Freshness, why: string): void => {
    this.#freshness.className = `freshness ${freshness}`;
    const [alone, before] = FRESH[freshness];
    const text = why === "" ? alone : `${before}: ${why}`;
    // A status that says the same again would be read aloud again.
    if (this.#freshness.textContent !== text) this.#freshness.textContent = text;
  };
}

function required(selector: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(selector);
  if (found === null) throw new Error(`the page has no ${selector}`);
  return found;
}
