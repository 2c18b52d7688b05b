import { generateKeyPairSync, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** What a fresh API server authenticates its clients by. */
export interface Credentials {
  /** Token of a member of system:masters, who may do everything. */
  readonly adminToken: string;
  /** Token of the user `outsider`, to whom no role is bound. */
  readonly outsiderToken: string;
  readonly tokenFile: string;
  /** Key pair that service account tokens are signed and verified by. */
  readonly signingKeyFile: string;
  readonly verifyKeyFile: string;
}

/** Writes fresh credentials into a directory. */
export function createCredentials(directory: string): Credentials {
  const [adminToken, outsiderToken] = [randomBytes(16).toString("hex"), randomBytes(16).toString("hex")];
  const tokenFile = join(directory, "tokens.csv");
  writeFileSync(tokenFile, `${adminToken},admin,admin,"system:masters"\n${outsiderToken},outsider,outsider\n`, {
    mode: 0o600,
  });
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const signingKeyFile = join(directory, "service-accounts.key");
  const verifyKeyFile = join(directory, "service-accounts.pub");
  writeFileSync(signingKeyFile, privateKey.export({ type: "pkcs1", format: "pem" }), { mode: 0o600 });
  writeFileSync(verifyKeyFile, publicKey.export({ type: "spki", format: "pem" }));
  return { adminToken, outsiderToken, tokenFile, signingKeyFile, verifyKeyFile };
}
