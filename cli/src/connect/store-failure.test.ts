import { StoreError, toStoreError } from "@jobqueue/store";
import { describe, expect, it } from "vitest";
import { Failure } from "../failure.ts";
import { storeFailure } from "./store-failure.ts";

const WHERE = "db:5432/shop, schema jobqueue";

function failureOf(error: unknown): Failure {
  const failure = storeFailure(error, WHERE, "The address comes from --store-url.");
  if (!(failure instanceof Failure)) throw new Error("it is not a failure", { cause: failure });
  return failure;
}

describe("what the store says", () => {
  it.each([
    ["ECONNREFUSED", 4],
    ["28P01", 4],
    ["53300", 4],
    ["57P01", 4],
    ["3D000", 4],
    ["3F000", 5],
    ["42P01", 5],
    ["42883", 5],
    ["42501", 1],
    ["57014", 1],
    ["40001", 1],
    ["22023", 2],
    ["XX000", 1],
  ])("with %s ends the command with %d", (code, exit) => {
    expect(failureOf(toStoreError(Object.assign(new Error("words of the server"), { code }))).code).toBe(exit);
  });

  it("names the store when it is about the store, with where its address comes from when it cannot be reached", () => {
    const lost = failureOf(new StoreError("nothing listens there", { code: "connection_lost", retry: "reconnect" }));
    expect(lost.message).toBe(`the store at ${WHERE}: nothing listens there`);
    expect(lost.remedy).toBe("The address comes from --store-url.");
    const missing = failureOf(new StoreError("run `jobqueue migrate`", { code: "not_installed", retry: "never" }));
    expect(missing.message).toBe(`the store at ${WHERE}: run \`jobqueue migrate\``);
    expect(missing.remedy).toBeUndefined();
  });

  it("is a sentence of its own when it is about the input", () => {
    expect(failureOf(new StoreError("payload is too large", { code: "invalid_input", retry: "never" })).message).toBe(
      "payload is too large",
    );
  });

  it("leaves other errors alone: they are defects", () => {
    const defect = new TypeError("undefined is not a function");
    expect(storeFailure(defect, WHERE)).toBe(defect);
  });
});
