import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { ADMIN_SERVER, installOperator } from "../support/kubernetes/installation.ts";
import type { PortForward } from "../support/kubernetes/kubectl.ts";
import { Playground } from "../support/kubernetes/playground.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly json: { readonly error?: string; readonly queues?: readonly { readonly queue: string }[] };
}

describe("the admin server that the chart installs", () => {
  let ground: Playground;
  let forward: PortForward;

  beforeAll(async () => {
    const access = inject("cluster");
    await installOperator(access);
    ground = await Playground.create(access, "admin");
    const { namespace } = ground.kubectl;
    const connection = { uriSecretRef: { name: "default-uri" }, tls: { mode: "Disabled" } };
    await installOperator(access, { admin: { enabled: true, namespace, store: { connection } } });
    for (const [person, role] of Object.entries({ viewer: "view", "on-call": "edit", stranger: undefined })) {
      await ground.kubectl.run("create", "serviceaccount", person);
      if (role === undefined) continue;
      const subject = `--serviceaccount=${namespace}:${person}`;
      await ground.kubectl.run("create", "rolebinding", person, `--clusterrole=${role}`, subject);
    }
    await ground.queue({ name: "mail" });
    await ground.condition("jobqueue", "mail", "Ready", "True");
    forward = await ground.kubectl.portForward(`service/${ADMIN_SERVER}`, 8090);
  });
  afterAll(async () => {
    await forward?.stop();
    await installOperator(inject("cluster"));
    await ground?.destroy();
  });

  const token = async (account: string, ...args: string[]): Promise<string> =>
    (await ground.kubectl.run("create", "token", account, ...args)).trim();

  async function ask(method: string, path: string, bearer?: string, body?: object): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${forward.port}${path}`, {
      method,
      headers: {
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    return { status: response.status, text, json: isJson ? (JSON.parse(text) as Answer["json"]) : {} };
  }

  it("S20: lets people with the role view look, and says which right is missing when they want to pause", async () => {
    const viewer = await token("viewer");
    const seen = await ask("GET", "/api/v1/queues", viewer);
    expect(seen.json.queues?.map(({ queue }) => queue)).toEqual(["mail"]);
    const refused = await ask("PUT", "/api/v1/queues/mail/holds/lunch", viewer, { reason: "lunch" });
    const { namespace } = ground.kubectl;
    expect(refused).toMatchObject({
      status: 403,
      json: {
        error: `user:system:serviceaccount:${namespace}:viewer lacks the scope queues:pause: the right to update jobqueues.jobqueue.dev/pause mail in namespace ${namespace}.`,
      },
    });
    expect((await ground.kubectl.get("jobqueue", "mail"))?.status.pausedBy).toBeUndefined();
  });

  it("lets people with the role edit pause, and kubectl says by whom", async () => {
    const onCall = await token("on-call");
    const paused = await ask("PUT", "/api/v1/queues/mail/holds/lunch", onCall, { reason: "everybody eats" });
    expect(paused.status).toBe(200);
    const { status } = await ground.condition("jobqueue", "mail", "Paused", "True");
    expect(status.pausedBy).toBe("lunch");
    const actor = `user:system:serviceaccount:${ground.kubectl.namespace}:on-call`;
    expect(status.holds).toMatchObject([{ name: "lunch", actor, reason: "everybody eats" }]);
    expect(await ground.kubectl.run("get", "jobqueues", "-o", "wide")).toMatch(/PAUSED-BY[^]*\blunch\b/);
    const released = await ask("DELETE", "/api/v1/queues/mail/holds/lunch?reason=fed", onCall);
    expect(released.status).toBe(200);
    await ground.condition("jobqueue", "mail", "Paused", "False");
  });

  it("lets nobody in who brings no token, or one that is forged, for another audience, or of an account that is gone", async () => {
    const own = await token("on-call");
    await ground.kubectl.run("create", "serviceaccount", "former");
    const former = await token("former");
    await ground.kubectl.run("delete", "serviceaccount", "former");
    const status = async (bearer?: string): Promise<number> => (await ask("GET", "/api/v1/queues", bearer)).status;
    // The API server goes by what it has in its cache of accounts, for a moment.
    await expect.poll(async () => status(former)).toBe(401);
    expect({
      none: await status(),
      forged: await status(`${own.slice(0, -8)}AAAAAAAA`),
      "for another audience": await status(await token("on-call", "--audience=elsewhere")),
      "of an account that is gone": await status(former),
      "of somebody without rights": await status(await token("stranger")),
      valid: await status(own),
    }).toEqual({
      none: 401,
      forged: 401,
      "for another audience": 401,
      "of an account that is gone": 401,
      "of somebody without rights": 403,
      valid: 200,
    });
  });

  it("serves the dashboard to whoever asks, and nothing in it but the way to sign in", async () => {
    const page = await ask("GET", "/");
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining("dashboard/main.js") });
    const program = await ask("GET", "/dashboard/main.js");
    expect(program).toMatchObject({ status: 200, text: expect.stringContaining("Sign in") });
  });

  it("goes on with a password that was rotated in the Secret, in the same process", async () => {
    const pods = async (): Promise<string[]> =>
      (await ground.kubectl.list("pods", "app.kubernetes.io/component=admin")).map(
        ({ metadata, status }) => `${metadata.uid} ${status?.containerStatuses?.[0]?.restartCount}`,
      );
    const before = await pods();
    const onCall = await token("on-call");
    await ground.rotatePassword();
    // A change of its pod has the node look at once; by itself it does within a minute and a half.
    await ground.kubectl.run("annotate", "pods", "-l", "app.kubernetes.io/component=admin", "example.org/look=now");
    await eventually(
      "an act, which needs the new password",
      async () => {
        const { status } = await ask("PUT", "/api/v1/queues/mail/holds/rotated", onCall, { reason: "rotated" });
        return status === 200 || undefined;
      },
      { timeoutMs: 180_000 },
    );
    expect((await ask("GET", "/readyz")).status).toBe(200);
    expect(await pods()).toEqual(before);
    expect(before).toHaveLength(1);
  });
});
