import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forNewestPostgres } from "../../test/support/postgres/database.ts";
import { ROLES, SCOPE_NAMES, type Scope } from "./auth/scopes.ts";
import type { Route } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { AdminUnderTest } from "./testing/admin-under-test.ts";

/** A path of a route with parameters that are well formed and name nothing. */
function pathOf(route: Route): string {
  return route.path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) =>
    /id|key/i.test(name) ? "999999999" : "nothing",
  );
}

/** Callers: one key per scope, one per role, one without any scope that counts, and nobody. */
const CALLERS: Readonly<Record<string, readonly Scope[]>> = {
  ...Object.fromEntries(SCOPE_NAMES.map((scope) => [scope, [scope]])),
  ...ROLES,
};

forNewestPostgres(({ adminUrl }) => {
  let admin: AdminUnderTest;
  const keys = new Map<string, string>();
  beforeAll(async () => {
    admin = await AdminUnderTest.start(adminUrl, ["--anonymous", "none"]);
    for (const [name, scopes] of Object.entries(CALLERS)) keys.set(name, await admin.key(scopes.join(",")));
  });
  afterAll(async () => admin.close());

  describe("who may do what", () => {
    it.each(ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const))(
      "%s is open to exactly those who have its scope",
      async (_name, route) => {
        const streams = route.answer.contentType === "text/event-stream";
        const letIn: string[] = [];
        const refusals = new Set<string>();
        for (const [caller, key] of [...keys, ["nobody", undefined] as const]) {
          if (streams && caller !== "nobody" && CALLERS[caller]?.some((scope) => scope === "queues:read")) continue;
          const { status } = await admin.ask(route.method, pathOf(route), { ...(key !== undefined && { key }) });
          if (status !== 401 && status !== 403) letIn.push(caller);
          else refusals.add(`${caller === "nobody"} ${status}`);
        }
        // Who is nobody is asked who he is; who is somebody is told no.
        expect([...refusals].filter((refusal) => !["true 401", "false 403"].includes(refusal))).toEqual([]);
        const allowed = Object.entries(CALLERS)
          .filter(([, scopes]) => route.access === "public" || route.access.some((scope) => scopes.includes(scope)))
          .map(([caller]) => caller);
        expect(letIn).toEqual(streams ? [] : [...allowed, ...(route.access === "public" ? ["nobody"] : [])]);
      },
    );

    it("covers every route and every scope", () => {
      const used = new Set(ROUTES.flatMap(({ access }) => (access === "public" ? [] : access)));
      expect([...used].toSorted()).toEqual([...SCOPE_NAMES].toSorted());
      console.log(`${ROUTES.length} routes by ${keys.size + 1} callers`);
    });
  });
});
