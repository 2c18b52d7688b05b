import { describe, expect, it } from "vitest";
import { StoreError } from "../errors.ts";
import { parseStoreUrl } from "./settings.ts";

describe("a store's URL", () => {
  it("gives host, port, database, user and password, decoded", () => {
    expect(parseStoreUrl("postgres://jo%40b:p%2Fw%3A%25@db.example.com:6432/shop%20one")).toEqual({
      host: "db.example.com",
      port: 6432,
      database: "shop one",
      user: "jo@b",
      password: "p/w:%",
      tls: { mode: "VerifyFull" },
    });
    expect(parseStoreUrl("postgresql://u@h/d")).toEqual({
      host: "h",
      port: 5432,
      database: "d",
      user: "u",
      password: undefined,
      tls: { mode: "VerifyFull" },
    });
    expect(parseStoreUrl("postgres://u@[::1]:5433/d").host).toBe("::1");
  });

  it.each([
    ["disable", "Disabled"],
    ["require", "EncryptOnly"],
    ["verify-ca", "VerifyCA"],
    ["verify-full", "VerifyFull"],
  ])("sslmode=%s means %s", (sslmode, mode) => {
    expect(parseStoreUrl(`postgres://u@h/d?sslmode=${sslmode}`).tls).toEqual({ mode });
  });

  it("TLS that is given apart wins over the URL's, so no Secret can weaken what a JobStore says", () => {
    const tls = { mode: "VerifyFull", ca: "PEM" } as const;
    expect(parseStoreUrl("postgres://u@h/d?sslmode=disable&channel_binding=require", tls).tls).toEqual(tls);
  });

  it.each([
    ["", /cannot be read; write postgres:\/\//],
    ["not a url", /cannot be read/],
    ["http://u:p@h/d", /starts with http:\/\/; write postgres:\/\//],
    ["postgres:///d", /cannot be read|names no host/],
    ["postgres://h/d", /names no user/],
    ["postgres://u@h", /must end in the name of one database/],
    ["postgres://u@h/a/b", /must end in the name of one database/],
    ["postgres://u@%2Fvar%2Frun/d", /must name one host; socket paths/],
    ["postgres://u@h1,h2/d", /must name one host/],
    ["postgres://u@h1:1,h2:2/d", /cannot be read|must name one host/],
    ["postgres://u:p@h/d?sslmode=no-verify", /unknown sslmode; write one of disable, require, verify-ca, verify-full/],
    ["postgres://u:p@h/d?sslmode=prefer", /unknown sslmode/],
    ["postgres://u:p@h/d?host=/var/run", /has the parameter host, which is not supported: remove it/],
    ["postgres://u:p@h/d?options=-c%20role%3Dx", /has the parameter options/],
    ["postgres://u:p@h/d?sslrootcert=/etc/passwd", /has the parameter sslrootcert/],
    ["postgres://u:p@h/d?service=x", /has the parameter service/],
    ["postgres://u:100%@h/d", /has a password that cannot be decoded: write % itself as %25/],
    ["postgres://u:%00@h/d", /has a password that cannot be decoded/],
  ])("%j is refused in words that name the fault and not the secret", (url, words) => {
    let error: unknown;
    try {
      parseStoreUrl(url);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code: "invalid_settings", retry: "never" });
    expect((error as StoreError).message).toMatch(words);
    expect((error as StoreError).message).not.toContain("100%");
  });
});
