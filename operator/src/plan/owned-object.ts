/** The hands of what the operator makes for a JobQueue, a Deployment or a PodDisruptionBudget: made and removed, never taken over. */
import { FIELD_MANAGER } from "../controllers/job-queue/desired/names.ts";
import { isNotFound, keyOf, type KubeClient, type KubeObject, type Resource, type Writable } from "../kube/index.ts";
import type { WrittenObjects } from "./written-objects.ts";

/** Where objects of one kind are written, and remembered. */
export interface Owned<T extends KubeObject> {
  readonly client: KubeClient;
  readonly resource: Resource<T>;
  readonly written: WrittenObjects<T>;
}

/**
 * Makes it so. `uid`: of the one that is changed, which the API server compares; absent: there is none, which is confirmed by a
 * live read, because apply would take over an object of that name.
 *
 * @throws KubeError, Error when one of the name is there that was not seen before
 */
export async function applyOwned<T extends KubeObject>(
  { client, resource, written }: Owned<T>,
  object: Writable<T>,
  uid: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = object.metadata;
  if (uid === undefined && (await client.find(resource, { namespace, name }, { signal }))) {
    throw new Error(`the ${resource.kind} ${name} is there already`);
  }
  const body = uid === undefined ? object : { ...object, metadata: { ...object.metadata, uid } };
  written.note(await client.apply(resource, body, { fieldManager: FIELD_MANAGER, force: true, signal }));
}

/**
 * Removes it, if it is still the one that was seen, and only after all that belongs to it: it stays, marked, until then. If it went
 * first and one of the same name were made, a garbage collector whose watch is broken just then would see it as changed and never
 * as gone, and what belonged to it would run on for ever (chaos with faults of the API server has shown it). @throws KubeError
 */
export async function deleteOwned<T extends KubeObject>(
  { client, resource, written }: Owned<T>,
  { namespace, name, uid, resourceVersion }: Readonly<Record<"namespace" | "name" | "uid" | "resourceVersion", string>>,
  signal: AbortSignal,
): Promise<void> {
  const preconditions = { uid, resourceVersion };
  try {
    await client.delete(resource, { namespace, name }, { preconditions, propagationPolicy: "Foreground", signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  written.forget(keyOf({ namespace, name }));
}
