import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LABEL_POOL } from "@jobqueue/crds";
import { CREDENTIAL_FILES } from "@jobqueue/store";
import { parse, parseAllDocuments } from "yaml";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { isLoopback, parseConfig, SETTINGS } from "../admin/src/config.ts";
import { tool } from "../test/cluster/binaries/binaries.ts";
import { run } from "../test/cluster/command.ts";
import { ApiClient, type KubeObject } from "../test/support/api-server/api-client.ts";
import { valuesOf } from "./scripts/values-table.ts";
import { CHART, helm, refusalOf, render } from "./testing/helm.ts";

/** An admin server for the JobStore of namespace shop, which has its URL in a Secret. */
const ADMIN = {
  enabled: true,
  namespace: "shop",
  store: { connection: { uriSecretRef: { name: "shop-db", key: "uri" } } },
};
/** What that adds. */
const ADMIN_OBJECTS = [
  "ClusterRole jobs-jobqueue-operator-token-reviewer",
  "ClusterRoleBinding jobs-jobqueue-operator-token-reviewer",
  "Deployment shop/jobs-jobqueue-operator-admin",
  "PodDisruptionBudget shop/jobs-jobqueue-operator-admin",
  "Role shop/jobs-jobqueue-operator-admin",
  "RoleBinding shop/jobs-jobqueue-operator-admin",
  "Service shop/jobs-jobqueue-operator-admin",
  "ServiceAccount shop/jobs-jobqueue-operator-admin",
];

/** Values of a user, and the kinds that they add to or take away from what the chart makes by default. */
const PERMUTATIONS: readonly { does: string; values: object; adds?: string[]; removes?: string[] }[] = [
  { does: "the defaults", values: {} },
  {
    does: "some namespaces only: no right anywhere else",
    values: { watchNamespaces: ["shop", "data"] },
    adds: [
      "Role shop/jobs-jobqueue-operator",
      "Role data/jobs-jobqueue-operator",
      "RoleBinding shop/jobs-jobqueue-operator",
      "RoleBinding data/jobs-jobqueue-operator",
    ],
    removes: ["ClusterRole jobs-jobqueue-operator", "ClusterRoleBinding jobs-jobqueue-operator"],
  },
  {
    does: "nothing cluster-wide, for installers who may not",
    values: {
      watchNamespaces: ["shop"],
      crds: { enabled: false },
      rbac: { aggregate: false },
      admissionPolicies: { enabled: false },
    },
    adds: ["Role shop/jobs-jobqueue-operator", "RoleBinding shop/jobs-jobqueue-operator"],
    removes: [
      "ClusterRole jobs-jobqueue-operator",
      "ClusterRoleBinding jobs-jobqueue-operator",
      "ClusterRole jobs-jobqueue-operator-view",
      "ClusterRole jobs-jobqueue-operator-edit",
      "ClusterRole jobs-jobqueue-operator-admin",
      "CustomResourceDefinition jobqueues.jobqueue.dev",
      "CustomResourceDefinition jobstores.jobqueue.dev",
      "ValidatingAdmissionPolicy jobs-jobqueue-operator-workers",
      "ValidatingAdmissionPolicy jobs-jobqueue-operator-secrets",
      "ValidatingAdmissionPolicyBinding jobs-jobqueue-operator-workers",
      "ValidatingAdmissionPolicyBinding jobs-jobqueue-operator-secrets",
    ],
  },
  {
    does: "an account and roles of one's own",
    values: { serviceAccount: { create: false, name: "mine" }, rbac: { create: false } },
    removes: [
      "ServiceAccount jobs-system/jobs-jobqueue-operator",
      "ClusterRole jobs-jobqueue-operator",
      "ClusterRoleBinding jobs-jobqueue-operator",
      "Role jobs-system/jobs-jobqueue-operator-leader-election",
      "RoleBinding jobs-system/jobs-jobqueue-operator-leader-election",
    ],
  },
  {
    does: "metrics and network policies",
    values: {
      metrics: {
        service: { annotations: { a: "b" } },
        serviceMonitor: { enabled: true, interval: "10s", labels: { release: "prometheus" } },
        podMonitor: { enabled: true, interval: "10s", labels: { release: "prometheus" } },
        prometheusRule: { enabled: true, labels: { release: "prometheus" }, disabled: ["OldSnapshot"] },
        dashboard: { enabled: true, annotations: { grafana_folder: "Queues" } },
      },
      networkPolicy: {
        enabled: true,
        from: [{ namespaceSelector: { matchLabels: { name: "monitoring" } } }],
        postgresPorts: [5432, 6432],
      },
    },
    adds: [
      "ServiceMonitor jobs-system/jobs-jobqueue-operator",
      "PodMonitor jobs-system/jobs-jobqueue-operator-workers",
      "PrometheusRule jobs-system/jobs-jobqueue-operator",
      "ConfigMap jobs-system/jobs-jobqueue-operator-dashboard",
      "NetworkPolicy jobs-system/jobs-jobqueue-operator",
    ],
  },
  {
    does: "no budget and no metrics service",
    values: { podDisruptionBudget: { enabled: false }, metrics: { service: { enabled: false } } },
    removes: [
      "PodDisruptionBudget jobs-system/jobs-jobqueue-operator",
      "Service jobs-system/jobs-jobqueue-operator-metrics",
    ],
  },
  { does: "an admin server, beside the JobStore that it is for", values: { admin: ADMIN }, adds: ADMIN_OBJECTS },
  {
    does: "an admin server that takes keys only, and asks the cluster nothing",
    values: { admin: { ...ADMIN, auth: ["keys"] }, podDisruptionBudget: { enabled: false } },
    adds: ADMIN_OBJECTS.filter((name) => !/Role|Budget/.test(name)),
    removes: ["PodDisruptionBudget jobs-system/jobs-jobqueue-operator"],
  },
  {
    does: "every knob of an admin server",
    values: {
      networkPolicy: { enabled: true },
      admin: {
        enabled: true,
        store: {
          schema: "jobs",
          connection: {
            server: {
              host: "db.example.org",
              port: 6432,
              database: "shop",
              userSecretRef: { name: "db", key: "username" },
              passwordSecretRef: { name: "db", key: "password" },
            },
            tls: {
              mode: "VerifyCA",
              caSecretRef: { name: "ca", key: "ca.pem" },
              clientCertificateSecretRef: { name: "own" },
            },
          },
        },
        auth: ["keys", "kubernetes"],
        audience: "jobqueue",
        replicas: 2,
        poolSize: 20,
        service: { type: "LoadBalancer", annotations: { a: "b" } },
        serviceAccount: { create: false, name: "mine" },
        metrics: {
          readers: [{ namespace: "monitoring", name: "prometheus" }],
          serviceMonitor: { enabled: true, credentialsSecretRef: { name: "scrape", key: "token" } },
        },
        networkPolicy: { from: [{ namespaceSelector: { matchLabels: { name: "ingress" } } }] },
        resources: { requests: { cpu: "100m" }, limits: { memory: "1Gi" } },
        podAnnotations: { a: "b" },
        podLabels: { team: "platform" },
        nodeSelector: { "kubernetes.io/os": "linux" },
        tolerations: [{ key: "infra", operator: "Exists", effect: "NoSchedule" }],
        affinity: { nodeAffinity: {} },
        priorityClassName: "system-cluster-critical",
      },
    },
    adds: [
      ...ADMIN_OBJECTS.map((name) => name.replace(" shop/", " jobs-system/")).filter(
        (name) => !name.startsWith("ServiceAccount"),
      ),
      "NetworkPolicy jobs-system/jobs-jobqueue-operator",
      "NetworkPolicy jobs-system/jobs-jobqueue-operator-admin",
      "Role jobs-system/jobs-jobqueue-operator-admin-metrics",
      "RoleBinding jobs-system/jobs-jobqueue-operator-admin-metrics",
      "ServiceMonitor jobs-system/jobs-jobqueue-operator-admin",
    ],
  },
  {
    does: "every knob of the pod",
    values: {
      image: { repository: "example.org:5000/team/operator", digest: `sha256:${"a".repeat(64)}`, pullPolicy: "Always" },
      imagePullSecrets: [{ name: "pull" }],
      replicas: 3,
      logLevel: "debug",
      serviceAccount: { annotations: { role: "x" } },
      podAnnotations: { a: "b" },
      podLabels: { team: "platform" },
      nodeSelector: { "kubernetes.io/os": "linux" },
      tolerations: [{ key: "infra", operator: "Exists", effect: "NoSchedule" }],
      affinity: { nodeAffinity: {} },
      priorityClassName: "system-cluster-critical",
      resources: { requests: { cpu: "100m" }, limits: { cpu: 1, memory: "1Gi" } },
    },
  },
];

function named(text: string): { names: string[]; objects: KubeObject[] } {
  const objects = parseAllDocuments(text).flatMap((document) => {
    const object = document.toJS() as KubeObject | null;
    return object === null ? [] : [object];
  });
  const nameOf = ({ kind, metadata }: KubeObject): string =>
    `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;
  return { names: objects.map(nameOf), objects };
}

interface Pod {
  containers: { env: { name: string; value?: string }[]; image: string; securityContext: object; resources: object }[];
  securityContext: object;
  automountServiceAccountToken?: boolean;
  volumes?: { name: string; projected: { sources: object[] } }[];
}

async function deploymentOf(values: object, name = "jobs-jobqueue-operator"): Promise<{ replicas: number; pod: Pod }> {
  const { objects } = named(await render(values));
  const deployment = objects.find(
    (object) => object.kind === "Deployment" && object.metadata.name === name,
  ) as unknown as {
    spec: { replicas: number; template: { spec: Pod } };
  };
  return { replicas: deployment.spec.replicas, pod: deployment.spec.template.spec };
}

describe("the chart", () => {
  it("passes helm lint, strictly", async () => {
    expect(await helm(["lint", "--strict", "--quiet", CHART])).not.toContain("[WARNING]");
  });

  it("describes every value, and its schema knows exactly the values there are", () => {
    const described = valuesOf(readFileSync(join(CHART, "values.yaml"), "utf8"));
    interface Schema {
      $ref?: string;
      definitions?: Record<string, Schema>;
      properties?: Record<string, Schema>;
      additionalProperties?: boolean | Schema;
    }
    const schema = JSON.parse(readFileSync(join(CHART, "values.schema.json"), "utf8")) as Schema;
    const known = (path: string): boolean => {
      let at: Schema | undefined = schema;
      for (const part of path.split(".")) {
        at = at?.properties?.[part];
        if (at?.$ref !== undefined) at = schema.definitions?.[at.$ref.replace("#/definitions/", "")];
      }
      return at !== undefined;
    };
    expect(described.filter((value) => !known(value.path))).toEqual([]);
    const values = parse(readFileSync(join(CHART, "values.yaml"), "utf8")) as Record<string, unknown>;
    expect(Object.keys(schema.properties ?? {}).toSorted()).toEqual([...Object.keys(values), "global"].toSorted());
    const admin = Object.keys(schema.properties?.["admin"]?.properties ?? {});
    expect(admin.toSorted()).toEqual(Object.keys(values["admin"] as object).toSorted());
  });

  it.each([
    [{ replica: 2 }, "additional properties 'replica' not allowed"],
    [{ image: { repo: "x" } }, "additional properties 'repo' not allowed"],
    [{ image: { repository: "" } }, "image/repository"],
    [{ image: { digest: "latest" } }, "image/digest"],
    [{ replicas: "2" }, "replicas"],
    [{ watchNamespaces: "shop" }, "watchNamespaces"],
    [{ watchNamespaces: ["Shop"] }, "watchNamespaces/0"],
    [{ logLevel: "chatty" }, "logLevel"],
    [{ crds: { enabled: "yes" } }, "crds/enabled"],
    [{ admissionPolicies: { enabled: true, fail: "open" } }, "additional properties 'fail' not allowed"],
    [{ networkPolicy: { postgresPorts: [0] } }, "networkPolicy/postgresPorts"],
    [{ tolerations: [{ effect: "Never" }] }, "tolerations/0/effect"],
    [{ podLabels: { a: 1 } }, "podLabels/a"],
    [{ metrics: { prometheusRule: { enabled: true, disabled: ["Nonsense"] } } }, "there is no alert Nonsense"],
    [{ metrics: { prometheusRule: { runbookBaseUrl: "wiki" } } }, "metrics/prometheusRule/runbookBaseUrl"],
    [{ metrics: { service: { enabled: false }, serviceMonitor: { enabled: true } } }, "it selects that Service"],
    [{ env: { A: "b" } }, "at '/env'"],
    [{ admin: { enabled: true } }, "copy spec.connection of the JobStore"],
    [{ admin: { ...ADMIN, auth: [] } }, "admin/auth"],
    [{ admin: { ...ADMIN, auth: ["none"] } }, "admin/auth/0"],
    [{ admin: { ...ADMIN, anonymous: "viewer" } }, "additional properties 'anonymous' not allowed"],
    [{ admin: { ...ADMIN, namespace: "Shop" } }, "admin/namespace"],
    [{ admin: { ...ADMIN, replicas: -1 } }, "admin/replicas"],
    [{ admin: { ...ADMIN, poolSize: 1 } }, "admin/poolSize"],
    [{ admin: { store: { url: "postgres://u:p@h/d" } } }, "additional properties 'url' not allowed"],
    [{ admin: { store: { connection: { tls: { mode: "off" } } } } }, "admin/store/connection/tls/mode"],
    [{ admin: { store: { connection: { server: { port: 6432 } } } } }, "admin/store/connection/server"],
    [
      { admin: { enabled: true, store: { connection: { server: { host: "h", database: "d" } } } } },
      "needs user or userSecretRef",
    ],
    [
      {
        admin: {
          enabled: true,
          store: { connection: { uriSecretRef: { name: "s" }, server: { host: "h", database: "d", user: "u" } } },
        },
      },
      "not by both",
    ],
    [{ admin: { ...ADMIN, auth: ["keys"], metrics: { serviceMonitor: { enabled: true } } } }, "only an API key opens"],
  ])("refuses the values %j", async (values, message) => {
    expect(await refusalOf(values)).toContain(message);
  });
});

describe("what the chart makes of values", () => {
  const kubeconfig = inject("kubeconfig");
  let byDefault: string[];

  beforeAll(async () => {
    byDefault = named(await render()).names;
    const client = new ApiClient(kubeconfig);
    for (const name of ["jobs-system", "shop", "data"])
      await client.apply(`/api/v1/namespaces/${name}`, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  });

  it("is, by default, the two kinds, the operator, exactly its rights, roles for people, policies and a test", () => {
    expect(byDefault.toSorted()).toMatchInlineSnapshot(`
      [
        "ClusterRole jobs-jobqueue-operator",
        "ClusterRole jobs-jobqueue-operator-admin",
        "ClusterRole jobs-jobqueue-operator-edit",
        "ClusterRole jobs-jobqueue-operator-view",
        "ClusterRoleBinding jobs-jobqueue-operator",
        "CustomResourceDefinition jobqueues.jobqueue.dev",
        "CustomResourceDefinition jobstores.jobqueue.dev",
        "Deployment jobs-system/jobs-jobqueue-operator",
        "Job jobs-system/jobs-jobqueue-operator-test",
        "PodDisruptionBudget jobs-system/jobs-jobqueue-operator",
        "Role jobs-system/jobs-jobqueue-operator-leader-election",
        "RoleBinding jobs-system/jobs-jobqueue-operator-leader-election",
        "Service jobs-system/jobs-jobqueue-operator-metrics",
        "ServiceAccount jobs-system/jobs-jobqueue-operator",
        "ValidatingAdmissionPolicy jobs-jobqueue-operator-secrets",
        "ValidatingAdmissionPolicy jobs-jobqueue-operator-workers",
        "ValidatingAdmissionPolicyBinding jobs-jobqueue-operator-secrets",
        "ValidatingAdmissionPolicyBinding jobs-jobqueue-operator-workers",
      ]
    `);
  });

  it.each(PERMUTATIONS)("$does", async ({ values, adds = [], removes = [] }) => {
    const { names, objects } = named(await render(values));
    expect(names.toSorted()).toEqual([...byDefault.filter((name) => !removes.includes(name)), ...adds].toSorted());
    // Kinds of others are not served here; everything else must be valid to the last field.
    const ours = objects.filter(
      (object) => !["ServiceMonitor", "PodMonitor", "PrometheusRule"].includes(object.kind ?? ""),
    );
    const args = [
      "apply",
      "--server-side",
      "--force-conflicts",
      "--dry-run=server",
      "--validate=strict",
      "-o",
      "name",
      "-f",
      "-",
    ];
    const input = ours.map((object) => JSON.stringify(object)).join("\n---\n");
    const applied = await run(await tool("kubectl"), args, { env: { KUBECONFIG: kubeconfig }, input });
    expect(applied.trimEnd().split("\n")).toHaveLength(ours.length);
  });

  it("uses the digest instead of the tag, and the version of the chart when neither is given", async () => {
    const image = async (values: object) => (await deploymentOf({ image: values })).pod.containers[0]?.image;
    expect(await image({ repository: "r", digest: `sha256:${"b".repeat(64)}`, tag: "t" })).toBe(
      `r@sha256:${"b".repeat(64)}`,
    );
    expect(await image({ repository: "r", tag: "t" })).toBe("r:t");
    const { appVersion } = parse(readFileSync(join(CHART, "Chart.yaml"), "utf8")) as { appVersion: string };
    expect(await image({ repository: "r" })).toBe(`r:${appVersion}`);
  });

  it.each([
    ["256Mi", "--max-old-space-size=192 --max-semi-space-size=4"],
    ["1Gi", "--max-old-space-size=768 --max-semi-space-size=4"],
    ["1000000k", undefined],
  ])("tells Node to keep its heap within a memory limit of %s", async (memory, options) => {
    const { pod } = await deploymentOf({ resources: { limits: { memory } } });
    expect(pod.containers[0]?.env.find((entry) => entry.name === "NODE_OPTIONS")?.value).toBe(options);
  });

  it("hands on environment variables, and options of Node beside its own, to operator and admin server", async () => {
    const env = [{ name: "OTEL_EXPORTER_OTLP_ENDPOINT", value: "http://collector:4318" }];
    const values = { env, nodeOptions: "--import /telemetry.mjs", admin: { ...ADMIN, env } };
    for (const [name, more] of [
      ["jobs-jobqueue-operator", " --max-semi-space-size=4"],
      ["jobs-jobqueue-operator-admin", ""],
    ] as const) {
      const told = (await deploymentOf(values, name)).pod.containers[0]?.env;
      expect(told).toContainEqual(env[0]);
      const value = `--import /telemetry.mjs --max-old-space-size=192${more}`;
      expect(told).toContainEqual({ name: "NODE_OPTIONS", value });
    }
  });

  it("keeps the kinds at uninstallation unless told otherwise", async () => {
    const annotations = async (values: object) =>
      named(await render(values))
        .objects.filter((object) => object.kind === "CustomResourceDefinition")
        .map((crd) => (crd.metadata["annotations"] as Record<string, string> | undefined)?.["helm.sh/resource-policy"]);
    expect(await annotations({})).toEqual(["keep", "keep"]);
    expect(await annotations({ crds: { keep: false } })).toEqual([undefined, undefined]);
  });

  it("has the very kinds of crds/, but for that annotation", async () => {
    const { objects } = named(await render({ crds: { keep: false } }));
    for (const plural of ["jobqueues", "jobstores"]) {
      const source: unknown = parse(readFileSync(join(CHART, `../../crds/${plural}.yaml`), "utf8"));
      expect(objects.find((object) => object.metadata.name === `${plural}.jobqueue.dev`)).toEqual(source);
    }
  });

  it("gives the policies only the namespaces that the operator looks after", async () => {
    const bindings = named(await render({ watchNamespaces: ["shop", "data"] })).objects.filter(
      (object) => object.kind === "ValidatingAdmissionPolicyBinding",
    );
    expect(bindings).toHaveLength(2);
    for (const { spec } of bindings as unknown as { spec: object }[]) {
      expect(spec).toMatchObject({
        validationActions: ["Deny"],
        matchResources: {
          namespaceSelector: {
            matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values: ["shop", "data"] }],
          },
        },
      });
    }
  });

  it("has no wildcard in any role, and nothing that lists or watches Secrets or leads to other rights", async () => {
    for (const values of [{}, { watchNamespaces: ["shop"] }, { admin: ADMIN }]) {
      const roles = named(await render(values)).objects.filter((object) =>
        ["Role", "ClusterRole"].includes(object.kind ?? ""),
      ) as unknown as {
        rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
      }[];
      expect(roles.length).toBeGreaterThan(0);
      for (const rule of roles.flatMap((role) => role.rules)) {
        expect([...rule.apiGroups, ...rule.resources, ...rule.verbs]).not.toContain("*");
        expect(rule.verbs.filter((verb) => ["escalate", "bind", "impersonate"].includes(verb))).toEqual([]);
        expect(
          rule.resources.filter((resource) => /^pods\/(?!eviction$)|serviceaccounts|roles/.test(resource)),
        ).toEqual([]);
        expect(rule.resources.includes("secrets") ? rule.verbs : ["get"]).toEqual(["get"]);
      }
    }
  });
});

describe("the admin server of the chart", () => {
  const NAME = "jobs-jobqueue-operator-admin";
  const pod = async (admin: object): Promise<Pod> => (await deploymentOf({ admin: { ...ADMIN, ...admin } }, NAME)).pod;
  const environmentOf = ({ containers }: Pod): Record<string, string | undefined> =>
    Object.fromEntries((containers[0]?.env ?? []).map(({ name, value }) => [name, value]));

  it("has the Secrets of its store as files and in no variable, so that a rotation needs no restart", async () => {
    const connection = {
      ...ADMIN.store.connection,
      tls: { caSecretRef: { name: "ca", key: "ca.pem" }, clientCertificateSecretRef: { name: "own" } },
    };
    const { volumes, containers } = await pod({ store: { connection } });
    expect(volumes).toEqual([
      {
        name: "store",
        projected: {
          sources: [
            { secret: { name: "ca", items: [{ key: "ca.pem", path: CREDENTIAL_FILES.ca }] } },
            { secret: { name: "shop-db", items: [{ key: "uri", path: CREDENTIAL_FILES.uri }] } },
            {
              secret: {
                name: "own",
                items: [
                  { key: "tls.crt", path: CREDENTIAL_FILES.certificate },
                  { key: "tls.key", path: CREDENTIAL_FILES.key },
                ],
              },
            },
          ],
        },
      },
    ]);
    expect(JSON.stringify(containers)).not.toContain("secretKeyRef");
  });

  it("is told nothing that its command does not know, and starts with what it is told", async () => {
    const directory = mkdtempSync(join(tmpdir(), "jobqueue-chart-"));
    try {
      for (const admin of [
        {},
        { auth: ["keys"], audience: "jobqueue" },
        { store: { schema: "jobs", connection: { server: { host: "h", database: "d", user: "u" } } } },
      ]) {
        const server = "connection" in (admin.store ?? {}) && { uriSecretRef: { name: "" } };
        const store = { ...ADMIN.store, ...admin.store };
        const told = environmentOf(
          await pod({ ...admin, store: { ...store, connection: { ...store.connection, ...server } } }),
        );
        const known = new Set<string>([...Object.values(SETTINGS).map(({ env }) => env), "NODE_OPTIONS"]);
        expect(Object.keys(told).filter((name) => !known.has(name))).toEqual([]);
        if (server) rmSync(join(directory, "uri"), { force: true });
        else writeFileSync(join(directory, "uri"), "postgres://u:p@h/d");
        const env = { ...told, POD_NAMESPACE: "shop", JOBQUEUE_STORE_DIRECTORY: directory };
        const parsed = parseConfig([], env);
        expect(parsed).toMatchObject({ ok: true, config: { anonymous: [], port: 8090 } });
        expect(isLoopback(parsed.ok ? parsed.config.host : "localhost")).toBe(false);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("has a token of its own only where it asks the cluster about those of others", async () => {
    expect((await pod({})).automountServiceAccountToken).toBe(true);
    expect((await pod({ auth: ["keys"] })).automountServiceAccountToken).toBe(false);
  });

  it("runs as the operator does: no root, nothing to write, no privilege, heap within its limit", async () => {
    const operator = (await deploymentOf({})).pod;
    const own = await pod({});
    expect(own.securityContext).toEqual(operator.securityContext);
    expect(own.containers[0]?.securityContext).toEqual(operator.containers[0]?.securityContext);
    expect(environmentOf(own)["NODE_OPTIONS"]).toBe("--max-old-space-size=192");
  });

  it("lets its Service, its budget and the operator's select nobody else's pods", async () => {
    const { objects } = named(await render({ admin: { ...ADMIN, namespace: "jobs-system" } }));
    const selectors = objects
      .filter(({ kind }) => kind === "Service" || kind === "PodDisruptionBudget" || kind === "Deployment")
      .map((object) => {
        const { selector } = object["spec"] as { selector: { matchLabels?: Record<string, string> } };
        const labels = selector.matchLabels ?? (selector as Record<string, string>);
        return `${object.kind} ${labels["app.kubernetes.io/component"]}`;
      });
    expect(selectors.toSorted()).toEqual([
      "Deployment admin",
      "Deployment operator",
      "PodDisruptionBudget admin",
      "PodDisruptionBudget operator",
      "Service admin",
      "Service operator",
    ]);
  });
});

describe("monitors", () => {
  it("put together the address of a worker, whose container declares no port, by IPv4 and IPv6", async () => {
    const { objects } = named(await render({ watchNamespaces: ["shop"], metrics: { podMonitor: { enabled: true } } }));
    const { spec } = objects.find(({ kind }) => kind === "PodMonitor") as unknown as {
      spec: {
        namespaceSelector: object;
        selector: object;
        podMetricsEndpoints: { relabelings: { targetLabel?: string; regex: string; replacement: string }[] }[];
      };
    };
    expect(spec).toMatchObject({
      namespaceSelector: { matchNames: ["shop"] },
      selector: { matchExpressions: [{ key: LABEL_POOL, operator: "Exists" }] },
    });
    // Prometheus anchors its expressions.
    const addressOf = (ip: string): string[] =>
      (spec.podMetricsEndpoints[0]?.relabelings ?? [])
        .filter(({ targetLabel, regex }) => targetLabel === "__address__" && new RegExp(`^(?:${regex})$`).test(ip))
        .map(({ regex, replacement }) => ip.replace(new RegExp(`^(?:${regex})$`), replacement));
    expect(addressOf("10.1.2.3")).toEqual(["10.1.2.3:8080"]);
    expect(addressOf("fd00::7")).toEqual(["[fd00::7]:8080"]);
  });

  it("of the admin server show Prometheus's own token, or the key that they are given", async () => {
    const endpointOf = async (serviceMonitor: object): Promise<object | undefined> => {
      const values = { admin: { ...ADMIN, metrics: { serviceMonitor: { enabled: true, ...serviceMonitor } } } };
      const monitor = named(await render(values)).objects.find(({ kind }) => kind === "ServiceMonitor");
      return (monitor as unknown as { spec: { endpoints: object[] } } | undefined)?.spec.endpoints[0];
    };
    const own = { port: "http", path: "/metrics", interval: "30s" };
    expect(await endpointOf({})).toEqual({
      ...own,
      bearerTokenFile: "/var/run/secrets/kubernetes.io/serviceaccount/token",
    });
    expect(await endpointOf({ credentialsSecretRef: { name: "scrape" } })).toEqual({
      ...own,
      authorization: { type: "Bearer", credentials: { name: "scrape", key: "token" } },
    });
  });
});
