import type { Session } from "@jobqueue/store";
import { Problem } from "../problem.ts";
import { KEY_PREFIX, principalOfKey } from "./api-keys.ts";
import type { PresentedCredentials } from "./credentials.ts";
import { FailedAttempts } from "./failed-attempts.ts";
import { KnownCallers } from "./known-callers.ts";
import type { KubernetesAuth } from "./kubernetes.ts";
import { type Principal, principalWith } from "./principal.ts";
import type { Scope } from "./scopes.ts";

/** Which credentials are accepted. */
export interface AuthenticatorOptions {
  /** Where keys are looked up; absent: keys are not accepted. */
  readonly keys: Session | undefined;
  /** Who judges tokens of a cluster; absent: they are not accepted. */
  readonly kubernetes: KubernetesAuth | undefined;
  /** What may be done without credentials. */
  readonly anonymous: readonly Scope[];
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** From where credentials come, and for what. */
interface Presented {
  /** Address of whoever sent them. */
  readonly from: string;
  /** They are for something that needs no store: there a key that was good lately is enough while the store cannot be asked. */
  readonly withoutStore: boolean;
}

/** How long somebody who is known lately waits for the store to say so again. */
const PATIENCE_MS = 2_000;

/** Finds out who makes a request. */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #anonymous: Principal;
  readonly #known: KnownCallers;
  readonly #failed: FailedAttempts;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#anonymous = principalWith("anonymous", "nothing", options.anonymous);
    this.#known = new KnownCallers(options.now);
    this.#failed = new FailedAttempts(options.now);
  }

  /**
   * Who presents these credentials. Wrong ones are refused even where none would do: whoever sends them means to be
   * somebody, and a revoked key must not look as if it worked. Where too many wrong ones came from, strangers are not even looked at.
   */
  async principalOf(
    credentials: PresentedCredentials | undefined,
    { from, withoutStore }: Presented,
  ): Promise<Principal> {
    if (credentials === undefined) return this.#anonymous;
    const { keys, kubernetes } = this.#options;
    const { secret } = credentials;
    const known = this.#known.find(secret);
    const wait = known === undefined ? this.#failed.waitOf(from) : 0;
    if (wait > 0) {
      throw new Problem("too_many_requests", `Too many wrong credentials came from ${from}: wait ${wait} s.`, {
        retryAfterSeconds: wait,
      });
    }
    const isKey = secret.startsWith(KEY_PREFIX);
    const asked = isKey ? keys && principalOfKey(keys, secret) : kubernetes?.principalOf(secret);
    const fallback = isKey && withoutStore ? known : undefined;
    const found = await (fallback && asked ? inTime(asked, fallback) : asked);
    // Known is who was found, not who is let in because nobody can say.
    if (found !== fallback || found === undefined) this.#known.note(secret, found);
    if (found) return found;
    this.#failed.note(from);
    throw new Problem("unauthorized", `These credentials are not valid here. ${this.#accepted()}`);
  }

  /** Refuses unless the principal has one of the scopes. */
  async demand(principal: Principal, scopes: readonly Scope[], queue?: string): Promise<void> {
    for (const scope of scopes) {
      if (await principal.may(scope, queue)) return;
    }
    const wanted = scopes.join(" or ");
    if (principal.by === "nothing") {
      throw new Problem("unauthorized", `This needs credentials with the scope ${wanted}. ${this.#accepted()}`);
    }
    const grants = scopes.flatMap((scope) => principal.lacks?.(scope, queue) ?? []);
    const what = grants.length === 0 ? "" : `: the right to ${grants.join(", or to ")}`;
    throw new Problem("forbidden", `${principal.actor} lacks the scope ${wanted}${what}.`);
  }

  #accepted(): string {
    const { keys, kubernetes } = this.#options;
    const ways = [
      ...(keys ? ["an API key (`jobqueue api-key create`) as Key, Bearer or Basic password"] : []),
      ...(kubernetes ? ["a Bearer token of the cluster"] : []),
    ];
    return ways.length === 0 ? "This server accepts none." : `It takes ${ways.join(", or ")}.`;
  }
}

/** What is answered, unless it fails or takes too long: then the fallback. */
async function inTime(asked: Promise<Principal | undefined>, fallback: Principal): Promise<Principal | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<Principal>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, fallback);
  });
  try {
    return await Promise.race([asked.catch(() => fallback), patience]);
  } finally {
    clearTimeout(timer);
  }
}
