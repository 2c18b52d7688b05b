/** The dashboard: shows the page that the URL names, as who is signed in. */
import { ApiError } from "./api.ts";
import { h, put } from "./dom.ts";
import { Live } from "./live.ts";
import { failure, nothingHere } from "./notices.ts";
import { Filters, type Page } from "./page.ts";
import { readPlace } from "./page-url.ts";
import { AUDIT_PAGE } from "./pages/audit.ts";
import { ITEMS_PAGE } from "./pages/items.ts";
import { JOB_PAGE } from "./pages/job.ts";
import { QUEUES_PAGE } from "./pages/queues.ts";
import { RECOVERY_PAGE } from "./pages/recovery.ts";
import { SCHEDULES_PAGE } from "./pages/schedules.ts";
import { WORKERS_PAGE } from "./pages/workers.ts";
import { may, whoAmI } from "./session.ts";
import { Shell } from "./shell.ts";
import { findOutWho, signIn, signOut } from "./sign-in.ts";

const PAGES: readonly Page[] = [
  QUEUES_PAGE,
  ITEMS_PAGE,
  JOB_PAGE,
  WORKERS_PAGE,
  RECOVERY_PAGE,
  SCHEDULES_PAGE,
  AUDIT_PAGE,
];

const shell = new Shell();
const live = new Live(shell.drawFreshness);
/** Ends what the page that is shown has under way. */
let leaving = new AbortController();

/** Draws the page that the URL names. `moved`: somebody went there, so it gets the focus. */
async function show(moved: boolean): Promise<void> {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const { page: name, thing, filters } = readPlace(location.hash);
  const page = PAGES.find((candidate) => candidate.name === name);
  shell.drawNavigation(PAGES, name);
  shell.showTitle(titleOf(page, thing), moved);
  // Each page has an element of its own: what a page that was left draws late, nobody sees.
  const root = h("div");
  put(shell.page, root);
  if (page === undefined) {
    put(root, nothingHere("The dashboard has no such page.", h("a", { href: "#/queues" }, "All queues"), "."));
    return;
  }
  if (!may(page.scope)) {
    put(root, notAllowed(page));
    return;
  }
  try {
    await page.show({
      root,
      live,
      signal,
      thing,
      filters: new Filters(name, thing, filters),
      reload: () => void show(false),
    });
  } catch (error) {
    if (!signal.aborted)
      put(
        root,
        failure(error, () => void show(false)),
      );
  }
}

function titleOf(page: Page | undefined, thing: string | undefined): string {
  if (page === undefined) return "Nothing here";
  return page.one === undefined || thing === undefined ? page.title : `${page.one} ${thing}`;
}

function notAllowed({ scope }: Page): HTMLElement {
  if (whoAmI().by !== "nothing")
    return nothingHere("You may not see this.", `It needs the scope ${scope}, which your credentials do not have.`);
  const button = h("button", { type: "button", class: "primary", onclick: () => void enter() }, "Sign in");
  return nothingHere("Sign in to see this.", "This server shows it to nobody it does not know. ", button);
}

async function enter(): Promise<void> {
  if (await signIn()) await begin();
}

/** Begins anew as whoever is signed in. */
async function begin(): Promise<void> {
  try {
    await findOutWho();
  } catch (error) {
    // A key that was revoked meanwhile must not lock the tab out of the sign-in.
    if (error instanceof ApiError && error.status === 401) {
      signOut();
      return begin();
    }
    put(
      shell.page,
      failure(error, () => void begin()),
    );
    return;
  }
  shell.drawWho(
    () => void enter(),
    () => {
      signOut();
      void begin();
    },
  );
  if (may("queues:read")) live.connect();
  else {
    live.disconnect();
    shell.drawFreshness("waiting", "not signed in");
  }
  await show(false);
}

addEventListener("hashchange", () => void show(true));
await begin();
