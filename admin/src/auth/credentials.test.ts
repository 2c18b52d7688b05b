import { describe, expect, it } from "vitest";
import { readAuthorization } from "./credentials.ts";

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString("base64")}`;

describe("the header Authorization", () => {
  it.each([
    ["Key jqk_abc", { secret: "jqk_abc", ambient: false }],
    ["Bearer a.b-c_d~e+f/g=", { secret: "a.b-c_d~e+f/g=", ambient: false }],
    ["bearer  jqk_abc ", { secret: "jqk_abc", ambient: false }],
    [basic("admin:jqk_abc"), { secret: "jqk_abc", ambient: true }],
    [basic(":a:b"), { secret: "a:b", ambient: true }],
  ])("%s is understood", (header, expected) => {
    expect(readAuthorization([header])).toEqual(expected);
  });

  it("may be absent", () => {
    expect(readAuthorization(undefined)).toBeUndefined();
    expect(readAuthorization([])).toBeUndefined();
  });

  it.each([
    [[""], "write Key, Bearer or Basic"],
    [["Bearer"], "write Key, Bearer or Basic"],
    [["Bearer a b"], "write Key, Bearer or Basic"],
    [["Digest username=x"], "write Key, Bearer or Basic"],
    [["Bearer a", "Bearer a"], "twice"],
    [[`Bearer ${"a".repeat(9000)}`], "too long"],
    [[basic("nocolon")], "USER:PASSWORD"],
  ])("%j is refused, never guessed at", (headers, words) => {
    expect(() => readAuthorization(headers)).toThrow(words);
  });
});
