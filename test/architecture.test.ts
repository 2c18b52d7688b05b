import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

/** Who may import whom, by workspace; "test" and tests may import everything. */
const WORKSPACE_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  crds: [],
  store: [],
  worker: ["store"],
  operator: ["store", "crds"],
  // Of the operator only its edge and its engine, which import nothing of ours: see the test below.
  admin: ["store", "crds", "operator"],
  cli: ["store", "crds", "worker", "operator", "admin"],
};

/** External packages that only one place may import, and that place. */
const OWNED_PACKAGES: Readonly<Record<string, string>> = {
  pg: "store/src/",
  undici: "operator/src/kube/",
  fastify: "admin/src/",
};

/** Parts of the operator that decide: functions from data to data, so none may reach an edge. */
const PURE = /^operator\/src\/controllers\/[^/]+\/(decide|status|status\/.*|wake|rules\/.*|desired\/.*|scale\/.*)\.ts$/;

const root = resolve(import.meta.dirname, "..");
const sources = Object.keys(WORKSPACE_IMPORTS).flatMap((workspace) =>
  globSync(`${workspace}/src/**/*.ts`, { cwd: root }).filter(
    (file) => !/\.test\.ts$|\.suite\.ts$|\/testing\//.test(file),
  ),
);

interface Import {
  readonly file: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** Static and dynamic imports and re-exports of a source file. */
function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), "utf8");
  const found = text.matchAll(
    /(?:^|\n)\s*(import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)/g,
  );
  return [...found].map((match) => ({
    file,
    specifier: match[3] ?? match[4] ?? "",
    typeOnly: match[2] !== undefined,
  }));
}

const imports = sources.flatMap(importsOf);

/** The workspace a specifier leads to, seen from a file: by package name or by relative path. */
function workspaceOf({ file, specifier }: Import): string | undefined {
  if (specifier.startsWith("@jobqueue/")) return specifier.split("/")[1];
  if (specifier.startsWith(".")) return relative(root, resolve(root, dirname(file), specifier)).split("/")[0];
  return undefined;
}

describe("the layers of ARCHITECTURE.md", () => {
  it("finds sources and imports to look at", () => {
    expect(sources.length).toBeGreaterThan(20);
    expect(imports.length).toBeGreaterThan(50);
  });

  it("a workspace imports only the workspaces below it", () => {
    const wrong = imports.filter((entry) => {
      const from = entry.file.split("/")[0] as string;
      const to = workspaceOf(entry);
      return to !== undefined && to !== from && !WORKSPACE_IMPORTS[from]?.includes(to);
    });
    expect(wrong).toEqual([]);
  });

  it("another workspace is entered through its package, never by a path into it", () => {
    const wrong = imports.filter(
      (entry) => entry.specifier.startsWith(".") && workspaceOf(entry) !== entry.file.split("/")[0],
    );
    expect(wrong).toEqual([]);
  });

  it("the admin server knows nothing of the operator: it shares its edge to the API server and its engine", () => {
    const wrong = imports.filter(
      ({ file, specifier }) =>
        file.startsWith("admin/") &&
        specifier.startsWith("@jobqueue/operator") &&
        !["@jobqueue/operator/kube", "@jobqueue/operator/runtime"].includes(specifier),
    );
    expect(wrong).toEqual([]);
  });

  it("pg, undici and fastify are imported in one place each", () => {
    const wrong = imports.filter(({ file, specifier }) =>
      Object.entries(OWNED_PACKAGES).some(
        ([name, owner]) => (specifier === name || specifier.startsWith(`${name}/`)) && !file.startsWith(owner),
      ),
    );
    expect(wrong).toEqual([]);
  });

  it("the operator's kube and runtime know no domain: they import nothing of ours", () => {
    const wrong = imports.filter((entry) => {
      const part = /^operator\/src\/(kube|runtime)\//.exec(entry.file)?.[1];
      if (part === undefined) return false;
      if (entry.specifier.startsWith("@jobqueue/")) return true;
      if (!entry.specifier.startsWith(".")) return false;
      const target = relative(root, resolve(root, dirname(entry.file), entry.specifier));
      return !/^operator\/src\/(kube|runtime)\//.test(target);
    });
    expect(wrong).toEqual([]);
  });

  it("what decides imports no edge: only types of the store and of Kubernetes objects", () => {
    const wrong = imports.filter((entry) => {
      if (!PURE.test(entry.file) || entry.typeOnly) return false;
      if (entry.specifier === "@jobqueue/store") return true;
      const target = entry.specifier.startsWith(".")
        ? relative(root, resolve(root, dirname(entry.file), entry.specifier))
        : "";
      return /^operator\/src\/(kube|runtime)\//.test(target) || /\/(observe|reconcile|apply|main)\.ts$/.test(target);
    });
    expect(wrong).toEqual([]);
  });

  it("no decision reads the clock by itself: time is an argument", () => {
    const wrong = sources.filter(
      (file) =>
        PURE.test(file) && /Date\.now\(|new Date\(\)|performance\.now\(/.test(readFileSync(join(root, file), "utf8")),
    );
    expect(wrong).toEqual([]);
  });
});
