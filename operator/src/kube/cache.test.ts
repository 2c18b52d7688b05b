import { describe, expect, it } from "vitest";
import { Cache } from "./cache.ts";
import type { Stored } from "./resources.ts";

interface Thing {
  readonly metadata?: object;
  readonly tags: readonly string[];
}

const thing = (name: string, tags: readonly string[]): Stored<Thing> => ({
  apiVersion: "v1",
  kind: "Thing",
  metadata: { name, namespace: "ns", uid: name, resourceVersion: "1", creationTimestamp: "2030-01-01T00:00:00Z" },
  tags,
});

const names = (things: readonly Stored<Thing>[]) => things.map(({ metadata }) => metadata.name).sort();

describe("a cache", () => {
  it("finds objects by every value of an index, and no longer by values they have lost", () => {
    const cache = new Cache<Thing>({ indexes: { tag: ({ tags }) => tags } });
    cache.set("ns/a", thing("a", ["x", "y"]));
    cache.set("ns/b", thing("b", ["y"]));
    expect(names(cache.byIndex("tag", "y"))).toEqual(["a", "b"]);
    cache.set("ns/a", thing("a", ["z"]));
    expect(names(cache.byIndex("tag", "x"))).toEqual([]);
    expect(names(cache.byIndex("tag", "y"))).toEqual(["b"]);
    expect(names(cache.byIndex("tag", "z"))).toEqual(["a"]);
    cache.delete("ns/b");
    cache.delete("ns/b");
    expect(names(cache.byIndex("tag", "y"))).toEqual([]);
    expect([...cache.keys()]).toEqual(["ns/a"]);
    expect(cache.size).toBe(1);
  });

  it("refuses to look in an index that it has not", () => {
    expect(() => new Cache<Thing>().byIndex("tag", "x")).toThrow(/no index "tag"/);
  });

  it("trims managedFields always, and what it was told to", () => {
    const cache = new Cache<Thing>({ trim: (object) => ({ ...object, tags: [] }) });
    const object = thing("a", ["x"]);
    const trimmed = cache.trim({ ...object, metadata: { ...object.metadata, managedFields: [{}] } } as Stored<Thing>);
    expect(trimmed.metadata).not.toHaveProperty("managedFields");
    expect(trimmed.tags).toEqual([]);
  });

  it("O7: keeps an object that an index or the trimming cannot cope with, tells of it, and finds all others", () => {
    const defects: string[] = [];
    const cache = new Cache<Thing>({
      indexes: { tag: ({ tags }) => tags.map((tag) => tag), name: ({ metadata }) => [metadata.name] },
      trim: (object) => ({ ...object, tags: object.tags.filter((tag) => tag !== "secret") }),
      onDefect: (key) => defects.push(key),
    });
    const odd = thing("odd", undefined as unknown as string[]);
    for (const object of [odd, thing("sound", ["x", "secret"])])
      cache.set(`ns/${object.metadata.name}`, cache.trim(object));
    expect(names(cache.byIndex("tag", "x"))).toEqual(["sound"]);
    expect(names(cache.byIndex("tag", "secret"))).toEqual([]);
    expect(names(cache.byIndex("name", "odd"))).toEqual(["odd"]);
    expect(defects).toEqual(["ns/odd", "ns/odd"]);
    cache.delete("ns/odd");
    expect(cache.size).toBe(1);
  });
});
