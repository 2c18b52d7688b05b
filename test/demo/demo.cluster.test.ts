import { join } from "node:path";
import { describe, expect, inject, it } from "vitest";
import { run } from "../cluster/command.ts";
import { installOperator, REPOSITORY } from "../support/kubernetes/installation.ts";

describe("make demo", () => {
  it("plays to its end on a cluster that is there already: every promise it makes holds", async () => {
    await installOperator(inject("cluster")); // images are built and loaded; the demo finds them
    const output = await run(process.execPath, [join(REPOSITORY, "test/demo/demo.ts")]);
    expect(output).toContain("Everything above held");
    expect(output).not.toContain("DID NOT HOLD");
    expect(output).toMatch(/✓ viewer sees in the dashboard what kubectl says/);
    expect(output).toMatch(
      /port-forward service\/jobqueue-operator-admin 8090 +# the dashboard is at http:\/\/127.0.0.1:8090/,
    );
    expect(output).toMatch(/enqueued = completed \(631 enqueued, 631 completed\)/);
  });
});
