import { ask } from "./api.ts";
import { askFirst } from "./dialog.ts";
import { h } from "./dom.ts";
import { credentials, keepCredentials, rememberWho, type WhoAmI } from "./session.ts";

/** Asks the server who this tab is. Credentials that it does not know any more are forgotten. @throws ApiError */
export async function findOutWho(): Promise<void> {
  rememberWho(await ask<WhoAmI>("GET", "api/v1/whoami"));
}

/** Asks for a key, and keeps it when the server knows it. */
export async function signIn(): Promise<boolean> {
  return askFirst({
    title: "Sign in",
    body: [
      h("p", {}, "Paste an API key, or a bearer token of the cluster where the server takes those."),
      h("p", { class: "hint" }, "An administrator makes keys: jobqueue api-key create NAME --scope operator"),
      h("p", { class: "hint" }, "A token of a service account: kubectl create token NAME -n NAMESPACE"),
    ],
    fields: [
      {
        name: "key",
        label: "Key or token",
        required: true,
        secret: true,
        maxLength: 8192,
        hint: "It is kept in this tab only, and gone with it.",
      },
    ],
    action: "Sign in",
    act: async ({ key = "" }) => {
      const before = credentials();
      keepCredentials(key);
      try {
        await findOutWho();
      } catch (error) {
        keepCredentials(before);
        throw error;
      }
    },
  });
}

/** Forgets the key of this tab. */
export function signOut(): void {
  keepCredentials(undefined);
}
