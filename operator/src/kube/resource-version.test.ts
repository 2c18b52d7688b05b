import { expect, it } from "vitest";
import { compareVersions, isNoNewer, isOlder } from "./resource-version.ts";

it.for([
  { a: "5", b: "5", order: 0 },
  { a: "9", b: "10", order: -1 },
  { a: "10", b: "9", order: 1 },
  { a: "123", b: "124", order: -1 },
  { a: "9007199254740993", b: "9007199254740992", order: 1 }, // equal as doubles
  { a: "x1", b: "x1", order: 0 },
  { a: "x1", b: "x2", order: undefined },
  { a: "", b: "5", order: undefined },
  { a: "0", b: "5", order: undefined },
  { a: "05", b: "5", order: undefined },
])("resourceVersion $a against $b is $order", ({ a, b, order }) => {
  const sign = compareVersions(a, b);
  expect(sign === undefined ? undefined : Math.sign(sign)).toBe(order);
});

it("what cannot be compared is neither older nor known to be no newer", () => {
  expect(isOlder("x1", "x2")).toBe(false);
  expect(isNoNewer("x1", "x2")).toBe(false);
  expect(isNoNewer("x1", "x1")).toBe(true);
  expect([isOlder("4", "5"), isNoNewer("4", "5"), isNoNewer("5", "4")]).toEqual([true, true, false]);
});
