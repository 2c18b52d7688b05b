import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";

/** A file of the dashboard as a browser gets it. */
export interface Asset {
  readonly contentType: string;
  readonly body: string;
  /** Changes with the body. */
  readonly etag: string;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".ts": "text/javascript; charset=utf-8",
};

/** The folder of the dashboard: beside a bundle, or in this workspace. */
function folder(): string {
  const candidates = [join(import.meta.dirname, "dashboard"), join(import.meta.dirname, "../../dashboard")];
  const found = candidates.find((candidate) => existsSync(join(candidate, "index.html")));
  if (found === undefined)
    throw new Error(`the dashboard's files are missing: none of ${candidates.join(", ")} has them`);
  return found;
}

/**
 * Reads every file of the dashboard, by its path below the folder: `pages/queues.ts`. Of TypeScript the types are taken off, which
 * leaves lines and columns where they were; in the image the files are bundled already (images/bundle.ts) and there is none.
 */
export async function readAssets(): Promise<ReadonlyMap<string, Asset>> {
  const directory = folder();
  const names = (await readdir(directory, { recursive: true }))
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => CONTENT_TYPES[extname(name)] !== undefined && !name.endsWith(".test.ts"));
  const strip = names.some((name) => name.endsWith(".ts"))
    ? (await import("node:module")).stripTypeScriptTypes
    : (text: string) => text;
  const assets = await Promise.all(
    names.map(async (name): Promise<[string, Asset]> => {
      const text = await readFile(join(directory, name), "utf8");
      const body = name.endsWith(".ts") ? strip(text) : text;
      const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
      return [name, { contentType: CONTENT_TYPES[extname(name)] as string, body, etag }];
    }),
  );
  return new Map(assets);
}
