import * as fc from "fast-check";
import { expect, it } from "vitest";
import { Heap } from "./heap.ts";

it("a heap gives back what it was given, smallest first", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (numbers) => {
      const heap = new Heap<number>((a, b) => a - b);
      for (const number of numbers) heap.push(number);
      const sorted = [...numbers].sort((a, b) => a - b);
      expect(heap.peek()).toBe(sorted[0]);
      expect(numbers.map(() => heap.pop())).toEqual(sorted);
      expect(heap.pop()).toBeUndefined();
    }),
  );
});

it("pushes and pops may be mixed", () => {
  const heap = new Heap<number>((a, b) => a - b);
  for (const number of [5, 3, 8]) heap.push(number);
  expect(heap.pop()).toBe(3);
  heap.push(1);
  heap.push(6);
  expect([heap.pop(), heap.pop(), heap.pop(), heap.pop()]).toEqual([1, 5, 6, 8]);
});
