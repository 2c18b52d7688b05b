import { describe, expect, it } from "vitest";
import { StoreError } from "./errors.ts";
import { SQLSTATE_RULES, toStoreError } from "./sqlstate.ts";

const fromServer = (code: string, message = "said the server") => Object.assign(new Error(message), { code });

describe("the table of errors", () => {
  it.each(SQLSTATE_RULES.map((rule) => [rule.match, rule] as const))("%s", (match, rule) => {
    const state = match.length === 2 ? `${match}ZZZ` : match;
    const error = toStoreError(fromServer(state));
    expect(error).toMatchObject({ name: "StoreError", code: rule.code, retry: rule.retry });
    expect(error.sqlstate).toBe(/^[0-9A-Z]{5}$/.test(state) ? state : undefined);
    expect(error.message).toBe(rule.advice === undefined ? "said the server" : `${rule.advice}: said the server`);
    expect((error.cause as Error).message).toBe("said the server");
  });

  it("has no row twice, and no row that a shorter one before it would hide", () => {
    const matches = SQLSTATE_RULES.map((rule) => rule.match);
    expect(new Set(matches).size).toBe(matches.length);
  });

  it.each([
    ["Connection terminated unexpectedly", "connection_lost", "reconnect"],
    ["Connection terminated due to connection timeout", "connection_lost", "reconnect"],
    ["timeout exceeded when trying to connect", "connection_lost", "reconnect"],
    ["Client has encountered a connection error and is not queryable", "connection_lost", "reconnect"],
    ["Query read timeout", "timeout", "reconnect"],
    ["The server does not support SSL connections", "access_denied", "never"],
    ["SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string", "access_denied", "never"],
    ["something nobody foresaw", "internal", "never"],
  ])("without a code: %s", (message, code, retry) => {
    expect(toStoreError(new Error(message))).toMatchObject({ code, retry, sqlstate: undefined });
  });

  it("a certificate that is not trusted is no outage", () => {
    expect(toStoreError(fromServer("DEPTH_ZERO_SELF_SIGNED_CERT"))).toMatchObject({
      code: "access_denied",
      retry: "never",
    });
  });

  it("a host whose addresses all fail speaks by the first of them", () => {
    const all = new AggregateError([fromServer("ECONNREFUSED", "connect ::1"), fromServer("ECONNREFUSED")]);
    expect(toStoreError(all)).toMatchObject({ code: "connection_lost", message: "nothing listens there: connect ::1" });
  });

  it("the server's hint is part of the message", () => {
    const error = toStoreError(Object.assign(fromServer("22023", "no"), { hint: "do this" }));
    expect(error.message).toBe("no: do this");
  });

  it("a StoreError stays what it is, and what is no error becomes one", () => {
    const error = new StoreError("x", { code: "timeout", retry: "backoff" });
    expect(toStoreError(error)).toBe(error);
    expect(toStoreError("text")).toMatchObject({ code: "internal", message: "text" });
    expect(toStoreError(undefined)).toMatchObject({ code: "internal" });
  });
});
