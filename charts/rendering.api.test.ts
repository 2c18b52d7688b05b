import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { tool } from "../test/cluster/binaries/binaries.ts";
import { run } from "../test/cluster/command.ts";
import { ApiClient, type KubeObject } from "../test/support/api-server/api-client.ts";
import { valuesOf } from "./scripts/values-table.ts";
import { CHART, helm, refusalOf, render } from "./testing/helm.ts";

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
      },
      networkPolicy: {
        enabled: true,
        from: [{ namespaceSelector: { matchLabels: { name: "monitoring" } } }],
        postgresPorts: [5432, 6432],
      },
    },
    adds: ["ServiceMonitor jobs-system/jobs-jobqueue-operator", "NetworkPolicy jobs-system/jobs-jobqueue-operator"],
  },
  {
    does: "no budget and no metrics service",
    values: { podDisruptionBudget: { enabled: false }, metrics: { service: { enabled: false } } },
    removes: [
      "PodDisruptionBudget jobs-system/jobs-jobqueue-operator",
      "Service jobs-system/jobs-jobqueue-operator-metrics",
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
}

async function deploymentOf(values: object): Promise<{ replicas: number; pod: Pod }> {
  const { objects } = named(await render(values));
  const deployment = objects.find((object) => object.kind === "Deployment") as unknown as {
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
      properties?: Record<string, Schema>;
      additionalProperties?: boolean | Schema;
    }
    const schema = JSON.parse(readFileSync(join(CHART, "values.schema.json"), "utf8")) as Schema;
    const known = (path: string): boolean => {
      let at: Schema | undefined = schema;
      for (const part of path.split(".")) at = at?.properties?.[part];
      return at !== undefined;
    };
    expect(described.filter((value) => !known(value.path))).toEqual([]);
    const values = parse(readFileSync(join(CHART, "values.yaml"), "utf8")) as Record<string, unknown>;
    expect(Object.keys(schema.properties ?? {}).toSorted()).toEqual([...Object.keys(values), "global"].toSorted());
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
    [{ metrics: { service: { enabled: false }, serviceMonitor: { enabled: true } } }, "it selects that Service"],
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
    const ours = objects.filter((object) => object.kind !== "ServiceMonitor");
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
    ["256Mi", "--max-old-space-size=192"],
    ["1Gi", "--max-old-space-size=768"],
    ["1000000k", undefined],
  ])("tells Node to keep its heap within a memory limit of %s", async (memory, options) => {
    const { pod } = await deploymentOf({ resources: { limits: { memory } } });
    expect(pod.containers[0]?.env.find((entry) => entry.name === "NODE_OPTIONS")?.value).toBe(options);
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
    for (const values of [{}, { watchNamespaces: ["shop"] }]) {
      const roles = named(await render(values)).objects.filter((object) =>
        ["Role", "ClusterRole"].includes(object.kind ?? ""),
      ) as unknown as {
        rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
      }[];
      expect(roles.length).toBeGreaterThan(0);
      for (const rule of roles.flatMap((role) => role.rules)) {
        expect([...rule.apiGroups, ...rule.resources, ...rule.verbs]).not.toContain("*");
        expect(rule.verbs.filter((verb) => ["escalate", "bind", "impersonate"].includes(verb))).toEqual([]);
        expect(rule.resources.filter((resource) => /^pods\/|serviceaccounts|roles/.test(resource))).toEqual([]);
        expect(rule.resources.includes("secrets") ? rule.verbs : ["get"]).toEqual(["get"]);
      }
    }
  });
});
