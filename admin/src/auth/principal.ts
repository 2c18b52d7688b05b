import type { Scope } from "./scopes.ts";

/** Whoever makes a request, once known. */
export interface Principal {
  /** For the audit trail: `key:grafana`, `user:ana@example.org`, `anonymous`. */
  readonly actor: string;
  /** How it proved who it is. */
  readonly by: "key" | "kubernetes" | "nothing";
  /**
   * Whether it may. `queue` narrows the question to one queue. Rejects with a `Problem` when nobody can say at the moment:
   * then the answer is no.
   */
  may(scope: Scope, queue?: string): Promise<boolean>;
  /** What an administrator would have to grant for a scope, in words; absent: the scope itself says it. */
  lacks?(scope: Scope, queue?: string): string;
}

/** A principal with a fixed set of scopes. */
export function principalWith(actor: string, by: Principal["by"], scopes: readonly string[]): Principal {
  const set = new Set(scopes);
  return { actor, by, may: async (scope) => set.has(scope) };
}
