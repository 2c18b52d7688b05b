import { readFileSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "../errors.ts";
import { type ConnectionSettings, parseStoreUrl } from "./settings.ts";

/**
 * The files that may stand in a credential directory. Kubernetes mounts a Secret as such files and replaces them when
 * it changes, so a password that is rotated reaches a running process with its next connection. Each may be missing.
 */
export const CREDENTIAL_FILES = {
  /** The whole URL: host, port, database, user and password of the settings do not count then. */
  uri: "uri",
  user: "user",
  password: "password",
  /** Certificate authorities, and the client's own certificate with its key, PEM. */
  ca: "ca.crt",
  certificate: "tls.crt",
  key: "tls.key",
} as const;

/**
 * The settings as they are now: what the files of the credential directory say, else what was given. Read without
 * waiting, because `pg` makes its connections so; the files are small and in memory.
 *
 * @throws StoreError (invalid_settings) when a file cannot be read or `uri` is no URL; never with its content.
 */
export function currentSettings(settings: ConnectionSettings): ConnectionSettings {
  const { credentialDirectory: directory } = settings;
  if (directory === undefined) return settings;
  const file = (name: string): string | undefined => read(directory, name);
  const uri = file(CREDENTIAL_FILES.uri);
  const base = uri === undefined ? settings : parseStoreUrl(uri.trim(), settings.tls);
  return {
    ...base,
    user: file(CREDENTIAL_FILES.user)?.trim() ?? base.user,
    // Whoever puts a password into a file easily ends it with a line break, which is never part of it.
    password: file(CREDENTIAL_FILES.password)?.replace(/\r?\n$/, "") ?? base.password,
    tls: {
      ...settings.tls,
      ca: file(CREDENTIAL_FILES.ca) ?? settings.tls.ca,
      certificate: file(CREDENTIAL_FILES.certificate) ?? settings.tls.certificate,
      key: file(CREDENTIAL_FILES.key) ?? settings.tls.key,
    },
    credentialDirectory: directory,
  };
}

function read(directory: string, name: string): string | undefined {
  try {
    return readFileSync(join(directory, name), "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new StoreError(`the file ${name} of the store's credentials cannot be read (${code})`, {
      code: "invalid_settings",
      retry: "never",
    });
  }
}
