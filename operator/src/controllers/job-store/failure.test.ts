import { StoreError, toStoreError } from "@jobqueue/store";
import { describe, expect, it } from "vitest";
import { aJobStore } from "../testing/builders.ts";
import { connectionOf, type ReadSecret } from "./credentials.ts";
import { downBecause, isAboutTheStore, StoreFailure } from "./failure.ts";

const SECRET = "Secret shop-db, key uri";
const pgError = (code: string, message: string) => toStoreError(Object.assign(new Error(message), { code }));

describe("downBecause", () => {
  it.each([
    ["28P01", 'password authentication failed for user "shop"', "AuthFailed"],
    ["28000", 'no pg_hba.conf entry for host "10.1.2.3", user "shop"', "AuthFailed"],
    ["3D000", 'database "shop" does not exist', "AuthFailed"],
    ["42501", "permission denied for schema jobqueue", "AuthFailed"],
    ["ECONNREFUSED", "connect ECONNREFUSED 10.1.2.3:5432", "ConnectFailed"],
    ["ENOTFOUND", "getaddrinfo ENOTFOUND db.secret.example", "ConnectFailed"],
    ["ETIMEDOUT", "connect ETIMEDOUT 10.1.2.3:5432", "Timeout"],
    ["57014", "canceling statement due to statement timeout", "Timeout"],
    ["57P03", "the database system is starting up", "ConnectFailed"],
    ["53300", "sorry, too many clients already", "ConnectFailed"],
    ["25006", "cannot execute INSERT in a read-only transaction", "NotPrimary"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "self-signed certificate in certificate chain", "TlsFailed"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "Hostname/IP does not match certificate's altnames", "TlsFailed"],
    ["", "The server does not support SSL connections", "TlsFailed"],
    ["", "SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string", "AuthFailed"],
    ["XX000", "could not open relation with OID 16432", "ConnectFailed"],
  ])("%s %s is %s, and nothing of the server's words is repeated", (code, message, reason) => {
    const down = downBecause(pgError(code, message), SECRET);
    expect(down).toMatchObject({ is: "down", reason });
    expect(down.sentence).not.toMatch(/10\.1\.2\.3|secret\.example|"shop"|relation|pg_hba/);
    expect(down.sentence).toMatch(/\.$/);
  });

  it("says which Secret to correct", () => {
    expect(downBecause(pgError("28P01", "…"), SECRET).sentence).toBe(
      "Postgres refuses the user or the password in Secret shop-db, key uri (28P01); correct the Secret, it is read again by itself.",
    );
  });

  it("keeps a failure of ours as it is", () => {
    expect(downBecause(new StoreFailure("SecretNotFound", "There is no Secret."), SECRET)).toEqual({
      is: "down",
      reason: "SecretNotFound",
      sentence: "There is no Secret.",
    });
  });

  it("has a sentence for what nobody foresaw", () => {
    expect(downBecause(new TypeError("x is not a function"), SECRET)).toMatchObject({ reason: "ConnectFailed" });
  });
});

describe("isAboutTheStore", () => {
  it("tells an outage from a call that was refused", () => {
    expect(isAboutTheStore(pgError("57P01", "terminating connection"))).toBe(true);
    expect(isAboutTheStore(new StoreError("no such option", { code: "invalid_input", retry: "never" }))).toBe(false);
    expect(isAboutTheStore(new Error("ours"))).toBe(false);
  });
});

describe("connectionOf", () => {
  const KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
  const PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
  const secrets =
    (values: Readonly<Record<string, string>>): ReadSecret =>
    async (_namespace, { name, key }) =>
      values[`${name}/${key}`] ?? values[name];
  const withCa = aJobStore({
    connection: {
      uriSecretRef: { name: "shop-db", key: "uri" },
      tls: { mode: "VerifyFull", caSecretRef: { name: "ca", key: "ca.crt" } },
    },
  });

  it("takes the address from the Secret and everything about TLS from the JobStore", async () => {
    const read = secrets({ "shop-db": "postgres://shop:pw@db.example:6432/app?sslmode=disable\n", ca: PEM });
    expect(await connectionOf(withCa, read)).toEqual({
      connection: {
        host: "db.example",
        port: 6432,
        database: "app",
        user: "shop",
        password: "pw",
        tls: { mode: "VerifyFull", ca: PEM },
      },
      direct: undefined,
    });
  });

  it("takes the address from its parts, and the secret ones from their Secrets", async () => {
    const jobStore = aJobStore({
      connection: {
        server: {
          host: "db.example",
          database: "app",
          userSecretRef: { name: "db", key: "user" },
          passwordSecretRef: { name: "db", key: "password" },
        },
        directURISecretRef: { name: "direct", key: "uri" },
        tls: { mode: "VerifyFull", clientCertificateSecretRef: { name: "own" } },
      },
    });
    const read = secrets({
      "db/user": "shop\n",
      "db/password": " p@ss/w:rd \n",
      direct: "postgres://shop:pw@past-the-pooler:5433/app",
      "own/tls.crt": PEM,
      "own/tls.key": KEY,
    });
    const tls = { mode: "VerifyFull", certificate: PEM, key: KEY };
    expect(await connectionOf(jobStore, read)).toEqual({
      connection: { host: "db.example", port: 5432, database: "app", user: "shop", password: " p@ss/w:rd ", tls },
      direct: { host: "past-the-pooler", port: 5433, database: "app", user: "shop", password: "pw", tls },
    });
  });

  it.each([
    ["the Secret is missing", {}, "SecretNotFound", /no Secret shop-db with the key uri/],
    [
      "the Secret of the certificates is missing",
      { "shop-db": "postgres://a:b@c/d" },
      "SecretNotFound",
      /no Secret ca with the key ca.crt/,
    ],
    [
      "the certificates are none",
      { "shop-db": "postgres://a:b@c/d", ca: "hello" },
      "SecretInvalid",
      /Secret ca, key ca.crt: it holds no certificate/,
    ],
    [
      "the URL is none",
      { "shop-db": "hunter2", ca: PEM },
      "SecretInvalid",
      /Secret shop-db, key uri: the store's URL cannot be read/,
    ],
    [
      "the URL is of another database",
      { "shop-db": "mysql://a:hunter2@c/d", ca: PEM },
      "SecretInvalid",
      /write postgres:/,
    ],
    [
      "the URL reads a file of the operator",
      { "shop-db": "postgres://a:hunter2@c/d?sslrootcert=/etc/passwd", ca: PEM },
      "SecretInvalid",
      /parameter sslrootcert/,
    ],
    [
      "the URL leads to a metadata service",
      { "shop-db": "postgres://a:hunter2@169.254.169.254/d", ca: PEM },
      "SecretInvalid",
      /link-local/,
    ],
    [
      "the URL leads to a link-local address",
      { "shop-db": "postgres://a:hunter2@[fe80::1]/d", ca: PEM },
      "SecretInvalid",
      /link-local/,
    ],
  ])("%s", async (_sentence, values: Readonly<Record<string, string>>, reason, words) => {
    const error: unknown = await connectionOf(withCa, secrets(values)).catch((thrown: unknown) => thrown);
    const down = downBecause(error, SECRET);
    expect(down).toMatchObject({ reason, sentence: expect.stringMatching(words) });
    expect(down.sentence).not.toContain("hunter2");
  });
});
