/**
 * Indexes one document: the handler of the kind `document.words`, in TypeScript. Node runs it as it is; only types may
 * be imported that are not in the image. The payload names a document as for `document.compress` (see `documents`).
 */
import { readdir, readFile } from "node:fs/promises";
import { join, normalize } from "node:path";
import { defineHandler } from "@jobqueue/worker";

/** Where the documents of the image are. */
const DOCUMENTS = process.env["DOCUMENTS"] ?? "/documents";

/** How many of the most frequent words a result names. */
const TOP = 10;

interface Payload {
  readonly path?: string;
  readonly document?: number;
}

interface WordIndex {
  readonly path: string;
  readonly words: number;
  readonly distinct: number;
  readonly longest: string;
  /** The most frequent words and how often each occurs; ties in alphabetical order. */
  readonly top: readonly (readonly [word: string, count: number])[];
}

async function pathOf(payload: Payload): Promise<string> {
  if (payload.path !== undefined) {
    const path = normalize(payload.path);
    if (path.startsWith("/") || path.startsWith("..")) throw new Error(`${payload.path} is not below ${DOCUMENTS}`);
    return path;
  }
  const number = payload.document;
  if (number === undefined || !Number.isInteger(number) || number < 1) {
    throw new Error('the payload must have a "path", or a "document" from 1 on');
  }
  const entries = await readdir(DOCUMENTS, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(DOCUMENTS.length + 1));
  const name = names.toSorted()[(number - 1) % names.length];
  if (name === undefined) throw new Error(`there are no documents in ${DOCUMENTS}`);
  return name;
}

/** Counts the words of a text; the same text always gives the same index. */
export function indexWords(path: string, text: string): WordIndex {
  const counts = new Map<string, number>();
  let words = 0;
  for (const [word] of text.toLowerCase().matchAll(/\p{Letter}+/gu)) {
    words += 1;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const ranked = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const longest = [...counts.keys()].reduce((best, word) => (word.length > best.length ? word : best), "");
  return { path, words, distinct: counts.size, longest, top: ranked.slice(0, TOP) };
}

export const handlers = [
  defineHandler<Payload, WordIndex>("document.words", async (payload, { signal }) => {
    const path = await pathOf(payload);
    return indexWords(path, await readFile(join(DOCUMENTS, path), { encoding: "utf8", signal }));
  }),
];
