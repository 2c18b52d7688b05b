/** Kinds as the edge knows them: where they live and which type their objects have on the wire (plain JSON, times as strings). */

/** Who an object belongs to; `controller: true` at most once per object. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** `metadata` of an object that the API server has stored. `managedFields` is dropped by the cache and so not here. */
export interface StoredMeta {
  readonly name: string;
  /** Absent on cluster-scoped kinds. */
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  /** RFC 3339 with whole seconds, as are all times but MicroTimes. */
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
}

/** The least a type must have to describe the objects of a kind (a generated CRD type fits, an empty one too). */
export interface KubeObject {
  readonly metadata?: object;
}

/** An object as it was read: the kind's own fields plus what the API server always fills in (also on items of lists). */
export type Stored<T extends KubeObject = KubeObject> = T & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: StoredMeta;
};

/** A kind. Make one with `defineResource`. */
export interface Resource<T extends KubeObject = KubeObject> {
  /** "" is the core group. */
  readonly group: string;
  readonly version: string;
  /** Lower-case name in paths. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Never set: carries the type of the kind's objects. */
  readonly objects?: T;
}

/** Describes a kind: `defineResource<Deployment>({ group: "apps", version: "v1", plural: "deployments", kind: "Deployment" })`. */
export function defineResource<T extends KubeObject>(
  resource: Omit<Resource, "objects" | "namespaced"> & { readonly namespaced?: boolean },
): Resource<T> {
  return { namespaced: true, ...resource };
}

/** `apiVersion` of a kind's objects. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}

/** What one request is about: a kind, narrowed to a namespace, an object, a part of it. */
export interface ResourceTarget {
  /** Absent: all namespaces (lists), or a cluster-scoped kind. */
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** Path of a request. Names are percent-encoded and keep their case (a name may hold upper case: `system:MyRole`). */
export function resourcePath(resource: Resource, target: ResourceTarget = {}): string {
  const { namespace, name, subresource } = target;
  const parts = resource.group === "" ? ["api", resource.version] : ["apis", resource.group, resource.version];
  if (resource.namespaced && namespace !== undefined) parts.push("namespaces", namespace);
  parts.push(resource.plural);
  if (name !== undefined) parts.push(name);
  if (subresource !== undefined) parts.push(subresource);
  return `/${parts.map(encodeURIComponent).join("/")}`;
}

/** Identity of an object within its kind: "namespace/name", or "name" where there is no namespace. */
export type ObjectKey = string;

/** The key of an object or reference. */
export function keyOf(object: { readonly namespace?: string | undefined; readonly name: string }): ObjectKey {
  return object.namespace === undefined ? object.name : `${object.namespace}/${object.name}`;
}

/** The parts of a key. */
export function splitKey(key: ObjectKey): { readonly namespace?: string; readonly name: string } {
  const slash = key.indexOf("/");
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
