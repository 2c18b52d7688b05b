import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../arguments.ts";
import { storeAddress } from "../connect/store-address.ts";
import { VERBS } from "../verbs.ts";
import { adminAddress } from "./admin-address.ts";

function argumentsOf(argv: readonly string[]) {
  const request = parseCommandLine(argv, VERBS);
  if (request.kind !== "run") throw new Error("asks for help");
  return request.args;
}
const addressOf = (argv: string[], env: Record<string, string> = {}) =>
  adminAddress(argumentsOf(["status", ...argv]), env);

const URL_IN_ENV = { JOBQUEUE_ADMIN_URL: "http://admin.example:8090" };

describe("the admin API", () => {
  it("is the one of --admin-url, below whatever path a proxy has it, with the key of the environment", () => {
    const env = { ...URL_IN_ENV, JOBQUEUE_API_KEY: "jqk_1", DATABASE_URL: "postgres://a@b/c" };
    expect(addressOf(["--admin-url", "https://example.org/queues/"], env)).toEqual({
      url: "https://example.org/queues",
      from: "--admin-url",
      key: "jqk_1",
      keyFile: undefined,
      caFile: undefined,
      timeoutSeconds: 30,
    });
  });

  it("is the one of JOBQUEUE_ADMIN_URL, unless the command line names a database", () => {
    const env = { ...URL_IN_ENV, DATABASE_URL: "postgres://a@b/c" };
    expect(addressOf([], env)).toMatchObject({ url: "http://admin.example:8090", from: "JOBQUEUE_ADMIN_URL" });
    expect(addressOf(["--store-url", "postgres://a@b/c"], env)).toBeUndefined();
    expect(addressOf(["-n", "shop"], env)).toBeUndefined();
    expect(addressOf([], { DATABASE_URL: "postgres://a@b/c", JOBQUEUE_ADMIN_URL: "" })).toBeUndefined();
  });

  it("takes the key of the file that was asked for, then that of the environment, then the file of the environment", () => {
    const env = { ...URL_IN_ENV, JOBQUEUE_API_KEY: "jqk_1", JOBQUEUE_API_KEY_FILE: "/b" };
    expect(addressOf(["--api-key-file", "/a"], env)).toMatchObject({ key: undefined, keyFile: "/a" });
    expect(addressOf([], env)).toMatchObject({ key: "jqk_1", keyFile: undefined });
    expect(addressOf([], { ...env, JOBQUEUE_API_KEY: "" })).toMatchObject({ key: undefined, keyFile: "/b" });
  });

  it.each([
    [["--admin-url", "http://a", "--store-url", "postgres://a@b/c"], "two ways to name a store"],
    [["--admin-url", "http://a", "--namespace", "shop"], "two ways to name a store"],
    [["--admin-url", "postgres://a@b/c"], "no URL of an admin API"],
    [["--admin-url", "admin:8090"], "no URL of an admin API"],
    [["--admin-url", "https://jqk_secret@admin.example"], "has credentials in it"],
    [["--api-key-file", "/a"], "goes with --admin-url"],
    [["--admin-timeout", "3s"], "goes with --admin-url"],
  ])("%j is refused in words, without what may be secret", (argv, words) => {
    const refusal = expect.objectContaining({
      code: 2,
      message: expect.stringMatching(new RegExp(`^(?!.*jqk_secret).*${words}`)) as string,
    }) as Error;
    expect(() => addressOf(argv)).toThrow(refusal);
  });
});

describe("a verb that needs the database itself", () => {
  it.each(["migrate", "doctor", "report", "roles", "configure-store"])(
    "%s says so, and what to name instead",
    (verb) => {
      const refused = expect.objectContaining({
        code: 2,
        remedy: expect.stringContaining("--store-url") as string,
      }) as Error;
      expect(() => argumentsOf([verb, "--admin-url", "http://a"])).toThrow(refused);
      expect(() => storeAddress(argumentsOf([verb]), URL_IN_ENV)).toThrow(refused);
    },
  );

  it("goes to the database of DATABASE_URL although there is an admin API as well", () => {
    const env = { ...URL_IN_ENV, DATABASE_URL: "postgres://a@b/c" };
    expect(storeAddress(argumentsOf(["doctor"]), env)).toMatchObject({ by: "url", url: "postgres://a@b/c" });
  });
});
