import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { portForwardArguments, startPortForward } from "./port-forward.ts";

const TARGET = { namespace: "data", resource: "service/db", certain: true };

describe("kubectl port-forward", () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "jobqueue-kubectl-"));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** A `kubectl` on the path that does what the lines of shell say; what real ones print was copied from kubectl 1.34. */
  function kubectl(...lines: string[]) {
    const path = join(directory, "kubectl");
    writeFileSync(path, ["#!/bin/sh", ...lines, ""].join("\n"));
    chmodSync(path, 0o755);
    return { context: undefined, kubeconfig: undefined, env: { PATH: `${directory}:/usr/bin:/bin` } };
  }

  it("is given namespace, cluster and port, and a local port only for people", () => {
    const options = { context: "prod", kubeconfig: "/k", env: {} };
    const common = [
      "--kubeconfig",
      "/k",
      "--context",
      "prod",
      "--namespace",
      "data",
      "port-forward",
      "--address",
      "127.0.0.1",
      "service/db",
    ];
    expect(portForwardArguments(TARGET, 5432, "", options)).toEqual([...common, ":5432"]);
    expect(portForwardArguments(TARGET, 5432, 5432, options)).toEqual([...common, "5432:5432"]);
  });

  it("is ready once it says on which port it listens, and is stopped when it is no longer needed", async () => {
    const options = kubectl('echo "Forwarding from 127.0.0.1:34567 -> 5432"', "exec sleep 600");
    const forward = await startPortForward(TARGET, 5432, options);
    expect(forward.port).toBe(34_567);
    await forward.stop();
    await forward.stop();
  });

  it("that ends instead says why in its own words", async () => {
    const options = kubectl("echo 'Error from server (NotFound): services \"db\" not found' >&2", "exit 1");
    await expect(startPortForward(TARGET, 5432, options)).rejects.toThrow(
      expect.objectContaining({
        exit: "clusterFailed",
        message:
          'kubectl port-forward to service/db in namespace data failed: Error from server (NotFound): services "db" not found',
      }),
    );
  });

  it("that is not installed is said to be needed", async () => {
    const options = { context: undefined, kubeconfig: undefined, env: { PATH: directory } };
    await expect(startPortForward(TARGET, 5432, options)).rejects.toThrow(
      "kubectl is needed to reach service/db from here",
    );
  });
});
