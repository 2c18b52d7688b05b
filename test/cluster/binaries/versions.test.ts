import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compareVersions, GO_PROGRAMS } from "./versions.ts";

describe("versions", () => {
  it("are compared number by number, whatever their length", () => {
    expect(compareVersions("1.9", "1.26.3")).toBeLessThan(0);
    expect(compareVersions("v1.34.4", "1.31.0")).toBeGreaterThan(0);
    expect(compareVersions("1.26", "1.26.0")).toBe(0);
  });

  it.each([
    ["k8s.io/kubernetes", GO_PROGRAMS.kube.version],
    ["github.com/coredns/coredns", GO_PROGRAMS.coredns.version],
    ["helm.sh/helm/v3", GO_PROGRAMS.helm.version],
    ["sigs.k8s.io/kwok", GO_PROGRAMS.kwok.version],
  ])("%s has the version that its module is built with", (module, version) => {
    const required = readFileSync(new URL("../kube/go.mod", import.meta.url), "utf8").split("\n");
    expect(required.filter((line) => line.trim().startsWith(`${module} `))).toEqual([
      expect.stringContaining(`${module} ${version}`),
    ]);
  });
});
