/** Tells what happened in the page's live region: seen by all, read aloud by a screen reader. */
export function announce(text: string, tone: "good" | "bad" = "good"): void {
  const region = document.querySelector("#said");
  if (region === null) return;
  region.className = `said ${tone}`;
  // The same words twice are read twice only when the text changes in between.
  region.textContent = "";
  requestAnimationFrame(() => {
    region.textContent = text;
  });
}
