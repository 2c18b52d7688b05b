import { mkdirSync, mkdtempSync, rmSync, writeFileSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { ManualClock } from "../runtime/testing/manual-clock.ts";
import { loadAccess, type AccessOptions } from "./access.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "kubeconfig-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const file = (name: string, content: string | object) => {
  const path = join(directory, name);
  writeFileSync(path, typeof content === "string" ? content : stringify(content));
  return path;
};
const base64 = (text: string) => Buffer.from(text).toString("base64");

interface Facts {
  readonly cluster?: object;
  readonly user?: object;
  readonly context?: object;
}

const config = ({ cluster = {}, user = {}, context = {} }: Facts = {}) => ({
  "current-context": "c",
  contexts: [{ name: "c", context: { cluster: "cl", user: "u", ...context } }],
  clusters: [{ name: "cl", cluster: { server: "https://example:6443", ...cluster } }],
  users: [{ name: "u", user }],
});

const load = (options: AccessOptions = {}) =>
  loadAccess({ env: { HOME: directory }, serviceAccount: join(directory, "none"), ...options });

describe("credentials of a kubeconfig", () => {
  it.for<{ what: string; facts: Facts; files?: Record<string, string>; gives: object }>([
    { what: "a token", facts: { user: { token: "t" } }, gives: { authorization: "Bearer t" } },
    {
      what: "a token file, without its newline",
      facts: { user: { tokenFile: "t" } },
      files: { t: "secret\n" },
      gives: { authorization: "Bearer secret" },
    },
    {
      what: "a token rather than its file",
      facts: { user: { token: "t", tokenFile: "none" } },
      gives: { authorization: "Bearer t" },
    },
    {
      what: "a name and a password",
      facts: { user: { username: "a", password: "b" } },
      gives: { authorization: "Basic YTpi" },
    },
    {
      what: "a client certificate in the file",
      facts: { user: { "client-certificate-data": base64("CERT"), "client-key-data": base64("KEY") } },
      gives: { certificate: "CERT", key: "KEY", authorization: undefined },
    },
    {
      what: "a client certificate beside it",
      facts: { user: { "client-certificate": "cert.pem", "client-key": "key.pem" } },
      files: { "cert.pem": "CERT", "key.pem": "KEY" },
      gives: { certificate: "CERT", key: "KEY" },
    },
    {
      what: "an authority in the file",
      facts: { cluster: { "certificate-authority-data": base64("CA") } },
      gives: { ca: "CA" },
    },
    {
      what: "an authority beside it",
      facts: { cluster: { "certificate-authority": "ca.pem" } },
      files: { "ca.pem": "CA" },
      gives: { ca: "CA" },
    },
  ])("can be $what", async ({ facts, files = {}, gives }) => {
    for (const [name, content] of Object.entries(files)) file(name, content);
    const access = await load({ kubeconfig: file("config", config(facts)) });
    expect(await access.credentials()).toMatchObject(gives);
  });

  it("can come from a plugin, which is told what is expected of it, and is asked again when the token expires or is refused", async () => {
    const script = `
      const { apiVersion, kind } = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
      const { readFileSync, appendFileSync } = require("node:fs");
      appendFileSync(process.argv[1], "x");
      const token = [kind, apiVersion, process.env.EXTRA, readFileSync(process.argv[1], "utf8").length].join(" ");
      console.log(JSON.stringify({ status: { token, expirationTimestamp: "2030-01-01T01:00:00Z" } }));`;
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1beta1",
      command: process.execPath,
      args: ["-e", script, file("calls", "")],
      env: [{ name: "EXTRA", value: "extra" }],
    };
    const clock = new ManualClock(Date.UTC(2030, 0, 1));
    const access = await load({ kubeconfig: file("config", config({ user: { exec } })), clock });
    const token = async (fresh?: boolean) => (await access.credentials(fresh)).authorization?.split(" ").at(-1);
    expect((await access.credentials()).authorization).toBe(
      "Bearer ExecCredential client.authentication.k8s.io/v1beta1 extra 1",
    );
    expect(await token()).toBe("1");
    expect(await token(true)).toBe("2");
    await clock.advance(3_600_000 - 10_000 + 1);
    expect(await token()).toBe("3");
  });

  it("a plugin that fails says so, with its hint", async () => {
    const exec = { command: join(directory, "missing"), installHint: "Install it." };
    const access = await load({ kubeconfig: file("config", config({ user: { exec } })) });
    await expect(access.credentials()).rejects.toThrow(/credential plugin .*missing failed: .*Install it\./);
  });
});

describe("a token file", () => {
  it("is read again when it changed, after a minute in any case, and at once when the token was refused", async () => {
    const clock = new ManualClock();
    const path = file("token", "one");
    const access = await load({ kubeconfig: file("config", config({ user: { tokenFile: "token" } })), clock });
    const token = async (fresh?: boolean) => (await access.credentials(fresh)).authorization;
    expect(await token()).toBe("Bearer one");
    file("token", "two");
    utimesSync(path, 5, 5);
    expect(await token()).toBe("Bearer one"); // it was looked at less than a second ago
    await clock.advance(1000);
    expect(await token()).toBe("Bearer two");
    writeFileSync(path, "three");
    utimesSync(path, 5, 5); // replaced without a trace
    await clock.advance(1000);
    expect(await token()).toBe("Bearer two");
    await clock.advance(60_000);
    expect(await token()).toBe("Bearer three");
    writeFileSync(path, "four");
    utimesSync(path, 5, 5);
    expect(await token(true)).toBe("Bearer four");
  });
});

describe("where the API server is found", () => {
  const inCluster = () => {
    mkdirSync(join(directory, "sa"));
    for (const [name, content] of [
      ["token", "sa-token\n"],
      ["ca.crt", "CA"],
      ["namespace", "home"],
    ] as const) {
      file(join("sa", name), content);
    }
    const env = { HOME: directory, KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };
    return { env, serviceAccount: join(directory, "sa") };
  };

  it("in a pod: by its service account", async () => {
    const access = await load(inCluster());
    expect(access).toMatchObject({
      server: "https://10.0.0.1:443",
      namespace: "home",
      source: "in-cluster service account",
    });
    expect(await access.credentials()).toEqual({ ca: "CA", authorization: "Bearer sa-token" });
  });

  it("in a pod of an IPv6 cluster", async () => {
    const { env, serviceAccount } = inCluster();
    const access = await load({ serviceAccount, env: { ...env, KUBERNETES_SERVICE_HOST: "fd00::1" } });
    expect(access.server).toBe("https://[fd00::1]:443");
  });

  it("by KUBECONFIG even in a pod, and by a named file before that", async () => {
    const { env, serviceAccount } = inCluster();
    const KUBECONFIG = file("from-environment", config({ cluster: { server: "https://environment" } }));
    expect((await load({ serviceAccount, env: { ...env, KUBECONFIG } })).server).toBe("https://environment");
    const kubeconfig = file("named", config({ cluster: { server: "https://named" } }));
    expect((await load({ serviceAccount, env: { ...env, KUBECONFIG }, kubeconfig })).server).toBe("https://named");
  });

  it("else by ~/.kube/config, with the context's namespace", async () => {
    mkdirSync(join(directory, ".kube"));
    file(
      ".kube/config",
      config({
        context: { namespace: "mine" },
        cluster: { "tls-server-name": "other", "insecure-skip-tls-verify": true },
      }),
    );
    expect(await load()).toMatchObject({
      server: "https://example:6443",
      namespace: "mine",
      serverName: "other",
      insecure: true,
    });
  });

  it("in several files: the first definition of a name wins, missing files do not matter", async () => {
    const first = file("first", { ...config({ cluster: { server: "https://first" } }), users: [] });
    const second = file("second", config({ cluster: { server: "https://second" }, user: { token: "t" } }));
    const access = await load({ env: { KUBECONFIG: `${first}:${join(directory, "missing")}:${second}` } });
    expect(access.server).toBe("https://first");
    expect((await access.credentials()).authorization).toBe("Bearer t");
  });
});

describe("what cannot be used is refused with a sentence:", () => {
  it.for<{ what: string; content: string | object; context?: string; says: RegExp }>([
    { what: "not YAML", content: "{", says: /cannot be read as a kubeconfig/ },
    { what: "nothing", content: "", says: /no current context/ },
    { what: "no such context", content: config(), context: "other", says: /no context "other"/ },
    { what: "no such cluster", content: config({ context: { cluster: "x" } }), says: /no cluster "x"/ },
    { what: "no such user", content: config({ context: { user: "x" } }), says: /no user "x"/ },
    { what: "no server", content: config({ cluster: { server: "" } }), says: /"cl" has no server/ },
    { what: "a proxy", content: config({ cluster: { "proxy-url": "http://x" } }), says: /proxy-url is not supported/ },
    {
      what: "an auth-provider",
      content: config({ user: { "auth-provider": { name: "gcp" } } }),
      says: /"gcp" is not supported; use an exec plugin/,
    },
    { what: "impersonation", content: config({ user: { as: "x" } }), says: /impersonation/ },
  ])("$what", async ({ content, context, says }) => {
    const refused = load({ kubeconfig: file("config", content), context });
    await expect(refused).rejects.toMatchObject({ reason: "NotConfigured", retry: "never" });
    await expect(refused).rejects.toThrow(says);
  });

  it("no configuration at all", async () => {
    await expect(load()).rejects.toThrow(/No Kubernetes API server is configured: .*KUBECONFIG is not set/);
    await expect(load({ kubeconfig: "/nowhere" })).rejects.toThrow("No such kubeconfig: /nowhere.");
  });
});
