import { describe, expect, it } from "vitest";
import { readAssets } from "./assets.ts";

describe("the dashboard's files", () => {
  it("are what a browser can run: modules without types, and nothing of the tests", async () => {
    const assets = await readAssets();
    expect(assets.get("index.html")?.contentType).toContain("text/html");
    expect(assets.get("main.ts")?.contentType).toContain("text/javascript");
    expect([...assets.keys()].filter((name) => name.includes(".test."))).toEqual([]);
    for (const { body } of assets.values()) expect(body).not.toMatch(/^import type|^export interface/m);
  });

  it("import only one another: nothing comes from elsewhere", async () => {
    const assets = await readAssets();
    for (const [name, { body }] of assets) {
      const imports = [...body.matchAll(/^(?:import|export)\b[^"';]*from "([^"]+)"/gm)].map(
        (match) => match[1] as string,
      );
      for (const specifier of imports) {
        const path = new URL(specifier, `https://dashboard.example/${name}`).pathname.slice(1);
        expect(assets.has(path), `${name} imports ${specifier}`).toBe(true);
      }
      expect(`${name}: ${body}`).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/);
    }
  });

  it("have no script and no style in the page itself, which its policy would refuse (S23)", async () => {
    const page = (await readAssets()).get("index.html")?.body ?? "";
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
    expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });
});
