import { describe, expect, it } from "vitest";
import { ManualClock } from "../runtime/testing/manual-clock.ts";
import { EventCorrelator } from "./event-correlator.ts";
import type { EventFacts } from "./events.ts";

const about = (name: string, uid = name) => ({
  apiVersion: "v1",
  kind: "Thing",
  metadata: { name, namespace: "ns", uid },
});
const event = (facts: Partial<EventFacts> = {}): EventFacts => ({
  regarding: about("a"),
  type: "Normal",
  reason: "Happened",
  action: "Did",
  note: "It happened.",
  ...facts,
});

/** Correlates as a recorder does: what is created gets a name. */
function correlatorOf() {
  const clock = new ManualClock();
  const correlator = new EventCorrelator(clock);
  let created = 0;
  const record = (facts: Partial<EventFacts> = {}): string => {
    const decision = correlator.correlate(event(facts));
    if (decision.kind === "drop") return "drop";
    if (decision.kind === "repeat") return `${decision.series.name} x${decision.series.count}`;
    created += 1;
    decision.series.name = `event${created}`;
    return `new event${created}: ${decision.note}`;
  };
  return { clock, record };
}

describe("events", () => {
  it("that repeat become a series", () => {
    const { record } = correlatorOf();
    expect([record(), record(), record()]).toEqual(["new event1: It happened.", "event1 x2", "event1 x3"]);
  });

  it("that repeat after more than six minutes of quiet start anew", async () => {
    const { clock, record } = correlatorOf();
    record();
    await clock.advance(360_000);
    expect(record()).toBe("event1 x2");
    await clock.advance(360_001);
    expect(record()).toBe("new event2: It happened.");
  });

  it.for<{ what: string; facts: Partial<EventFacts> }>([
    { what: "note", facts: { note: "Something else." } },
    { what: "reason", facts: { reason: "Other" } },
    { what: "action", facts: { action: "Other" } },
    { what: "type", facts: { type: "Warning" } },
    { what: "object", facts: { regarding: about("b") } },
    { what: "life of the object", facts: { regarding: about("a", "second life") } },
    { what: "related object", facts: { related: about("b") } },
  ])("that differ in their $what are different events", ({ facts }) => {
    const { record } = correlatorOf();
    record();
    expect(record(facts)).toMatch(/^new event2/);
  });

  it("with more than ten different notes about one thing are combined", () => {
    const { record } = correlatorOf();
    const told = Array.from({ length: 13 }, (_, index) => record({ note: `Note ${index}.` }));
    expect(told.slice(9)).toEqual([
      "new event10: Note 9.",
      "new event11: (combined from similar events): Note 10.",
      "event11 x2",
      "event11 x3",
    ]);
    expect(record({ note: "Note 0." })).toBe("event11 x4");
  });

  it("with different notes are told apart again after ten minutes of quiet", async () => {
    const { clock, record } = correlatorOf();
    for (let index = 0; index < 12; index += 1) record({ note: `Note ${index}.` });
    await clock.advance(600_001);
    expect(record({ note: "Fresh." })).toBe("new event12: Fresh.");
  });

  it("in a flood about one object are thinned to 25 and then one in five minutes, but counted", async () => {
    const { clock, record } = correlatorOf();
    const told = Array.from({ length: 40 }, () => record());
    expect(told.filter((line) => line === "drop")).toHaveLength(15);
    expect(told[24]).toBe("event1 x25");
    await clock.advance(299_999);
    expect(record()).toBe("drop");
    await clock.advance(1);
    expect(record()).toBe("event1 x42");
  });

  it("about one object do not use up what another may tell", () => {
    const { record } = correlatorOf();
    for (let index = 0; index < 30; index += 1) record();
    expect(record()).toBe("drop");
    expect(record({ regarding: about("b") })).toMatch(/^new/);
  });
});
