// oxlint-disable-next-line no-control-regex -- control characters are exactly what it looks for
const DANGEROUS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/**
 * Text from the store or the cluster as it may go to a terminal: payloads, errors and reasons are other people's text,
 * and escape sequences or direction marks in it could rewrite what the reader sees. They are shown as `\u001b`.
 */
export function printable(text: string): string {
  return text.replaceAll(DANGEROUS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The same on one line. */
export function printableLine(text: string): string {
  return printable(text).replaceAll("\n", "\\n");
}

const SEGMENTS = new Intl.Segmenter("en", { granularity: "grapheme" });
const WIDE =
  /^(?:\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}|[\u3000-\u303f\uff01-\uff60])/u;

/** How many cells of a terminal a text takes: two for East Asian wide characters and emoji, one per grapheme else. */
export function widthOf(text: string): number {
  // oxlint-disable-next-line no-control-regex -- plain ASCII needs no segmenting, and nearly everything is plain ASCII
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of SEGMENTS.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** The text, cut to a width with `…` at the end when it is longer. */
export function clip(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  let used = 0;
  for (const { segment } of SEGMENTS.segment(text)) {
    const cells = widthOf(segment);
    if (used + cells > width - 1) break;
    kept += segment;
    used += cells;
  }
  return `${kept}…`;
}
