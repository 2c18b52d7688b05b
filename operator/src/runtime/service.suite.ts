import { describe, expect, it } from "vitest";
import type { Service } from "./service.ts";

/** What the suite needs of an implementation. */
export interface ServiceCase {
  /** A service that was never started. Whatever it needs to run is there. */
  readonly service: Service;
  /** How many timers, connections and the like are left behind after `stop`; must be none. */
  readonly leftovers?: () => number;
  /** Cleans up after the case. */
  readonly dispose?: () => Promise<void>;
}

interface Sentence {
  readonly sentence: string;
  readonly holds: (service: Service) => Promise<void>;
}

const SENTENCES: readonly Sentence[] = [
  {
    sentence: "start and stop leave nothing behind",
    holds: async (service) => {
      await service.start();
    },
  },
  {
    sentence: "starting twice is starting once",
    holds: async (service) => {
      const first = service.start();
      expect(service.start()).toBe(first);
      await first;
    },
  },
  {
    sentence: "stopping twice is stopping once",
    holds: async (service) => {
      await service.start();
      const first = service.stop();
      expect(service.stop()).toBe(first);
      await first;
    },
  },
  {
    sentence: "stopping before starting is fine, and starting afterwards is refused",
    holds: async (service) => {
      await service.stop();
      await expect(service.start()).rejects.toThrow(/stopped/);
    },
  },
  {
    sentence: "stopping is final",
    holds: async (service) => {
      await service.start();
      await service.stop();
      await expect(service.start()).rejects.toThrow(/stopped/);
    },
  },
  {
    sentence: "stopping while it starts ends both",
    holds: async (service) => {
      const starting = service.start();
      await service.stop();
      await Promise.allSettled([starting]);
    },
  },
];

/** Holds an implementation to the contract of `service.ts`. */
export function describeService(name: string, make: () => Promise<ServiceCase> | ServiceCase): void {
  describe(`${name} keeps the lifecycle contract`, () => {
    it.for(SENTENCES)("$sentence", async ({ holds }) => {
      const { service, leftovers, dispose } = await make();
      try {
        expect(service.name).not.toBe("");
        await holds(service);
        await service.stop();
        expect(leftovers?.() ?? 0).toBe(0);
      } finally {
        await service.stop();
        await dispose?.();
      }
    });
  });
}
