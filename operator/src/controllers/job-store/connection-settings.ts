/**
 * From the connection of a JobStore and the values of its Secrets to the settings of a connection: the one place that knows
 * how they go together. How Secrets are read is the caller's: the operator reads them with its rights, the command with
 * those of whoever runs it.
 */
import type { JobStoreConnection, JobStoreTls, SecretKeyRef } from "@jobqueue/crds";
import { type ConnectionSettings, parseStoreUrl, type TlsSettings } from "@jobqueue/store";
import { StoreFailure } from "./failure.ts";

export { StoreFailure };

/** A cloud's metadata service answers at these addresses; no database does. */
const LINK_LOCAL = /^(169\.254\.|fe[89ab][0-9a-f]:)/i;

/** Keys of a Secret of type kubernetes.io/tls. */
const CERTIFICATE = { certificate: "tls.crt", key: "tls.key" } as const;

/** Reads a key of a Secret that must be there, or throws. */
export type ReadKey = (ref: SecretKeyRef) => Promise<string>;

/** Where a JobStore has its address from, in words: "Secret shop-db, key uri". */
export function placeOf({ uriSecretRef }: Pick<JobStoreConnection, "uriSecretRef">): string {
  return uriSecretRef ? `Secret ${uriSecretRef.name}, key ${uriSecretRef.key}` : "spec.connection.server";
}

/** @throws StoreFailure with SecretInvalid; StoreError (invalid_settings) when the URL cannot be used; what `read` throws */
export async function settingsOf(connection: JobStoreConnection, read: ReadKey): Promise<ConnectionSettings> {
  const { server, uriSecretRef } = connection;
  if (uriSecretRef) return fromUrl(uriSecretRef, connection.tls, read);
  if (!server) throw new StoreFailure("SecretInvalid", "spec.connection has neither uriSecretRef nor server.");
  return refuseLinkLocal(
    {
      host: server.host,
      port: server.port ?? 5432,
      database: server.database,
      user: server.userSecretRef ? (await read(server.userSecretRef)).trim() : (server.user ?? ""),
      // Whoever puts a password into a file easily ends it with a line break, which is never part of it.
      password: server.passwordSecretRef && (await read(server.passwordSecretRef)).replace(/\r?\n$/, ""),
      tls: await tlsOf(connection.tls, read),
    },
    placeOf(connection),
  );
}

/** The settings of the direct way past a pooler, where the JobStore names one. @throws as `settingsOf` */
export async function directSettingsOf(
  { directURISecretRef, tls }: JobStoreConnection,
  read: ReadKey,
): Promise<ConnectionSettings | undefined> {
  return directURISecretRef && fromUrl(directURISecretRef, tls, read);
}

async function fromUrl(ref: SecretKeyRef, tls: JobStoreTls, read: ReadKey): Promise<ConnectionSettings> {
  const url = (await read(ref)).trim();
  const settings = parseStoreUrl(url, await tlsOf(tls, read));
  return refuseLinkLocal(settings, placeOf({ uriSecretRef: ref }));
}

async function tlsOf(tls: JobStoreTls, read: ReadKey): Promise<TlsSettings> {
  const { mode, caSecretRef: ca, clientCertificateSecretRef: own } = tls;
  return {
    mode,
    ...(ca && { ca: await pem(ca, "CERTIFICATE", "certificate", read) }),
    ...(own && {
      certificate: await pem({ ...own, key: CERTIFICATE.certificate }, "CERTIFICATE", "certificate", read),
      key: await pem({ ...own, key: CERTIFICATE.key }, "PRIVATE KEY", "private key", read),
    }),
  };
}

async function pem(ref: SecretKeyRef, label: string, what: string, read: ReadKey): Promise<string> {
  const text = await read(ref);
  if (new RegExp(`-----BEGIN ([A-Z]+ )?${label}-----`).test(text)) return text;
  throw new StoreFailure("SecretInvalid", `${placeOf({ uriSecretRef: ref })}: it holds no ${what} in PEM.`);
}

function refuseLinkLocal(settings: ConnectionSettings, place: string): ConnectionSettings {
  if (!LINK_LOCAL.test(settings.host)) return settings;
  const sentence = `${place}: link-local addresses are not databases; write the host name of the server.`;
  throw new StoreFailure("SecretInvalid", sentence);
}
