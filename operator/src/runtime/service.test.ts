import { describe, expect, it } from "vitest";
import { sleep } from "./clock.ts";
import { describeService } from "./service.suite.ts";
import { BaseService } from "./service.ts";
import { ManualClock, settled } from "./testing/manual-clock.ts";

class Probe extends BaseService {
  readonly calls: string[] = [];
  readonly clock = new ManualClock();
  readonly starting = Promise.withResolvers<void>();
  readonly #fails: boolean;
  readonly #waits: boolean;

  constructor(options: { fails?: boolean; waits?: boolean } = {}) {
    super("probe");
    this.#fails = options.fails ?? false;
    this.#waits = options.waits ?? false;
  }

  protected override async onStart(): Promise<void> {
    this.calls.push("start");
    this.run(async (stopping) => {
      while (await sleep(this.clock, 1000, stopping)) this.calls.push("tick");
      this.calls.push("loop ended");
    });
    if (this.#waits) await this.starting.promise;
    if (this.#fails) throw new Error("cannot start");
    this.calls.push("started");
  }

  protected override onStop(): void {
    this.calls.push("stop");
  }
}

describeService("a service made with BaseService", () => {
  const service = new Probe();
  return { service, leftovers: () => service.clock.timers };
});

describe("BaseService", () => {
  it("cleans up after a failed start, rejects it, and stop is quiet afterwards", async () => {
    const probe = new Probe({ fails: true });
    await expect(probe.start()).rejects.toThrow("cannot start");
    expect(probe.calls).toEqual(["start", "loop ended", "stop"]);
    await expect(probe.stop()).resolves.toBeUndefined();
    await expect(probe.start()).rejects.toThrow(/stopped/);
  });

  it("stops only after the start has settled, and loops have ended", async () => {
    const probe = new Probe({ waits: true });
    const starting = probe.start();
    const stopping = probe.stop();
    await settled();
    expect(probe.calls).toEqual(["start", "loop ended"]);
    probe.starting.resolve();
    await Promise.all([starting, stopping]);
    expect(probe.calls).toEqual(["start", "loop ended", "started", "stop"]);
  });

  it("does not undo what was never done", async () => {
    const probe = new Probe();
    await probe.stop();
    expect(probe.calls).toEqual([]);
  });
});
