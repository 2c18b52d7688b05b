import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { listAuditEvents } from "../audit/list-audit-events.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { createApiKey, listApiKeys, revokeApiKey, useApiKey } from "./api-keys.ts";

const act = { actor: "ana", reason: "for the dashboard" };
const hash = (key: string): Buffer => createHash("sha256").update(key).digest();
const key = { name: "grafana", hash: hash("secret"), scopes: ["jobs:read", "audit:read", "jobs:read"] };

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());
  beforeEach(async () => {
    await store.clear();
    await store.database.query("delete from jobqueue.api_keys");
  });

  describe("a key of the admin API", () => {
    it("is known by its hash only, says what it may do, and when it was used", async () => {
      const id = await createApiKey(store.database, key, act);
      expect(await useApiKey(store.database, hash("guess"))).toBeUndefined();
      const [unused] = await listApiKeys(store.database);
      expect(unused).toMatchObject({ id, name: "grafana", createdBy: "ana", lastUsedAt: null, isValid: true });
      expect(JSON.stringify(unused)).not.toContain("secret");
      expect(await useApiKey(store.database, key.hash)).toEqual({
        id,
        name: "grafana",
        scopes: ["audit:read", "jobs:read"],
      });
      expect((await listApiKeys(store.database))[0]?.lastUsedAt).toBeInstanceOf(Date);
    });

    it("opens nothing once it is revoked or has expired, and stays in the list of all", async () => {
      await createApiKey(store.database, key, act);
      expect(await revokeApiKey(store.database, "grafana", act)).toBe(true);
      expect(await revokeApiKey(store.database, "grafana", act)).toBe(false);
      expect(await useApiKey(store.database, key.hash)).toBeUndefined();
      await createApiKey(store.database, { ...key, hash: hash("next"), expiresAt: "2999-01-01T00:00:00Z" }, act);
      await store.database.query(
        "update jobqueue.api_keys set expires_at = clock_timestamp() where revoked_at is null",
      );
      expect(await useApiKey(store.database, hash("next"))).toBeUndefined();
      expect(await listApiKeys(store.database)).toEqual([]);
      expect((await listApiKeys(store.database, { all: true })).map(({ isValid }) => isValid)).toEqual([false, false]);
    });

    it("leaves one audit event when it is made and one when it is revoked, without the key (G19)", async () => {
      await createApiKey(store.database, key, act);
      await revokeApiKey(store.database, "grafana", act);
      const events = await listAuditEvents(store.database, { target: "grafana" });
      expect(events.map(({ action }) => action)).toEqual(["revoke_api_key", "create_api_key"]);
      expect(JSON.stringify(events)).not.toContain(key.hash.toString("hex"));
    });

    it.each([
      [{ name: "no spaces" }, "name is"],
      [{ scopes: [] }, "scopes must be"],
      [{ scopes: ["everything"] }, "scopes must be"],
      [{ hash: Buffer.from("short") }, "hash must be"],
      [{ expiresAt: "2001-01-01T00:00:00Z" }, "expires_at is"],
    ])("with %j is refused", async (change, words) => {
      await expect(createApiKey(store.database, { ...key, ...change }, act)).rejects.toThrow(words);
    });

    it("cannot have the name of another that works", async () => {
      await createApiKey(store.database, key, act);
      await expect(createApiKey(store.database, { ...key, hash: hash("b") }, act)).rejects.toThrow("already");
    });
  });
});
