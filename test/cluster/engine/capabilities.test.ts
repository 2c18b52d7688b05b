import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { missingCapabilities, runcWithout } from "./capabilities.ts";

describe("capabilities that a machine withholds", () => {
  it("are read from the bounding set", () => {
    expect(missingCapabilities("Name:\tnode\nCapBnd:\t000001fffeffffff\n")).toEqual(["CAP_SYS_RESOURCE"]);
    expect(missingCapabilities("CapBnd:\t000001ffffffffff\n")).toEqual([]);
    expect(missingCapabilities("CapBnd:\t000001fffffffffc\n")).toEqual(["CAP_CHOWN", "CAP_DAC_OVERRIDE"]);
  });
});

describe("a runc without some capabilities", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "jobqueue-runc-"));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("takes them out of the container's configuration, and calls the real one with the same arguments", () => {
    const wrapper = join(directory, "runc");
    const config = join(directory, "config.json");
    writeFileSync(wrapper, runcWithout(["CAP_CHOWN", "CAP_SYS_RESOURCE"], "echo"), { mode: 0o755 });
    writeFileSync(
      config,
      '{"bounding":["CAP_CHOWN","CAP_KILL","CAP_SYS_RESOURCE"],"effective":["CAP_SYS_RESOURCE","CAP_KILL"]}',
    );
    const { stdout } = spawnSync(wrapper, ["create", "--bundle", directory, "name"], { encoding: "utf8" });
    expect(stdout).toBe(`create --bundle ${directory} name\n`);
    expect(readFileSync(config, "utf8")).toBe('{"bounding":["CAP_KILL"],"effective":["CAP_KILL"]}');
  });
});
