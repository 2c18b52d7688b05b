import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../arguments.ts";
import { VERBS } from "../verbs.ts";
import { storeAddress } from "./store-address.ts";

function addressOf(argv: string[], env: Record<string, string> = {}) {
  const request = parseCommandLine(["status", ...argv], VERBS);
  if (request.kind !== "run") throw new Error("asks for help");
  return storeAddress(request.args, env);
}

const THROUGH_DEFAULT = {
  by: "jobStore",
  name: "default",
  namespace: undefined,
  context: undefined,
  kubeconfig: undefined,
};

describe("the store", () => {
  it("is the one of --store-url, whatever the environment says", () => {
    const env = { DATABASE_URL: "postgres://b@c/d", JOBQUEUE_SCHEMA: "other" };
    expect(addressOf(["--store-url", "postgres://a@b/c", "--schema", "mine"], env)).toEqual({
      by: "url",
      url: "postgres://a@b/c",
      schema: "mine",
      from: "--store-url",
    });
  });

  it("is the one of DATABASE_URL and JOBQUEUE_SCHEMA where nothing else is said", () => {
    expect(addressOf([], { DATABASE_URL: "postgres://b@c/d", JOBQUEUE_SCHEMA: "other" })).toEqual({
      by: "url",
      url: "postgres://b@c/d",
      schema: "other",
      from: "DATABASE_URL",
    });
    expect(addressOf([], { DATABASE_URL: "postgres://b@c/d" })).toMatchObject({ schema: "jobqueue" });
    expect(addressOf(["--schema", "x"], { DATABASE_URL: "postgres://b@c/d" })).toMatchObject({ schema: "x" });
  });

  it.each([
    [["-n", "shop"], { namespace: "shop" }],
    [["--store", "second"], { name: "second" }],
    [["--context", "prod"], { context: "prod" }],
    [["--kubeconfig", "/k"], { kubeconfig: "/k" }],
  ])("is the one of the JobStore with %j, although DATABASE_URL is set", (argv, more) => {
    expect(addressOf(argv, { DATABASE_URL: "postgres://b@c/d" })).toEqual({ ...THROUGH_DEFAULT, ...more });
  });

  it("is the JobStore 'default' of the current context where nothing is said, or DATABASE_URL is empty", () => {
    expect(addressOf([])).toEqual(THROUGH_DEFAULT);
    expect(addressOf([], { DATABASE_URL: "" })).toEqual(THROUGH_DEFAULT);
  });

  it("is refused when two are named, or a schema that the JobStore says itself", () => {
    expect(() => addressOf(["--store-url", "postgres://a@b/c", "-n", "shop"])).toThrow("two ways to name a store");
    expect(() => addressOf(["--schema", "x", "-n", "shop"])).toThrow("--schema goes with --store-url");
    expect(() => addressOf(["--schema", "x"])).toThrow("--schema goes with --store-url");
  });
});
