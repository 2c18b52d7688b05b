/** The API key of this tab. It is gone with the tab, is in no URL, and no other page can read it. */

const KEY = "jobqueue-api-key";

/** Who the server takes this tab for. */
export interface WhoAmI {
  readonly actor: string;
  readonly by: "key" | "kubernetes" | "nothing";
  readonly scopes: readonly string[];
}

let who: WhoAmI = { actor: "nobody yet", by: "nothing", scopes: [] };

/** The credentials to send; undefined: none. */
export const credentials = (): string | undefined => sessionStorage.getItem(KEY) ?? undefined;

/** Keeps credentials for this tab, or forgets them. */
export function keepCredentials(secret: string | undefined): void {
  if (secret === undefined) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, secret);
}

/** Who this tab acts as. */
export const whoAmI = (): WhoAmI => who;

/** Remembers who the server said this is. */
export function rememberWho(answer: WhoAmI): void {
  who = answer;
}

/** Whether whoever looks has a scope. Only what is offered depends on it: the server decides. */
export const may = (scope: string): boolean => who.scopes.includes(scope);
