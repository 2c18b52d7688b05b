import { describe, expect, it } from "vitest";
import { parseConfig } from "./config.ts";

const IN_CLUSTER = { JOBQUEUE_OPERATOR_NAMESPACE: "jobqueue-system", POD_NAME: "operator-1" };

describe("parseConfig", () => {
  it("needs only what the downward API gives", () => {
    expect(parseConfig([], IN_CLUSTER)).toEqual({
      ok: true,
      config: {
        namespace: "jobqueue-system",
        identity: "operator-1",
        watchNamespaces: [],
        leaderElection: true,
        httpPort: 8080,
        logLevel: "info",
        kubeconfig: undefined,
      },
    });
  });

  it("lets a flag win over the environment, in both spellings", () => {
    const parsed = parseConfig(["--http-port", "0", "--watch-namespaces=shop, blog"], {
      ...IN_CLUSTER,
      HTTP_PORT: "9000",
    });
    expect(parsed).toMatchObject({ ok: true, config: { httpPort: 0, watchNamespaces: ["shop", "blog"] } });
  });

  it("treats an empty variable as absent, as a chart with an empty value writes it", () => {
    expect(parseConfig([], { ...IN_CLUSTER, WATCH_NAMESPACES: "", LOG_LEVEL: " " })).toMatchObject({
      ok: true,
      config: { watchNamespaces: [], logLevel: "info" },
    });
  });

  it("names every problem at once", () => {
    const parsed = parseConfig(["--replicas=2", "--log-level"], {
      WATCH_NAMESPACES: "Shop",
      LEADER_ELECTION: "yes",
      HTTP_PORT: "80000",
      POD_NAME: "operator-1",
    });
    expect(parsed.ok ? [] : parsed.problems).toEqual([
      expect.stringContaining("--replicas is not a flag"),
      "--log-level needs a value",
      expect.stringContaining("JOBQUEUE_OPERATOR_NAMESPACE (or --namespace) is missing"),
      'WATCH_NAMESPACES must be the name of a namespace, not "Shop"',
      'LEADER_ELECTION must be one of true, false, not "yes"',
      'HTTP_PORT must be a port from 0 to 65535, not "80000"',
    ]);
  });

  it("needs no namespace where there is no Lease", () => {
    expect(parseConfig(["--leader-election=false"], { POD_NAME: "laptop" })).toMatchObject({ ok: true });
  });

  it("takes what is known otherwise where nothing is said", () => {
    expect(parseConfig([], {}, { namespace: "default", identity: "laptop-1" })).toMatchObject({
      ok: true,
      config: { namespace: "default", identity: "laptop-1" },
    });
  });
});
