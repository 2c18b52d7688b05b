import { h } from "./dom.ts";
import { instant, relative, span } from "./format.ts";

/** Texts that change as time goes by. One timer serves all; those that left the page are forgotten. */
const ticking = new Map<HTMLElement, (nowMs: number) => string>();

/** The server's clock minus this browser's, milliseconds: a wrong clock here must not make workers look dead. */
let skewMs = 0;

/** Learns the skew from an answer's own time. */
export function learnClock(serverTime: string): void {
  skewMs = Date.parse(serverTime) - Date.now();
}

/** Now, by the server's clock. */
export const serverNow = (): number => Date.now() + skewMs;

setInterval(() => {
  for (const [element, text] of ticking) {
    if (!element.isConnected) ticking.delete(element);
    else {
      const now = text(serverNow());
      if (element.textContent !== now) element.textContent = now;
    }
  }
}, 1000);

function tick<E extends HTMLElement>(element: E, text: (nowMs: number) => string): E {
  element.textContent = text(serverNow());
  ticking.set(element, text);
  return element;
}

/** An instant as `4 s ago`, with the whole of it as its title; `never` when there is none. */
export function ago(at: string | null, never: string = "–"): HTMLElement {
  if (at === null) return h("span", {}, never);
  return tick(h("time", { datetime: at, title: instant(at) }), (now) => relative(at, now));
}

/** What is left until an instant, counting down; `lapsed` behind it. */
export function countdown(until: string | null, lapsed: string): HTMLElement {
  if (until === null) return h("span", {}, "–");
  return tick(h("time", { datetime: until, title: instant(until) }), (now) => {
    const left = Date.parse(until) - now;
    return left <= 0 ? lapsed : span(Math.ceil(left / 1000) * 1000);
  });
}

/** An age that was so many milliseconds at an instant, and grows since. */
export function growing(ageMs: number | null, atMs: number = serverNow()): HTMLElement {
  if (ageMs === null) return h("span", {}, "–");
  const since = new Date(atMs - ageMs).toISOString();
  return tick(h("time", { datetime: since, title: `since ${instant(since)}` }), (now) =>
    span(Math.max(0, Math.round((ageMs + now - atMs) / 1000) * 1000)),
  );
}
