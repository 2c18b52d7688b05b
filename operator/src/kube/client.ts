import { isExpired, isNotFound } from "./errors.ts";
import {
  apiVersionOf,
  resourcePath,
  type KubeObject,
  type Resource,
  type Stored,
  type StoredMeta,
} from "./resources.ts";
import type { KubeRequest, Transport } from "./transport.ts";

/** Options every call takes. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whole time of the call (default 30 s; lists 60 s per page). */
  readonly timeoutMs?: number;
  /** How often to repeat when the server says Retry-After (default 3). */
  readonly retries?: number;
  /** Does not wait for the bucket that all writes share. */
  readonly urgent?: boolean;
}

/** Names one object; `namespace` is absent on cluster-scoped kinds. */
export interface ObjectRef {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** Which objects of a kind. */
export interface Selection {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** A complete list: every object as of one resourceVersion. */
export interface KubeList<T extends KubeObject> {
  readonly resourceVersion: string;
  readonly items: readonly Stored<T>[];
}

/** An object to be written, whole or in part. Its apiVersion and kind are filled in from the resource. */
export type Writable<T extends KubeObject> = Partial<Omit<T, "metadata">> & {
  readonly metadata: Pick<StoredMeta, "name"> &
    Partial<Omit<StoredMeta, "name" | "namespace">> & { readonly namespace?: string | undefined };
};

/** One operation of a JSON Patch (RFC 6902); `test` first makes the rest conditional. */
export interface JsonPatchOperation {
  readonly op: "add" | "remove" | "replace" | "test" | "move" | "copy";
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** What a write may say beside the object. */
export interface WriteOptions extends CallOptions {
  /** Who owns the fields. Required for apply; a good idea for everything. */
  readonly fieldManager?: string;
  /** `status`, `scale`, ... instead of the object itself. */
  readonly subresource?: string;
  /** Validate and admit, store nothing. */
  readonly dryRun?: boolean;
  /** What the server does about fields the kind does not have (default of the server: `Warn`). */
  readonly fieldValidation?: "Ignore" | "Warn" | "Strict";
}

/** How an object is deleted. */
export interface DeleteOptions extends CallOptions {
  /** 409 unless the object is still this one. Always give the uid when the decision was made from a cache. */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Orphan" | "Background" | "Foreground";
}

/** As client-go's pager and most controllers. */
const PAGE_SIZE = 500;
const PAGE_TIMEOUT_MS = 60_000;

/** Typed calls on top of a transport. Reads go to the API server, never to a cache. Every call throws `KubeError`s. */
export class KubeClient {
  readonly transport: Transport;
  readonly #retries: number | undefined;
  readonly #dryRunOnly: boolean;

  /**
   * `retries` of calls that do not say: 0 for whoever has a queue to put the work back into, because a caller that sleeps
   * while one object is throttled is missing to all others. `dryRunOnly`: every write is a dry run, whatever its caller
   * says, so that nothing is ever stored.
   */
  constructor(transport: Transport, defaults: Pick<CallOptions, "retries"> & { readonly dryRunOnly?: boolean } = {}) {
    this.transport = transport;
    this.#retries = defaults.retries;
    this.#dryRunOnly = defaults.dryRunOnly ?? false;
  }

  get<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, options: CallOptions = {}): Promise<Stored<T>> {
    return this.transport.request({ ...this.#call(options), method: "GET", path: resourcePath(resource, ref) });
  }

  /** `undefined` instead of `NotFound`. */
  async find<T extends KubeObject>(
    resource: Resource<T>,
    ref: ObjectRef,
    options: CallOptions = {},
  ): Promise<Stored<T> | undefined> {
    try {
      return await this.get(resource, ref, options);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /**
   * Reads all pages (500 objects each) as of one resourceVersion. Always a consistent read, never one of a cache that may
   * lag: a list never goes back in time. Starts over when the continue token expires, the second time without pages.
   * `trim` is applied to each object as its page arrives, before the next page is read.
   */
  async list<T extends KubeObject>(
    resource: Resource<T>,
    selection: Selection = {},
    options: CallOptions & { readonly trim?: (object: Stored<T>) => Stored<T> } = {},
  ): Promise<KubeList<T>> {
    try {
      return await this.#list(resource, selection, options, PAGE_SIZE);
    } catch (error) {
      if (!isExpired(error)) throw error;
      return this.#list(resource, selection, options, undefined);
    }
  }

  create<T extends KubeObject>(
    resource: Resource<T>,
    object: Writable<T>,
    options: WriteOptions = {},
  ): Promise<Stored<T>> {
    const { namespace } = object.metadata;
    const path = resourcePath(resource, { namespace, subresource: options.subresource });
    return this.#write({ method: "POST", path, body: typed(resource, object) }, options);
  }

  /**
   * Server-side apply: makes the fields of `object` so, and removes those that this field manager applied before and
   * no longer names. Without `force`, a field that somebody else owns with another value is a `Conflict`.
   */
  apply<T extends KubeObject>(
    resource: Resource<T>,
    object: Writable<T>,
    options: WriteOptions & { readonly fieldManager: string; readonly force?: boolean },
  ): Promise<Stored<T>> {
    const path = resourcePath(resource, { ...refOf(object), subresource: options.subresource });
    const query = options.force ? { force: true } : {};
    const contentType = "application/apply-patch+yaml"; // JSON is YAML
    return this.#write({ method: "PATCH", path, query, contentType, body: typed(resource, object) }, options);
  }

  /** JSON merge patch: named fields change, `null` removes. A `metadata.resourceVersion` in it is a precondition. */
  mergePatch<T extends KubeObject>(
    resource: Resource<T>,
    target: ObjectRef,
    patch: object,
    options: WriteOptions = {},
  ): Promise<Stored<T>> {
    const path = resourcePath(resource, { ...target, subresource: options.subresource });
    return this.#write({ method: "PATCH", path, contentType: "application/merge-patch+json", body: patch }, options);
  }

  /** JSON patch: all operations or none. */
  jsonPatch<T extends KubeObject>(
    resource: Resource<T>,
    target: ObjectRef,
    operations: readonly JsonPatchOperation[],
    options: WriteOptions = {},
  ): Promise<Stored<T>> {
    const path = resourcePath(resource, { ...target, subresource: options.subresource });
    return this.#write(
      { method: "PATCH", path, contentType: "application/json-patch+json", body: operations },
      options,
    );
  }

  /** PUT. Loses fields that the caller does not carry: only for kinds we own whole; give the resourceVersion. */
  replace<T extends KubeObject>(
    resource: Resource<T>,
    object: Writable<T>,
    options: WriteOptions = {},
  ): Promise<Stored<T>> {
    const path = resourcePath(resource, { ...refOf(object), subresource: options.subresource });
    return this.#write({ method: "PUT", path, body: typed(resource, object) }, options);
  }

  /** Posts to a subresource that is a verb (`eviction`, `token`). */
  post(
    resource: Resource,
    target: ObjectRef,
    subresource: string,
    body: object,
    options: WriteOptions = {},
  ): Promise<object> {
    return this.#write({ method: "POST", path: resourcePath(resource, { ...target, subresource }), body }, options);
  }

  /** @throws NotFound, Conflict when a precondition does not hold */
  async delete(resource: Resource, target: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    const { preconditions, gracePeriodSeconds, propagationPolicy } = options;
    const body = { kind: "DeleteOptions", apiVersion: "v1", preconditions, gracePeriodSeconds, propagationPolicy };
    const query = this.#dryRunOnly ? { dryRun: "All" } : {};
    await this.transport.request({
      ...this.#call(options),
      method: "DELETE",
      path: resourcePath(resource, target),
      query,
      body,
    });
  }

  /** The API server's version; the cheapest proof that it answers us. */
  serverVersion(options: CallOptions = {}): Promise<{ readonly gitVersion: string }> {
    return this.transport.request({ ...this.#call(options), method: "GET", path: "/version" });
  }

  async #list<T extends KubeObject>(
    resource: Resource<T>,
    { namespace, labelSelector, fieldSelector }: Selection,
    options: CallOptions & { readonly trim?: (object: Stored<T>) => Stored<T> },
    limit: number | undefined,
  ): Promise<KubeList<T>> {
    const about = { apiVersion: apiVersionOf(resource), kind: resource.kind };
    const items: Stored<T>[] = [];
    let next: string | undefined;
    for (;;) {
      const page: Page<T> = await this.transport.request<Page<T>>({
        ...this.#call({ timeoutMs: PAGE_TIMEOUT_MS, ...options }),
        method: "GET",
        path: resourcePath(resource, { namespace }),
        query: { labelSelector, fieldSelector, limit, continue: next },
      });
      for (const item of page.items ?? []) {
        // Items of a list come without apiVersion and kind.
        const object: Stored<T> = Object.assign(item, about);
        items.push(options.trim ? options.trim(object) : object);
      }
      next = page.metadata.continue || undefined;
      if (next === undefined) return { resourceVersion: page.metadata.resourceVersion, items };
    }
  }

  #call(options: CallOptions): Pick<KubeRequest, "signal" | "timeoutMs" | "retries" | "urgent"> {
    const { signal, timeoutMs, retries = this.#retries, urgent } = options;
    return { signal, timeoutMs, retries, urgent };
  }

  #write<T>(request: KubeRequest, options: WriteOptions): Promise<T> {
    const { fieldManager, dryRun, fieldValidation } = options;
    const dry = dryRun || this.#dryRunOnly ? "All" : undefined;
    const query = { ...request.query, fieldManager, fieldValidation, dryRun: dry };
    return this.transport.request({ ...this.#call(options), ...request, query });
  }
}

interface Page<T extends KubeObject> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly Stored<T>[] | null;
}

function refOf({ metadata }: { readonly metadata: ObjectRef }): ObjectRef {
  return { namespace: metadata.namespace, name: metadata.name };
}

function typed(resource: Resource, object: object): object {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object };
}
