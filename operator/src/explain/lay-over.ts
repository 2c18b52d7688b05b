/**
 * A manifest that is not applied yet, laid over what exists: the API server is asked for the object that an apply would give,
 * with its defaults and its rules, in a dry run that stores nothing.
 */
import { canonical } from "../controllers/canonical.ts";
import { JOB_QUEUES } from "../controllers/kinds.ts";
import type { StoredJobQueue } from "../controllers/kubernetes-objects.ts";
import { isInvalid, KubeError, type KubeClient, type Writable } from "../kube/index.ts";
import type { JobQueue } from "@jobqueue/crds";
import type { Manifest } from "./manifest.ts";
import { ExplainProblem, missingRight, saidByServer } from "./problem.ts";

/** Where `kubectl apply` keeps what it applied last. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** The object that applying the manifest would give. @throws ExplainProblem `manifest` with the words of the rules, `cluster` */
export async function layOver(
  manifest: Manifest,
  live: StoredJobQueue | undefined,
  options: { readonly client: KubeClient; readonly namespace: string; readonly fieldManager: string },
): Promise<StoredJobQueue> {
  const { client, namespace, fieldManager } = options;
  const { name } = manifest.metadata;
  const last = live?.metadata.annotations?.[LAST_APPLIED];
  const dry = { dryRun: true, fieldValidation: "Strict" } as const;
  try {
    if (live && last !== undefined) {
      const patch = threeWayPatch(JSON.parse(last) as object, { ...manifest }, live);
      return await client.mergePatch(JOB_QUEUES, { namespace, name }, patch, { ...dry, fieldManager });
    }
    const object = { ...manifest, metadata: { ...manifest.metadata, namespace } } as unknown as Writable<JobQueue>;
    return await client.apply(JOB_QUEUES, object, { ...dry, fieldManager, force: true });
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    const right = missingRight(error);
    if (right !== undefined) {
      throw new ExplainProblem("cluster", `your account may not ${right}`, {
        remedy: "What is not applied yet is checked by a dry run, which needs the right to apply and stores nothing.",
        cause: error,
      });
    }
    // Server-side apply says 500 about a field that the kind does not have.
    const unknownField = error.message.includes("field not declared in schema");
    if (unknownField || isInvalid(error)) {
      throw new ExplainProblem("manifest", `the API server refuses JobQueue ${name}: ${saidByServer(error)}`, {
        cause: error,
      });
    }
    throw error;
  }
}

type Plain = Readonly<Record<string, unknown>>;

const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The merge patch of `kubectl apply` for a kind without strategic merge: what the manifest says and the live object does not,
 * and null for what was applied last and is not in the manifest. Lists are replaced whole (RFC 7396; apimachinery,
 * `jsonmergepatch.CreateThreeWayJSONMergePatch`).
 */
export function threeWayPatch(last: object, next: object, live: object): Plain {
  const [before, after, now] = [last as Plain, next as Plain, live as Plain];
  const removed = Object.keys(before)
    .filter((key) => !(key in after) && key in now)
    .map((key) => [key, null] as const);
  const changed = Object.entries(after).flatMap(([key, value]): (readonly [string, unknown])[] => {
    if (isPlain(value) && isPlain(now[key])) {
      const patch = threeWayPatch(isPlain(before[key]) ? before[key] : {}, value, now[key]);
      return Object.keys(patch).length === 0 ? [] : [[key, patch]];
    }
    return canonical(value) === canonical(now[key]) ? [] : [[key, value]];
  });
  return Object.fromEntries([...removed, ...changed]);
}
