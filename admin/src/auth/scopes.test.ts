import { describe, expect, it } from "vitest";
import { readScopes, ROLES, SCOPE_NAMES, SCOPES } from "./scopes.ts";

describe("scopes", () => {
  it("are one RBAC rule each", () => {
    const rules = Object.values(SCOPES).map(({ verb, subresource }) => `${verb} ${subresource}`);
    expect(new Set(rules).size).toBe(rules.length);
  });

  it("of a viewer change nothing and show nothing that is hidden", () => {
    for (const scope of ROLES.viewer) expect(SCOPES[scope].sensitive).toBe(false);
    expect(ROLES.viewer).not.toContain("audit:read");
    expect(ROLES.operator).not.toContain("payloads:read");
    expect(ROLES.admin).toEqual(SCOPE_NAMES);
  });

  it("are read from words and roles, each once, in the order of the table", () => {
    expect(readScopes(" audit:read, jobs:read ,audit:read")).toEqual(["jobs:read", "audit:read"]);
    expect(readScopes("viewer,jobs:retry")).toContain("jobs:retry");
    expect(() => readScopes("jobs:write")).toThrow('"jobs:write", which is no scope');
    expect(() => readScopes("constructor")).toThrow("no scope");
  });
});
