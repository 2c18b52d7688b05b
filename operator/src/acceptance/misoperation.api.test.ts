/**
 * Misoperation (after Acto, SOSP 2023): every field of both kinds is changed to another value and back, and to one that is
 * wrong and back; each time the end is what it was before. The fields are those of the CRDs and their other values are made from the
 * schema, so a new field fails here until a base has it. `make test` takes all fields but those of the pod template, and a
 * sample of these; `MISOPERATION=all` takes all, `SEED=` another sample.
 */
import type { Kind } from "@jobqueue/crds";
import type { Database } from "@jobqueue/store";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { Random } from "../../../test/chaos/random.ts";
import { waitFor } from "../../../test/cluster/wait-for.ts";
import { ApiError, type KubeObject } from "../../../test/support/api-server/api-client.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { isCarriedOut } from "../testing/carried-out.ts";
import { ClusterUnderTest, openStore } from "../testing/cluster-under-test.ts";
import { comparable, differenceOf, maskOf } from "../testing/comparable.ts";
import { inParallel } from "../testing/crash/in-parallel.ts";
import { JOB_QUEUE_BASES, JOB_STORE_BASES, type Base } from "../testing/misoperation/bases.ts";
import { locate, specFields, valueAt, withValue, type Field } from "../testing/misoperation/fields.ts";
import { otherValues, wrongValue } from "../testing/misoperation/values.ts";
import { LONG_LEASE_TIMES } from "../testing/times.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

const { MISOPERATION = "", SEED = "" } = process.env;
/** `make test` takes the same sample every time: what is new to a run is what changed in the code. */
const seed = Number(SEED || 42);
/** Fields of the pod template in a sample. */
const SAMPLE = 24;
/** What has looked the same for so long, milliseconds, is what a spec comes to. */
const REST_MS = 4_000;
/** A look is ten requests, of each spec at once. */
const LOOK_EVERY_MS = 250;
const TEMPLATE = "workers.template.";

/** Fields of which the API server accepts no other value in their base, not even none, and why. */
const ONE_VALUE: Readonly<Record<string, string>> = {
  "storeRef.namespace": "immutable: the jobs would stay in the old store",
  "workers.template.spec.containers[].name": "one container is called worker, and the base has one",
  "workers.template.spec.volumes[].name": "its mounts name it, and one field is changed at a time",
  "workers.template.spec.containers[].volumeMounts[].name": "it names a volume, likewise",
  "workers.template.spec.initContainers[].volumeMounts[].name": "it names a volume, likewise",
  "workers.template.spec.securityContext.seccompProfile.type": "localhostProfile goes with this one only, likewise",
  "workers.template.spec.containers[].securityContext.seccompProfile.type": "localhostProfile, likewise",
  "workers.template.spec.initContainers[].securityContext.seccompProfile.type": "localhostProfile, likewise",
};

/** Values that the API server accepts and the operator or the store must refuse. */
const REFUSED: readonly { readonly base: string; readonly path: string; readonly value: unknown }[] = [
  { base: "policy", path: "schedules[].cron", value: "0 0 31 2 *" },
  { base: "knobs", path: "workers.template.spec.containers[].image", value: "registry.example/UPPERCASE" },
  { base: "knobs", path: "workers.serviceAccountName", value: "nobody-made-this" },
];

interface Case {
  readonly base: Base;
  readonly field: Field;
}

/** Each field with the first base that has it. */
function casesOf(kind: Kind, bases: readonly Base[]): { readonly cases: readonly Case[]; readonly without: string[] } {
  const cases: Case[] = [];
  const without: string[] = [];
  for (const field of specFields(kind)) {
    const base = bases.find(({ spec }) => locate(spec, field.path));
    if (base) cases.push({ base, field });
    else without.push(field.path);
  }
  return { cases, without };
}

const JOB_QUEUES = casesOf("JobQueue", JOB_QUEUE_BASES);
const JOB_STORES = casesOf("JobStore", JOB_STORE_BASES);

function sampled({ cases }: typeof JOB_QUEUES): readonly Case[] {
  const random = new Random(seed);
  const inTemplate = cases.filter(({ field }) => field.path.startsWith(TEMPLATE));
  const ranked = inTemplate.map((one) => ({ one, rank: random.next() })).toSorted((a, b) => a.rank - b.rank);
  const chosen = new Set(ranked.slice(0, MISOPERATION === "all" ? undefined : SAMPLE).map(({ one }) => one));
  return cases.filter((one) => !one.field.path.startsWith(TEMPLATE) || chosen.has(one));
}

it("every field of both kinds has a value that can be changed", () => {
  expect([...JOB_QUEUES.without, ...JOB_STORES.without]).toEqual([]);
  expect(JOB_QUEUES.cases.length).toBeGreaterThan(250);
  expect(JOB_STORES.cases.length).toBeGreaterThan(30);
});

describe("a field that is changed and changed back, or wrong and mended, ends as it was (misoperation)", () => {
  let cluster: ClusterUnderTest;
  let database: TestDatabase;
  let store: Database;

  beforeEach(async () => {
    cluster = await ClusterUnderTest.create("misoperation");
    database = await createTestDatabase(adminUrl);
    store = openStore(database.url);
    await cluster.secret("default", database.url);
    await cluster.operator({ leaseTimes: LONG_LEASE_TIMES });
  });

  afterEach(async () => {
    await cluster.stop();
    await store.close();
    await database.drop();
  });

  const apply = async (what: string, base: Base, spec: object): Promise<void> => {
    if (what === "jobqueues") await cluster.jobQueue(base.name, spec);
    else await cluster.jobStore(base.name, spec);
  };

  /** The first other value of a field that the API server accepts, in a dry run; nothing where it accepts none. */
  async function otherValue(what: string, { base, field }: Case): Promise<{ readonly value: unknown } | undefined> {
    const pointer = locate(base.spec, field.path) ?? [];
    const path = `${cluster.path(`${what}/${base.name}`)}?fieldManager=test&force=true&dryRun=All`;
    const { apiVersion, kind } = await cluster.api.get(cluster.path(`${what}/${base.name}`));
    for (const value of otherValues(field, valueAt(base.spec, pointer))) {
      const object = { apiVersion, kind, metadata: { name: base.name }, spec: withValue(base.spec, pointer, value) };
      if (!(await isRefused(cluster.api.send("PATCH", path, object, "application/apply-patch+yaml")))) return { value };
    }
    return undefined;
  }

  const isRefused = async (write: Promise<unknown>): Promise<boolean> => {
    try {
      await write;
      return false;
    } catch (error) {
      // The API server calls it an error of its own when an applied manifest has another type than the schema.
      const isMistyped = error instanceof ApiError && error.message.startsWith("failed to create typed patch object");
      if (isMistyped || (error instanceof ApiError && [400, 422].includes(error.status))) return true;
      throw error;
    }
  };

  const list = async (path: string): Promise<readonly KubeObject[]> =>
    (await cluster.api.get<{ items: KubeObject[] }>(path)).items;

  /** All that the operator makes of an object; `undefined` while it has not seen the last change of it. */
  async function outcome(what: string, name: string): Promise<string | undefined> {
    const object = await cluster.api.get(cluster.path(`${what}/${name}`));
    const status = object["status"] as { observedGeneration?: number } | undefined;
    if (status?.observedGeneration !== object.metadata["generation"]) return undefined;
    const parts: unknown[] = [comparable(object)];
    if (what === "jobqueues") {
      const ofPool = `?labelSelector=${encodeURIComponent(`jobqueue.dev/pool=${name}`)}`;
      for (const path of [
        cluster.path("deployments"),
        `/apis/policy/v1/namespaces/${cluster.namespace}/poddisruptionbudgets`,
      ]) {
        for (const child of await list(`${path}${ofPool}`)) {
          parts.push(comparable({ ...child, kind: "Deployment" })); // its status is its controller's
        }
      }
      const rows = async (view: string, column: string): Promise<unknown> =>
        store.query(`select to_jsonb(t) as row from jobqueue.${view} t where ${column} = $1 order by t::text`, [name]);
      parts.push(await rows("v_queues", "name"), await rows("v_holds", "queue"), await rows("v_schedules", "queue"));
    } else if (name === "by-uri") {
      parts.push(await store.query("select * from jobqueue.v_store_settings"));
      parts.push(await store.query("select queue, name, reason from jobqueue.v_holds where queue = '*'"));
    }
    return maskOf({ [cluster.namespace]: "NAMESPACE" })(JSON.stringify(parts, undefined, 1))
      .replaceAll(/"(generation|observedGeneration|id)": \d+/g, '"$1": 0')
      .replaceAll(/"deployment\.kubernetes\.io\/revision": "\d+"/g, '"revision": 0');
  }

  const observed = async (what: string, name: string): Promise<void> => {
    const options = { timeoutMs: 60_000, everyMs: LOOK_EVERY_MS };
    await waitFor("the change to be observed", () => outcome(what, name), options);
  };

  const comesTo = async (what: string, name: string, wanted: string): Promise<void> => {
    let seen: string | undefined;
    await waitFor(
      "a change and its way back to end as before",
      async () => (seen = await outcome(what, name)) === wanted,
      {
        timeoutMs: 60_000,
        everyMs: LOOK_EVERY_MS,
        explain: () => differenceOf(wanted, seen ?? "nothing that was observed"),
      },
    );
  };

  async function change(
    what: string,
    one: Case,
    before: string,
    wanted: { readonly value: unknown } | undefined,
  ): Promise<string | undefined> {
    const { base, field } = one;
    const other = wanted ?? (await otherValue(what, one));
    if (!other) return undefined; // said by a test of its own, for all fields
    if (await isRefused(apply(what, base, withValue(base.spec, locate(base.spec, field.path) ?? [], other.value)))) {
      return `${base.name} ${field.path}: ${JSON.stringify(other.value)} is not accepted`;
    }
    try {
      await observed(what, base.name);
      await apply(what, base, base.spec);
      await comesTo(what, base.name, before);
      return undefined;
    } catch (error) {
      return `${base.name} ${field.path}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /** What a spec comes to when nobody changes any. */
  async function restOf(what: string, base: Base): Promise<string> {
    await apply(what, base, base.spec);
    let seen = "";
    let since = performance.now();
    await waitFor(
      `${base.name} to be at rest`,
      async () => {
        const now = (await outcome(what, base.name)) ?? "";
        const isDone = now !== "" && (await isCarriedOut(cluster.api, cluster.namespace));
        if (now !== seen || !isDone) [seen, since] = [now, performance.now()];
        return performance.now() - since > REST_MS;
      },
      { timeoutMs: 120_000, everyMs: LOOK_EVERY_MS, explain: () => seen },
    );
    return seen;
  }

  async function tryAll(what: string, base: Base, before: string, cases: readonly Case[]): Promise<readonly string[]> {
    const wrong: string[] = [];
    for (const one of cases) {
      const { field } = one;
      const pointer = locate(base.spec, field.path) ?? [];
      if (!(await isRefused(apply(what, base, withValue(base.spec, pointer, wrongValue(field)))))) {
        wrong.push(`${base.name} ${field.path}: a value of another type is accepted`);
      }
      const problem = await change(what, one, before, undefined);
      if (problem !== undefined) wrong.push(problem);
    }
    for (const { path, value } of REFUSED.filter((refused) => refused.base === base.name)) {
      const field = { path, schema: {} };
      const problem = await change(what, { base, field }, before, { value });
      if (problem !== undefined) wrong.push(problem);
    }
    return wrong;
  }

  async function tryBases(what: string, bases: readonly Base[], cases: readonly Case[]): Promise<readonly string[]> {
    const rests = await Promise.all(bases.map((base) => restOf(what, base)));
    const of = (base: Base): readonly Case[] => cases.filter((one) => one.base === base);
    const found = await Promise.all(bases.map((base, at) => tryAll(what, base, rests[at] ?? "", of(base))));
    return found.flat();
  }

  it("for which each field has another value, unless it is said why not", async () => {
    const kinds = [
      ["jobstores", JOB_STORE_BASES, JOB_STORES.cases],
      ["jobqueues", JOB_QUEUE_BASES, JOB_QUEUES.cases],
    ] as const;
    const without: string[] = [];
    for (const [what, bases, cases] of kinds) {
      for (const base of bases) await apply(what, base, base.spec);
      await inParallel(cases, async (one) => {
        if (!(await otherValue(what, one))) without.push(one.field.path);
      });
    }
    expect(without.toSorted()).toEqual(Object.keys(ONE_VALUE).toSorted());
  });

  it("of a JobStore", async () => {
    expect(await tryBases("jobstores", JOB_STORE_BASES, JOB_STORES.cases)).toEqual([]);
  }, 1_800_000);

  it("of a JobQueue", async () => {
    await cluster.jobStore("default");
    await cluster.condition("jobstores/default", "Ready", "True");
    const chosen = sampled(JOB_QUEUES);
    process.stdout.write(
      `misoperation: ${chosen.length} of ${JOB_QUEUES.cases.length} fields of JobQueue, SEED=${seed}\n`,
    );
    expect(await tryBases("jobqueues", JOB_QUEUE_BASES, chosen)).toEqual([]);
  }, 1_800_000);
});
