import type { JobQueueWorkers } from "@jobqueue/crds";
import { CREDENTIAL_FILES as FILES_OF_THE_STORE } from "@jobqueue/store";
import { describe, expect, it } from "vitest";
import { aJobQueue, aJobStore, someWorkers } from "../../testing/builders.ts";
import { desiredDeployment } from "./deployment.ts";
import { CREDENTIAL_FILES } from "./environment.ts";
import { firstDifference } from "./drift.ts";
import { APPLIED_HASH, labelsOf, workersName } from "./names.ts";

const caSecretRef = { name: "shop-db-ca", key: "ca.pem" };
const template = (worker: object, spec: object = {}) =>
  someWorkers({
    template: { spec: { containers: [{ name: "worker", image: "registry.example/mailer:1", ...worker }], ...spec } },
  });
const pods = (...given: Parameters<typeof desiredDeployment>) =>
  desiredDeployment(...given).spec.template as {
    metadata: Record<string, object>;
    spec: Record<string, never> & { containers: Record<string, never>[] };
  };

describe("the Deployment of a pool", () => {
  it("is what the spec says, and restricted, for the smallest template there is", () => {
    expect(desiredDeployment(aJobQueue({ replicas: 2 }), aJobStore())).toMatchInlineSnapshot(`
      {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
          "annotations": {
            "jobqueue.dev/applied-hash": "39388136e3abc262",
          },
          "labels": {
            "app.kubernetes.io/component": "worker",
            "app.kubernetes.io/instance": "mailers",
            "app.kubernetes.io/managed-by": "jobqueue-operator",
            "app.kubernetes.io/name": "jobqueue-worker",
            "app.kubernetes.io/part-of": "jobqueue-operator",
            "jobqueue.dev/pool": "mailers",
            "jobqueue.dev/queue": "mailers",
          },
          "name": "mailers-workers",
          "namespace": "shop",
          "ownerReferences": [
            {
              "apiVersion": "jobqueue.dev/v1alpha1",
              "controller": true,
              "kind": "JobQueue",
              "name": "mailers",
              "uid": "11111111-aaaa-4aaa-8aaa-000000000001",
            },
          ],
        },
        "spec": {
          "minReadySeconds": 0,
          "progressDeadlineSeconds": 600,
          "replicas": 2,
          "revisionHistoryLimit": 3,
          "selector": {
            "matchLabels": {
              "jobqueue.dev/pool": "mailers",
            },
          },
          "strategy": {
            "rollingUpdate": {
              "maxSurge": "25%",
              "maxUnavailable": 0,
            },
            "type": "RollingUpdate",
          },
          "template": {
            "metadata": {
              "labels": {
                "app.kubernetes.io/component": "worker",
                "app.kubernetes.io/instance": "mailers",
                "app.kubernetes.io/managed-by": "jobqueue-operator",
                "app.kubernetes.io/name": "jobqueue-worker",
                "app.kubernetes.io/part-of": "jobqueue-operator",
                "jobqueue.dev/pool": "mailers",
                "jobqueue.dev/queue": "mailers",
              },
            },
            "spec": {
              "automountServiceAccountToken": false,
              "containers": [
                {
                  "env": [
                    {
                      "name": "POD_NAME",
                      "valueFrom": {
                        "fieldRef": {
                          "fieldPath": "metadata.name",
                        },
                      },
                    },
                    {
                      "name": "POD_UID",
                      "valueFrom": {
                        "fieldRef": {
                          "fieldPath": "metadata.uid",
                        },
                      },
                    },
                    {
                      "name": "POD_NAMESPACE",
                      "valueFrom": {
                        "fieldRef": {
                          "fieldPath": "metadata.namespace",
                        },
                      },
                    },
                    {
                      "name": "NODE_NAME",
                      "valueFrom": {
                        "fieldRef": {
                          "fieldPath": "spec.nodeName",
                        },
                      },
                    },
                    {
                      "name": "DATABASE_URL",
                      "valueFrom": {
                        "secretKeyRef": {
                          "key": "uri",
                          "name": "shop-db",
                        },
                      },
                    },
                    {
                      "name": "JOBQUEUE_STORE_DIRECTORY",
                      "value": "/var/run/jobqueue/store",
                    },
                    {
                      "name": "JOBQUEUE_TLS_MODE",
                      "value": "VerifyFull",
                    },
                    {
                      "name": "JOBQUEUE_SCHEMA",
                      "value": "jobqueue",
                    },
                    {
                      "name": "JOBQUEUE_QUEUES",
                      "value": "mailers",
                    },
                    {
                      "name": "JOBQUEUE_SLOTS",
                      "value": "10",
                    },
                    {
                      "name": "JOBQUEUE_POOL",
                      "value": "shop/mailers",
                    },
                    {
                      "name": "JOBQUEUE_DRAIN_TIMEOUT_SECONDS",
                      "value": "30",
                    },
                    {
                      "name": "JOBQUEUE_HTTP_PORT",
                      "value": "8080",
                    },
                    {
                      "name": "JOBQUEUE_IMAGE",
                      "value": "registry.example/mailer:1",
                    },
                  ],
                  "image": "registry.example/mailer:1",
                  "livenessProbe": {
                    "failureThreshold": 9,
                    "httpGet": {
                      "path": "/livez",
                      "port": 8080,
                    },
                    "periodSeconds": 10,
                    "timeoutSeconds": 5,
                  },
                  "name": "worker",
                  "readinessProbe": {
                    "failureThreshold": 3,
                    "httpGet": {
                      "path": "/readyz",
                      "port": 8080,
                    },
                    "periodSeconds": 5,
                    "timeoutSeconds": 5,
                  },
                  "securityContext": {
                    "allowPrivilegeEscalation": false,
                    "capabilities": {
                      "drop": [
                        "ALL",
                      ],
                    },
                    "readOnlyRootFilesystem": true,
                  },
                  "startupProbe": {
                    "failureThreshold": 150,
                    "httpGet": {
                      "path": "/livez",
                      "port": 8080,
                    },
                    "periodSeconds": 2,
                    "timeoutSeconds": 5,
                  },
                  "volumeMounts": [
                    {
                      "mountPath": "/var/run/jobqueue/store",
                      "name": "jobqueue-store",
                      "readOnly": true,
                    },
                    {
                      "mountPath": "/tmp",
                      "name": "jobqueue-tmp",
                    },
                  ],
                },
              ],
              "enableServiceLinks": false,
              "securityContext": {
                "runAsNonRoot": true,
                "seccompProfile": {
                  "type": "RuntimeDefault",
                },
              },
              "terminationGracePeriodSeconds": 45,
              "volumes": [
                {
                  "name": "jobqueue-store",
                  "projected": {
                    "sources": [
                      {
                        "secret": {
                          "items": [
                            {
                              "key": "uri",
                              "path": "uri",
                            },
                          ],
                          "name": "shop-db",
                        },
                      },
                    ],
                  },
                },
                {
                  "emptyDir": {},
                  "name": "jobqueue-tmp",
                },
              ],
            },
          },
        },
      }
    `);
  });

  it("mounts the certificates of the store where the worker is told to look for them", () => {
    const store = aJobStore({
      connection: { uriSecretRef: { name: "shop-db", key: "uri" }, tls: { mode: "VerifyCA", caSecretRef } },
    });
    const { spec } = pods(aJobQueue(), store);
    expect(spec["volumes"]).toContainEqual({
      name: "jobqueue-store",
      projected: {
        sources: [
          { secret: { name: "shop-db", items: [{ key: "uri", path: "uri" }] } },
          { secret: { name: "shop-db-ca", items: [{ key: "ca.pem", path: "ca.crt" }] } },
        ],
      },
    });
    expect(spec.containers[0]?.["volumeMounts"]).toContainEqual({
      name: "jobqueue-store",
      mountPath: "/var/run/jobqueue/store",
      readOnly: true,
    });
    expect(spec.containers[0]?.["env"]).toContainEqual({
      name: "JOBQUEUE_TLS_CA_FILE",
      value: "/var/run/jobqueue/store/ca.crt",
    });
  });

  it("gives workers an address in parts, with what is secret in files", () => {
    const store = aJobStore({
      connection: {
        server: { host: "db.example", database: "app", user: "shop", passwordSecretRef: { name: "db", key: "pw" } },
        tls: { mode: "EncryptOnly", clientCertificateSecretRef: { name: "own" } },
      },
    });
    const { spec } = pods(aJobQueue(), store);
    const env = spec.containers[0]?.["env"] as unknown as { name: string; value?: string }[];
    expect(
      env.filter(({ name }) => name.startsWith("JOBQUEUE_STORE_")).map(({ name, value }) => [name, value]),
    ).toEqual([
      ["JOBQUEUE_STORE_HOST", "db.example"],
      ["JOBQUEUE_STORE_PORT", "5432"],
      ["JOBQUEUE_STORE_DATABASE", "app"],
      ["JOBQUEUE_STORE_USER", "shop"],
      ["JOBQUEUE_STORE_DIRECTORY", "/var/run/jobqueue/store"],
    ]);
    expect(env.some(({ name }) => name === "DATABASE_URL")).toBe(false);
    expect(spec["volumes"]).toContainEqual({
      name: "jobqueue-store",
      projected: {
        sources: [
          { secret: { name: "db", items: [{ key: "pw", path: "password" }] } },
          { secret: { name: "own", items: [{ key: "tls.crt", path: "tls.crt" }] } },
          { secret: { name: "own", items: [{ key: "tls.key", path: "tls.key" }] } },
        ],
      },
    });
  });

  it("rolls out as the spec says", () => {
    const of = (workers: Partial<JobQueueWorkers>) =>
      desiredDeployment(aJobQueue({ workers: someWorkers(workers) }), aJobStore()).spec;
    expect(of({ strategy: { type: "Recreate", maxSurge: "25%", maxUnavailable: 0 } })["strategy"]).toEqual({
      type: "Recreate",
    });
    const strategy = { type: "RollingUpdate", maxSurge: 0, maxUnavailable: "50%" } as const;
    expect(of({ strategy, minReadySeconds: 5, progressDeadlineSeconds: 60 })).toMatchObject({
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: "50%" } },
      minReadySeconds: 5,
      progressDeadlineSeconds: 60,
    });
  });

  it("names the files as a worker looks for them", () => {
    expect(CREDENTIAL_FILES).toEqual(FILES_OF_THE_STORE);
  });

  it("gives workers the address that is meant for them, and nothing of the operator's", () => {
    const store = aJobStore({
      connection: {
        uriSecretRef: { name: "shop-db", key: "uri" },
        directURISecretRef: { name: "shop-direct", key: "uri" },
        workerURISecretRef: { name: "shop-worker", key: "url" },
        tls: { mode: "VerifyFull" },
      },
    });
    const text = JSON.stringify(pods(aJobQueue(), store));
    expect(text).toContain('{"secretKeyRef":{"name":"shop-worker","key":"url"}}');
    expect(text).not.toMatch(/shop-db|shop-direct/);
  });

  it("serves its own queue first, then the others in the order given", () => {
    const queue = aJobQueue({ queueName: "mail", workers: someWorkers({ alsoServes: ["slow", "bulk"] }) });
    expect(pods(queue, aJobStore()).spec.containers[0]?.["env"]).toContainEqual({
      name: "JOBQUEUE_QUEUES",
      value: "mail,slow,bulk",
    });
  });

  it("gives the worker its drain time and a margin before it is killed", () => {
    expect(
      pods(aJobQueue({ workers: someWorkers({ drainTimeoutSeconds: 120 }) }), aJobStore()).spec[
        "terminationGracePeriodSeconds"
      ],
    ).toBe(135);
  });

  it("keeps the probes, the environment and the mounts of the template beside its own", () => {
    const probe = { exec: { command: ["true"] } };
    const queue = aJobQueue({
      workers: template(
        {
          livenessProbe: probe,
          env: [{ name: "SMTP_HOST", value: "mail" }],
          volumeMounts: [{ name: "work", mountPath: "/tmp/" }],
        },
        { volumes: [{ name: "work", emptyDir: {} }] },
      ),
    });
    const { spec } = pods(queue, aJobStore());
    const [worker] = spec.containers;
    expect(worker?.["livenessProbe"]).toEqual(probe);
    expect(worker?.["readinessProbe"]).toMatchObject({ httpGet: { path: "/readyz", port: 8080 } });
    expect(worker?.["startupProbe"]).toMatchObject({ httpGet: { path: "/livez", port: 8080 }, failureThreshold: 150 });
    expect(worker?.["env"]).toContainEqual({ name: "SMTP_HOST", value: "mail" });
    expect(spec["volumes"]).toMatchObject([{ name: "work", emptyDir: {} }, { name: "jobqueue-store" }]); // /tmp is taken: no scratch volume
  });

  it("lets a template deviate from restricted only in what it says itself", () => {
    const queue = aJobQueue({
      workers: template({ securityContext: { readOnlyRootFilesystem: false, runAsUser: 10_001 } }),
    });
    const { spec } = pods(queue, aJobStore());
    expect(spec.containers[0]?.["securityContext"]).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: false,
      capabilities: { drop: ["ALL"] },
      runAsUser: 10_001,
    });
    expect(spec["volumes"]).toMatchObject([{ name: "jobqueue-store" }]); // the root is writable: no scratch volume
  });

  it("restricts sidecars and init containers too", () => {
    const more = {
      initContainers: [{ name: "fetch", image: "x" }],
      containers: [
        { name: "worker", image: "x" },
        { name: "proxy", image: "x" },
      ],
    };
    const { spec } = pods(aJobQueue({ workers: template({}, more) }), aJobStore());
    for (const container of [...spec.containers, ...(spec["initContainers"] as unknown as object[])]) {
      expect(container).toMatchObject({
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
      });
    }
  });

  it("never mounts a service account token, and takes the account that spec.workers names", () => {
    const { spec } = pods(aJobQueue({ workers: someWorkers({ serviceAccountName: "mailer" }) }), aJobStore());
    expect(spec).toMatchObject({ serviceAccountName: "mailer", automountServiceAccountToken: false });
  });

  it("reads a selector that is left out as the workers of this pool", () => {
    const own = { labelSelector: { matchLabels: { "jobqueue.dev/pool": "mailers" } } };
    const queue = aJobQueue({
      workers: template(
        {},
        {
          topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "ScheduleAnyway" }],
          affinity: {
            podAntiAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                { weight: 1, podAffinityTerm: { topologyKey: "host" } },
              ],
            },
          },
        },
      ),
    });
    expect(pods(queue, aJobStore()).spec).toMatchObject({
      topologySpreadConstraints: [own],
      affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ podAffinityTerm: own }] } },
    });
  });

  it("has the operator's labels win over those of the template", () => {
    const workers = someWorkers({
      template: {
        metadata: { labels: { team: "growth", "jobqueue.dev/pool": "stolen" } },
        spec: { containers: [{ name: "worker", image: "x" }] },
      },
    });
    expect(pods(aJobQueue({ workers }), aJobStore()).metadata["labels"]).toMatchObject({
      team: "growth",
      "jobqueue.dev/pool": "mailers",
    });
  });

  it("has a hash that changes with what is applied and with nothing else", () => {
    const hash = (...given: Parameters<typeof desiredDeployment>) =>
      desiredDeployment(...given).metadata.annotations[APPLIED_HASH];
    const first = hash(aJobQueue(), aJobStore());
    expect(
      hash(aJobQueue({ state: "Paused" }, { metadata: { resourceVersion: "777", generation: 9 } }), aJobStore()),
    ).toBe(first);
    expect(hash(aJobQueue({ replicas: 2 }), aJobStore())).not.toBe(first);
    expect(hash(aJobQueue(), aJobStore({ schema: "other" }))).not.toBe(first);
  });

  it("does not roll the pods when only the number of replicas changes", () => {
    expect(pods(aJobQueue({ replicas: 9 }), aJobStore())).toEqual(pods(aJobQueue({ replicas: 1 }), aJobStore()));
  });
});

describe("names", () => {
  it.each([
    ["mailers", "mailers-workers"],
    ["a".repeat(39), `${"a".repeat(39)}-workers`],
  ])("the Deployment of %s is %s", (name, expected) => {
    expect(workersName(name)).toBe(expected);
  });

  it("a long name is cut to 47 characters and stays unique", () => {
    const [a, b] = [`${"a".repeat(62)}x`, `${"a".repeat(62)}y`].map(workersName);
    expect(a).toHaveLength(47);
    expect(a).toMatch(/^a+-[0-9a-f]{8}-workers$/);
    expect(a).not.toBe(b);
  });

  it("a cut name never has two separators in a row", () => {
    expect(workersName(`${"a".repeat(29)}.${"b".repeat(33)}`)).toMatch(/^a{29}-[0-9a-f]{8}-workers$/);
  });

  it("label values are names that Kubernetes accepts as they are", () => {
    for (const value of Object.values(labelsOf(aJobQueue({ queueName: `a${"._-".repeat(20)}zz` })))) {
      expect(value).toMatch(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/);
    }
  });
});

describe("firstDifference", () => {
  it.each([
    ["equal objects do not differ", { a: { b: 1 } }, { a: { b: 1 } }, undefined],
    ["what the API server added is ignored", { a: 1 }, { a: 1, b: 2 }, undefined],
    ["a changed leaf is named", { a: { b: 1 } }, { a: { b: 2 } }, "a.b"],
    ["a missing leaf is named", { a: { b: 1 } }, { a: {} }, "a.b"],
    ["an empty object that was dropped is no difference", { emptyDir: {} }, {}, undefined],
    [
      "lists with names are compared by name, additions ignored",
      { c: [{ name: "x", v: 1 }] },
      { c: [{ name: "injected" }, { name: "x", v: 1 }] },
      undefined,
    ],
    ["a changed entry is named by its name", { c: [{ name: "x", v: 1 }] }, { c: [{ name: "x", v: 2 }] }, "c[x].v"],
    ["a missing entry is named", { c: [{ name: "x", v: 1 }] }, { c: [] }, "c[x]"],
    [
      "mounts of one volume are told apart by their paths",
      {
        volumeMounts: [
          { name: "v", mountPath: "/a" },
          { name: "v", mountPath: "/b" },
        ],
      },
      {
        volumeMounts: [
          { name: "v", mountPath: "/b" },
          { name: "v", mountPath: "/a" },
        ],
      },
      undefined,
    ],
    [
      "an amount in another spelling is the same",
      { resources: { requests: { cpu: "0.5", memory: "1024Mi" } } },
      { resources: { requests: { cpu: "500m", memory: "1Gi" } } },
      undefined,
    ],
    [
      "another amount is not",
      { resources: { limits: { cpu: "0.5" } } },
      { resources: { limits: { cpu: "501m" } } },
      "resources.limits.cpu",
    ],
    [
      "spelling counts everywhere else",
      { env: [{ name: "X", value: "1024Mi" }] },
      { env: [{ name: "X", value: "1Gi" }] },
      "env[X].value",
    ],
    [
      "an empty text that is not stored is no difference",
      { env: [{ name: "X", value: "" }] },
      { env: [{ name: "X" }] },
      undefined,
    ],
    [
      "a zero that is not stored is no difference",
      { volumeMounts: [{ mountPath: "/a", readOnly: false }] },
      { volumeMounts: [{ mountPath: "/a" }] },
      undefined,
    ],
    [
      "a setting that is stored as false must be there",
      { securityContext: { allowPrivilegeEscalation: false } },
      { securityContext: {} },
      "securityContext.allowPrivilegeEscalation",
    ],
    ["plain lists are compared whole", { args: ["a"] }, { args: ["a", "b"] }, "args"],
    ["and in order", { args: ["a", "b"] }, { args: ["b", "a"] }, "args[0]"],
  ])("%s", (_sentence, wanted, live, path) => {
    expect(firstDifference(wanted, live)).toBe(path);
  });
});
