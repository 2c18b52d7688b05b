import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { contentHash, settleTimes } from "./content-hash.ts";

describe("the hash that tags an image", () => {
  let context = "";

  beforeEach(() => {
    context = mkdtempSync(join(tmpdir(), "jobqueue-context-"));
    mkdirSync(join(context, "app"));
    writeFileSync(join(context, "app/a.mjs"), "one");
    writeFileSync(join(context, "app/b.mjs"), "two");
    symlinkSync("a.mjs", join(context, "app/link"));
  });

  afterEach(() => {
    rmSync(context, { recursive: true });
  });

  it("is the same for the same content, whenever it was written", () => {
    const before = contentHash(context, "FROM x");
    utimesSync(join(context, "app/a.mjs"), 1, 1);
    expect(contentHash(context, "FROM x")).toBe(before);
    expect(before).toMatch(/^[0-9a-f]{12}$/);
  });

  it("changes with content, name, executable bit, the target of a link and the recipe", () => {
    const hashes = [contentHash(context, "FROM x"), contentHash(context, "FROM y")];
    writeFileSync(join(context, "app/a.mjs"), "changed");
    hashes.push(contentHash(context, "FROM x"));
    chmodSync(join(context, "app/a.mjs"), 0o755);
    hashes.push(contentHash(context, "FROM x"));
    rmSync(join(context, "app/link"));
    symlinkSync("b.mjs", join(context, "app/link"));
    hashes.push(contentHash(context, "FROM x"));
    writeFileSync(join(context, "app/c.mjs"), "");
    hashes.push(contentHash(context, "FROM x"));
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it("belongs to layers of one time stamp", () => {
    settleTimes(context);
    const times = ["", "app", "app/a.mjs", "app/link"].map((path) => lstatSync(join(context, path)).mtimeMs);
    expect(new Set(times)).toEqual(new Set([0]));
  });
});
