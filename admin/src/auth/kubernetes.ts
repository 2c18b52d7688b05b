import { createHash } from "node:crypto";
import { KubeError, type KubeClient } from "@jobqueue/operator/kube";
import { Problem } from "../problem.ts";
import type { Principal } from "./principal.ts";
import { type Scope, SCOPES } from "./scopes.ts";

/** What the API server says of a token. */
interface TokenReview {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly audiences?: readonly string[];
    readonly user?: UserInfo;
  };
}

interface UserInfo {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** How tokens are judged. */
export interface KubernetesAuthOptions {
  readonly client: KubeClient;
  /** Namespace of the JobStore and its JobQueues: where RBAC is asked about. */
  readonly namespace: string;
  /** Audience that tokens must be for; empty: the API server's own. */
  readonly audience: string;
  /** Milliseconds, rising. */
  readonly now: () => number;
}

/** How long a yes is believed. A no is never: it is asked again, so that a grant works at once. */
const CACHE_MS = 10_000;
const CACHE_ENTRIES = 1_000;
/** Questions that may be open at once: who sends tokens that are none must not have us flood the API server. */
const MAX_OPEN = 32;
/** A person waits for the answer, and an API server that needs longer will not give one. */
const TIMEOUT_MS = 5_000;

/**
 * Bearer tokens of a cluster: TokenReview says who it is, LocalSubjectAccessReview whether that user may use a virtual
 * subresource of `jobqueues` in the namespace (RBAC decides, `resourceNames` included). The local kind of review needs a right
 * in that namespace only: this server cannot find out what anybody may do elsewhere. It fails closed: when the API server
 * does not answer, nobody is let in who was not within the last ten seconds, and nothing is changed or revealed at all.
 * The same questions as controller-runtime's `WithAuthenticationAndAuthorization` asks.
 */
export class KubernetesAuth {
  readonly #options: KubernetesAuthOptions;
  readonly #users = new Map<string, { readonly user: UserInfo; readonly until: number }>();
  readonly #allowed = new Map<string, number>();
  #open = 0;

  constructor(options: KubernetesAuthOptions) {
    this.#options = options;
  }

  /** Who the token belongs to; undefined when the API server does not accept it. */
  async principalOf(token: string): Promise<Principal | undefined> {
    const key = createHash("sha256").update(token).digest("base64");
    const known = this.#users.get(key);
    const user = known && known.until > this.#options.now() ? known.user : await this.#review(token);
    if (user?.username === undefined) return undefined;
    if (user !== known?.user) remember(this.#users, key, { user, until: this.#options.now() + CACHE_MS });
    return {
      actor: `user:${user.username}`.slice(0, 256),
      by: "kubernetes",
      may: async (scope, queue) => this.#may(key, user, scope, queue),
      lacks: (scope, queue) => this.#rightTo(scope, queue),
    };
  }

  async #review(token: string): Promise<UserInfo | undefined> {
    const { audience } = this.#options;
    const { status } = await this.#ask<TokenReview>("/apis/authentication.k8s.io/v1/tokenreviews", {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenReview",
      spec: { token, ...(audience === "" ? {} : { audiences: [audience] }) },
    });
    if (status?.authenticated !== true) return undefined;
    // An API server that knows nothing of audiences answers without them: then nobody has checked.
    if (audience !== "" && status.audiences?.includes(audience) !== true) return undefined;
    return status.user;
  }

  /** A right as `kubectl auth can-i` and roles name it. */
  #rightTo(scope: Scope, queue: string | undefined): string {
    const { verb, subresource } = SCOPES[scope];
    const resource = `jobqueues.jobqueue.dev${subresource === "" ? "" : `/${subresource}`}`;
    return `${verb} ${resource}${queue === undefined ? "" : ` ${queue}`} in namespace ${this.#options.namespace}`;
  }

  async #may(key: string, user: UserInfo, scope: Scope, queue: string | undefined): Promise<boolean> {
    const { verb, subresource, sensitive } = SCOPES[scope];
    const question = `${key} ${scope} ${queue ?? ""}`;
    if (!sensitive && (this.#allowed.get(question) ?? 0) > this.#options.now()) return true;
    const { namespace } = this.#options;
    const { status } = await this.#ask<{ readonly status?: { readonly allowed?: boolean } }>(
      `/apis/authorization.k8s.io/v1/namespaces/${namespace}/localsubjectaccessreviews`,
      {
        apiVersion: "authorization.k8s.io/v1",
        kind: "LocalSubjectAccessReview",
        metadata: { namespace },
        spec: {
          user: user.username,
          uid: user.uid,
          groups: user.groups,
          extra: user.extra,
          resourceAttributes: {
            namespace,
            group: "jobqueue.dev",
            version: "v1alpha1",
            resource: "jobqueues",
            subresource,
            verb,
            ...(queue === undefined ? {} : { name: queue }),
          },
        },
      },
    );
    const allowed = status?.allowed === true;
    if (allowed && !sensitive) remember(this.#allowed, question, this.#options.now() + CACHE_MS);
    return allowed;
  }

  async #ask<Answer>(path: string, body: object): Promise<Answer> {
    if (this.#open >= MAX_OPEN) {
      throw new Problem("unavailable", "Too many people ask at once who they are; try again.", {
        retryAfterSeconds: 1,
      });
    }
    this.#open += 1;
    try {
      return await this.#options.client.transport.request<Answer>({
        method: "POST",
        path,
        body,
        timeoutMs: TIMEOUT_MS,
        retries: 0,
        urgent: true,
      });
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      throw new Problem(
        "unavailable",
        "The Kubernetes API server could not be asked who you are and what you may do, so nothing was done.",
        { retryAfterSeconds: 5, cause: error },
      );
    } finally {
      this.#open -= 1;
    }
  }
}

/** Keeps a cache small: the entry that was added first goes first. */
function remember<Value>(cache: Map<string, Value>, key: string, value: Value): void {
  cache.delete(key);
  cache.set(key, value);
  const [oldest] = cache.keys();
  if (cache.size > CACHE_ENTRIES && oldest !== undefined) cache.delete(oldest);
}
