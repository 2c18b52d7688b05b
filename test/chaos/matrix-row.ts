/** A test that shows what a row promises. The name is its beginning, as it stands in the file. */
interface MatrixTest {
  readonly file: string;
  readonly name: string;
}

/** One fault: what is done, what must come of it, and how that is known. */
export interface MatrixRow {
  readonly id: string;
  readonly fault: string;
  readonly expected: string;
  readonly tests: readonly MatrixTest[];
  /** Why there is no test, or none of the whole; a row without tests must have one. */
  readonly reason?: string;
}

/** A row that tests show. */
export function shown(
  id: string,
  fault: string,
  expected: string,
  tests: Readonly<Record<string, readonly string[]>>,
  reason?: string,
): MatrixRow {
  return {
    id,
    fault,
    expected,
    tests: Object.entries(tests).flatMap(([file, names]) => names.map((name) => ({ file, name }))),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** A row that no test shows, and why. */
export function notShown(id: string, fault: string, expected: string, reason: string): MatrixRow {
  return { id, fault, expected, tests: [], reason };
}
