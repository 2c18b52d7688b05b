import { describe, expect, it } from "vitest";
import { OutputHead, OutputTail } from "./bounded-output.ts";

describe("the kept output of a program", () => {
  it("has its beginning whole, or says that there was too much", () => {
    const head = new OutputHead(6);
    head.add(Buffer.from("abc"));
    head.add(Buffer.from("def"));
    expect(head.text()).toBe("abcdef");
    expect(head.overflowed).toBe(false);
    head.add(Buffer.from("g"));
    expect(head.overflowed).toBe(true);
  });

  it("has its end, cut between characters", () => {
    const tail = new OutputTail(5);
    tail.add(Buffer.from("hello "));
    tail.add(Buffer.from("aäöü"));
    expect(tail.text()).toBe("öü");
    tail.add(Buffer.from(" bye\n"));
    expect(tail.text()).toBe("bye");
  });
});
