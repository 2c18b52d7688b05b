import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FAMILIES } from "./faults/all-faults.ts";
import { FAULT_FAMILIES, FAULT_MATRIX } from "./matrix.ts";
import { OPERATOR_FAMILIES } from "./operator/operator-families.ts";
import { HUNG_FAULTS } from "./operator/pod-faults.ts";

const root = join(import.meta.dirname, "../..");
/** Rows of each family, from 1 on. */
const SIZES = { W: 17, T: 4, P: 19, B: 3, K: 12, O: 8, N: 6, R: 9, D: 4 } as const;

describe("the fault matrix", () => {
  it("has every id once, in order", () => {
    const ids = Object.entries(SIZES).flatMap(([family, size]) =>
      Array.from({ length: size }, (_, index) => `${family}${index + 1}`),
    );
    expect(FAULT_MATRIX.map(({ id }) => id)).toEqual(ids);
    expect(Object.keys(FAULT_FAMILIES)).toEqual(Object.keys(SIZES));
  });

  it("has a test or a written reason for every fault", () => {
    expect(FAULT_MATRIX.filter(({ tests, reason }) => tests.length === 0 && !reason).map(({ id }) => id)).toEqual([]);
  });

  it("names only tests that exist, and that name the fault", () => {
    const wrong = FAULT_MATRIX.flatMap(({ id, tests }) =>
      tests.flatMap(({ file, name }) => {
        const path = join(root, file);
        if (!existsSync(path)) return [`${id}: there is no ${file}`];
        const text = readFileSync(path, "utf8").replaceAll(/\(\s+"/g, '("'); // a long name stands on a line of its own
        if (!text.includes(`("${name}`)) return [`${id}: ${file} has no test "${name}…"`];
        // W17 is shown, as far as it can be, by a test of P15.
        return new RegExp(`\\b${id}\\b`).test(name) || id === "W17" ? [] : [`${id}: "${name}…" does not name it`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it("has every fault that chaos applies", () => {
    const known = new Set(FAULT_MATRIX.map(({ id }) => id));
    const applied = [...FAMILIES.flat(), ...OPERATOR_FAMILIES.flat(), ...HUNG_FAULTS];
    expect(applied.filter(({ id }) => !known.has(id))).toEqual([]);
  });
});
