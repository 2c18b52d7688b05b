import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { tool } from "../../../test/cluster/binaries/binaries.ts";
import { waitFor } from "../../../test/cluster/wait-for.ts";
import { ApiServer } from "../../../test/support/api-server/api-server.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { ClusterUnderTest } from "../testing/cluster-under-test.ts";
import { Kubelets, workerHere } from "../testing/kubelets.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));
const GUIDE = readFileSync(join(import.meta.dirname, "../../../docs/guides/scaling.md"), "utf8");

describe("docs/guides/scaling.md", () => {
  let server: ApiServer;
  let cluster: ClusterUnderTest;
  let database: TestDatabase;
  let directory: string;

  beforeAll(async () => {
    // Of its own: other tests put kinds of the same short name into the one that is shared.
    server = await ApiServer.create();
    cluster = await ClusterUnderTest.create("scaling-guide", server.kubeconfig);
    database = await createTestDatabase(adminUrl);
    await cluster.secret("default", database.url);
    await cluster.jobStore("default");
    await cluster.operator();
    directory = mkdtempSync(join(tmpdir(), "jobqueue-guide-"));
    for (const [, name = "", text = ""] of GUIDE.matchAll(/```yaml file=(\S+)\n([\s\S]*?)```/g)) {
      writeFileSync(join(directory, name), text);
    }
  });

  afterAll(async () => {
    await cluster.stop();
    await database.drop();
    rmSync(directory, { recursive: true });
    await server.destroy();
  });

  it("every command works as it stands there, in that order", async () => {
    const kubectl = await tool("kubectl");
    const env = {
      ...process.env,
      PATH: `${dirname(kubectl)}:${process.env["PATH"]}`,
      KUBECONFIG: cluster.kubeconfig,
    };
    const sh = async (command: string): Promise<string> => {
      const inNamespace = command.replaceAll(/^kubectl /gm, `kubectl -n ${cluster.namespace} `);
      const { stdout } = await promisify(execFile)("bash", ["-euc", inNamespace], {
        cwd: directory,
        env,
        timeout: 90_000,
      });
      return stdout;
    };
    const desired = (count: number) =>
      waitFor(`DESIRED ${count}`, async () => (await cluster.status("mailers")).workers?.desired === count, {
        timeoutMs: 30_000,
      });
    const blocks = [...GUIDE.matchAll(/```sh run\n([\s\S]*?)```/g)].map(([, text = ""]) => text.trim().split("\n"));
    const run = async (commands: readonly string[] = []): Promise<string> => {
      let printed = "";
      for (const command of commands) printed = await sh(command);
      return printed;
    };
    const kubelets = new Kubelets({ cluster, pool: "mailers", run: workerHere(database.url) });
    kubelets.start();
    try {
      const [byHand = [], fewer, hpa, autoscaled, stopped, ...more] = blocks;
      expect(more).toEqual([]);
      await run(byHand.slice(0, 2));
      await desired(3);
      expect(await run(byHand.slice(2))).toBe("3");
      const { metadata } = await cluster.object("deployments/mailers-workers");
      expect(metadata["labels"]).toMatchObject({ team: "growth" });
      const path = `/apis/policy/v1/namespaces/${cluster.namespace}/poddisruptionbudgets/mailers-workers`;
      const budget = await waitFor("the budget", async () => cluster.api.find(path), { timeoutMs: 20_000 });
      expect(budget["spec"]).toMatchObject({ maxUnavailable: 1, unhealthyPodEvictionPolicy: "AlwaysAllow" });
      await run(fewer);
      await run(hpa);
      expect(await run(autoscaled)).toContain("mailers");
      await waitFor("the budget to go with its field", async () => (await cluster.api.find(path)) === undefined, {
        timeoutMs: 20_000,
      });
      await run(stopped);
      expect(await cluster.pods("mailers")).toEqual([]);
    } finally {
      await kubelets.stop();
    }
  }, 240_000);
});
