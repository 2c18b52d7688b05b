/** What a write of the operator is called, the same in every run: what was written, not when, where, or as how manieth of all. */
import type { SeenRequest } from "../../kube/testing/fault-proxy.ts";

/** Resources whose objects have another name in every run. */
const RANDOM_NAMES = new Set(["events", "pods"]);

/** The name of a request that changes something; `undefined` for one that does not, and for the Lease. */
export function requestWritten({ method, verb, resource, subresource, name, dryRun }: SeenRequest): string | undefined {
  if (method === "GET" || dryRun || resource === "leases") return undefined;
  const what = [resource, RANDOM_NAMES.has(resource) ? "" : name, subresource].filter(Boolean).join("/");
  return `${verb} ${what}`;
}

/** Functions of the store that a leader calls in a transaction that writes, but which are no write of the scenario. */
const BESIDES = new Set(["assert_term"]);

const CALL = /"?jobqueue"?\.([a-z_]+)\(/g;

/** Collects what one connection to the store does in the transaction that is under way, and says when it is committed. */
export class TransactionSeen {
  #called: string[] = [];
  #open = false;

  /** Notes what a client sent; the name of the transaction when this commits it. */
  sent(bytes: Buffer): string | undefined {
    const text = bytes.toString("latin1");
    if (text.includes("begin isolation level")) {
      this.#open = true;
      this.#called = [];
    }
    for (const [, name = ""] of text.matchAll(CALL)) {
      // Taking a term is a transaction of its own.
      if (name === "take_term") return `sql ${name}`;
      if (this.#open && !BESIDES.has(name)) this.#called.push(name);
    }
    if (!this.#open || !/Q....commit\0/s.test(text)) return undefined;
    this.#open = false;
    const called = this.#called.filter((name) => !name.startsWith("v_"));
    return called.length === 0 ? undefined : `sql ${called.join("+")}`;
  }
}
