import { expect, it } from "vitest";
import { watchdogThreadFile } from "./thread-file.ts";

it("the watchdog thread is a source beside the sources and a bundle beside a bundle", () => {
  expect(watchdogThreadFile().pathname).toMatch(/\/worker\/src\/watchdog\/thread\.ts$/);
  expect(watchdogThreadFile("file:///app/jobqueue.mjs").href).toBe("file:///app/watchdog-thread.mjs");
});
