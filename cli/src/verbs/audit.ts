import type { AuditEvent, AuditFilter } from "@jobqueue/store";
import { formatDuration } from "../duration.ts";
import { printResult } from "../output/result.ts";
import { type Column, renderTable } from "../output/table.ts";
import { withSource } from "../source/open-source.ts";
import type { Source } from "../source/source.ts";
import type { RunVerb } from "../verb.ts";

const PAGE = 1000;
const DEFAULT_LIMIT = 50;

function columns(now: Date): Column<AuditEvent>[] {
  return [
    { title: "AGE", align: "right", value: (event) => formatDuration((now.getTime() - event.at.getTime()) / 1000) },
    { title: "ACTION", value: (event) => event.action },
    { title: "TARGET", flexible: true, value: (event) => event.target },
    { title: "COUNT", align: "right", value: (event) => String(event.count) },
    { title: "ACTOR", flexible: true, value: (event) => event.actor },
    { title: "REASON", flexible: true, value: (event) => event.reason ?? "" },
  ];
}

async function read(source: Source, filter: AuditFilter, limit: number): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  while (events.length < limit) {
    const size = Math.min(PAGE, limit - events.length);
    const last = events.at(-1);
    const page = await source.listAuditEvents({ ...filter, limit: size, ...(last ? { afterId: last.id } : {}) });
    events.push(...page);
    if (page.length < size) break;
  }
  return events;
}

/** `jobqueue audit`. */
export const run: RunVerb = async (args, terminal) => {
  const limit = args.number("limit") ?? DEFAULT_LIMIT;
  const filter = {
    action: args.text("action"),
    actor: args.text("actor"),
    target: args.text("target"),
    sinceSeconds: args.number("since"),
  };
  const { events, now } = await withSource(args, terminal, async ({ source }) => ({
    events: await read(source, filter, limit),
    now: await source.now(),
  }));
  printResult(args, terminal, {
    value: events,
    names: events.map((event) => event.id),
    text: () => {
      if (events.length === 0) return "No such events.";
      const more = events.length === limit ? `The newest ${limit}; --limit shows more.\n` : "";
      return `${renderTable(columns(now), events, terminal)}${more}`;
    },
  });
  return 0;
};
