import { createHash, randomBytes } from "node:crypto";
import { type Session, useApiKey } from "@jobqueue/store";
import { type Principal, principalWith } from "./principal.ts";

/** Every key begins so: searches for leaked secrets find it, and it is never sent to the API server as a token. */
export const KEY_PREFIX = "jqk_";

/** A new key, which is shown once and stored nowhere, and the hash the store knows it by. 192 random bits. */
export function newApiKey(): { readonly key: string; readonly hash: Buffer } {
  const key = KEY_PREFIX + randomBytes(24).toString("base64url");
  return { key, hash: hashOf(key) };
}

/**
 * Who the key belongs to; undefined when it opens nothing. Asks the store for each request, so that a revoked key is
 * refused from the next one on. Finding it by its hash tells nothing by the time it takes: who could guess a hash has the key.
 */
export async function principalOfKey(session: Session, key: string): Promise<Principal | undefined> {
  const found = await useApiKey(session, hashOf(key));
  return found && principalWith(`key:${found.name}`, "key", found.scopes);
}

function hashOf(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
