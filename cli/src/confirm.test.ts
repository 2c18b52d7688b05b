import { describe, expect, it } from "vitest";
import { confirm } from "./confirm.ts";
import { fakeTerminal } from "./testing/fake-terminal.ts";

describe("the question whether to go on", () => {
  it.each(["y\n", "Y\n", "yes\n", " yes \n"])("is answered with yes by %j", async (answer) => {
    const { terminal, stderr } = fakeTerminal(answer);
    await confirm(terminal, "Go on and retry 7 jobs?");
    expect(stderr()).toBe("Go on and retry 7 jobs? [y/N] ");
  });

  it.each(["n\n", "\n", "", "yess\n", "nyes\n"])("is answered with no by %j, which ends with 9", async (answer) => {
    const { terminal } = fakeTerminal(answer);
    await expect(confirm(terminal, "Go on?")).rejects.toMatchObject({ code: 9, message: "nothing was changed" });
  });
});
