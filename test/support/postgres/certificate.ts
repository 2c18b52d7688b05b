import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** A certificate and its key, both as PEM. */
export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** Signs certificates for tests, valid for two days. Node can read certificates but not make them, hence the bits of DER. */
export class TestAuthority {
  readonly #keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  readonly #name = "test authority";
  /** The authority's own certificate as PEM. */
  readonly certificate: string;

  constructor() {
    this.certificate = makeCertificate({
      subject: this.#name,
      issuer: this.#name,
      subjectKey: this.#keys.publicKey,
      issuerKey: this.#keys.privateKey,
      // basicConstraints: CA
      extension: sequence(
        oid("551d13"),
        der(0x01, Buffer.from([0xff])),
        der(0x04, sequence(der(0x01, Buffer.from([0xff])))),
      ),
    });
  }

  /** A certificate for a server that is reached under this DNS name. */
  issue(dnsName: string): TestCertificate {
    const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
    return {
      certificate: makeCertificate({
        subject: dnsName,
        issuer: this.#name,
        subjectKey: keys.publicKey,
        issuerKey: this.#keys.privateKey,
        // subjectAltName: dNSName
        extension: sequence(oid("551d11"), der(0x04, sequence(der(0x82, Buffer.from(dnsName))))),
      }),
      key: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    };
  }
}

function makeCertificate(parts: {
  subject: string;
  issuer: string;
  subjectKey: KeyObject;
  issuerKey: KeyObject;
  extension: Buffer;
}): string {
  const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"));
  const hour = 3_600_000;
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    commonName(parts.issuer),
    sequence(time(Date.now() - hour), time(Date.now() + 48 * hour)),
    commonName(parts.subject),
    parts.subjectKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(parts.extension)),
  );
  const signature = sign("sha256", body, parts.issuerKey);
  const whole = sequence(body, ecdsaWithSha256, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = whole.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x1_00 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

function commonName(name: string): Buffer {
  return sequence(der(0x31, sequence(oid("550403"), der(0x0c, Buffer.from(name)))));
}

function time(milliseconds: number): Buffer {
  // YYMMDDHHMMSSZ
  return der(0x17, Buffer.from(`${new Date(milliseconds).toISOString().replaceAll(/[-:T]/g, "").slice(2, 14)}Z`));
}
