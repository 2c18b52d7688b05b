/** Something to put into an element. Texts become text nodes: what comes from the store never becomes markup (S23). */
export type Child = Node | string | number | null | undefined | false;

type Listener = (event: Event) => void;
type Attributes = Readonly<Record<string, string | number | boolean | null | undefined | Listener>>;

/** Makes an element. Attributes that are false, null or undefined are left out; `onclick: f` listens for `click`. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

/** Makes an element of SVG. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** Replaces what is in an element. */
export function put(element: Element, ...children: readonly Child[]): void {
  element.replaceChildren(...children.filter(isThere).map(toNode));
}

/**
 * Makes an element hold these children, and keeps of what is there whatever is drawn again as it was: a live view draws while
 * somebody presses, types and reads. Who had the focus in something that is gone now goes to what is around it.
 */
export function update(element: Element, ...children: readonly Child[]): void {
  const focused = document.activeElement;
  const within = focused !== null && element.contains(focused);
  settle(
    element,
    children.filter(isThere).map((child) => (child instanceof Node ? child : document.createTextNode(String(child)))),
  );
  if (within && !focused.isConnected) refocus(element);
}

/** Gives the focus to the nearest thing around an element that can have it, else to the heading of the page. */
export function refocus(element: Element | undefined): void {
  (element?.closest<HTMLElement>("[tabindex]") ?? document.querySelector<HTMLElement>("h1"))?.focus();
}

/** Makes an element that is shown what another one is. */
export function become(shown: ChildNode, drawn: Node): void {
  if (shown.isEqualNode(drawn)) return;
  if (
    !(shown instanceof Element) ||
    !(drawn instanceof Element) ||
    shown.tagName !== drawn.tagName ||
    !isFrame(shown)
  ) {
    shown.replaceWith(drawn);
    return;
  }
  for (const name of shown.getAttributeNames()) if (!drawn.hasAttribute(name)) shown.removeAttribute(name);
  for (const { name, value } of drawn.attributes) shown.setAttribute(name, value);
  settle(shown, [...drawn.childNodes]);
}

/** What only holds other things. What can be pressed or counts time is never changed within: it listens, or ticks, for what it was. */
const FRAMES = new Set(["TR", "TD", "TH", "UL", "OL", "LI", "DL", "DT", "DD", "P", "DIV", "SECTION", "SPAN"]);
const isFrame = ({ tagName }: Element): boolean => FRAMES.has(tagName);

function settle(element: Element, drawn: readonly Node[]): void {
  const shown = [...element.childNodes];
  for (const [index, node] of drawn.entries()) {
    const there = shown[index];
    if (there === undefined) element.append(node);
    else become(there, node);
  }
  for (const rest of shown.slice(drawn.length)) rest.remove();
}

function fill<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined)
      element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter(isThere).map(toNode));
  return element;
}

function isThere(child: Child): child is Node | string | number {
  return child !== null && child !== undefined && child !== false;
}

const toNode = (child: Node | string | number): Node | string => (typeof child === "number" ? String(child) : child);
