import type { Finding } from "./check.ts";
import type { History, JobRow } from "./history.ts";

/** Jobs whose events are shown, and findings listed per assertion: enough to see a pattern. */
const MOST_JOBS = 5;
const MOST_FINDINGS = 10;

/** What was violated, the events of the jobs concerned in order, and how to see it again. */
export function reportOf(history: History, findings: readonly Finding[], repeat: string): string {
  if (findings.length === 0) return "history: every assertion holds\n";
  const lines = [`history: ${findings.length} ${findings.length === 1 ? "violation" : "violations"}`];
  for (const [id, group] of Map.groupBy(findings, ({ assertion }) => assertion.id)) {
    const [first] = group;
    lines.push(
      "",
      `${id} ${first?.assertion.title ?? ""} (${first?.assertion.promises.join(", ") ?? ""}): ${group.length} times`,
    );
    for (const { job, message, at } of group.slice(0, MOST_FINDINGS)) {
      lines.push(`  ${at === undefined ? "" : `${clock(at)} `}${job === undefined ? "" : `job ${job}: `}${message}`);
    }
    if (group.length > MOST_FINDINGS) lines.push(`  and ${group.length - MOST_FINDINGS} more`);
  }
  const jobs = [...new Set(findings.flatMap(({ job }) => (job === undefined ? [] : [job])))];
  for (const job of jobs.slice(0, MOST_JOBS)) {
    lines.push("", `job ${job}, from the first to the last`, ...eventsOf(history, job).map((line) => `  ${line}`));
  }
  lines.push("", `repeat: ${repeat}`, "");
  return lines.join("\n");
}

/** Everything that happened to a job, or was said about it, in order of time. */
export function eventsOf(history: History, job: string): string[] {
  const events: { at: number; text: string }[] = [];
  const queues = new Set<string>();
  for (const { before, after, at, transaction, ...rest } of history.transitions) {
    if (rest.job !== job) continue;
    queues.add((after ?? before)?.queue ?? "");
    events.push({ at, text: `store    ${row(before)} -> ${row(after)} (transaction ${transaction})` });
  }
  for (const call of history.calls) {
    const leased = call.leased.find((each) => each.job === job);
    const enqueued = call.enqueued.find((each) => each.job === job);
    if (leased === undefined && enqueued === undefined) continue;
    const what = `${call.operation}${leased && leased.token > 0 ? ` with token ${leased.token}` : ""}`;
    events.push({ at: call.invokedAt, text: `${call.process} asks to ${what}` });
    const told =
      call.outcome === "ok"
        ? call.lost.includes(job)
          ? "lost"
          : (enqueued?.outcome ?? "done")
        : `${call.outcome}${call.error ? `: ${call.error.slice(0, 120)}` : ""}`;
    if (call.endedAt !== null) events.push({ at: call.endedAt, text: `${call.process} is told of ${what}: ${told}` });
  }
  for (const deed of history.deeds) {
    if (deed.job === job)
      events.push({ at: deed.at, text: `${deed.process} handler ${deed.what} under token ${deed.token}` });
  }
  const [first, last] = [Math.min(...events.map(({ at }) => at)), Math.max(...events.map(({ at }) => at))];
  for (const hold of history.holds) {
    if ((hold.queue !== "*" && !queues.has(hold.queue)) || hold.at < first || hold.at > last) continue;
    events.push({ at: hold.at, text: `store    ${hold.placed ? "hold" : "release"} of ${hold.queue} (${hold.name})` });
  }
  for (const { id, target, from, to } of history.faults) {
    if (from > last || to < first) continue;
    events.push(
      { at: from, text: `fault ${id} on ${target} begins` },
      { at: to, text: `fault ${id} on ${target} is over` },
    );
  }
  return events.sort((a, b) => a.at - b.at).map(({ at, text }) => `${clock(at)} ${text}`);
}

function row(value: JobRow | null): string {
  if (value === null) return "nothing";
  const { state, token, worker, attempt, recoveries, generation } = value;
  return `${state}${token === null ? "" : ` token ${token}`}${worker === null ? "" : ` worker ${worker}`} [attempt ${attempt}, recoveries ${recoveries}, generation ${generation}]`;
}

function clock(at: number): string {
  const whole = Math.floor(at);
  return `${new Date(whole).toISOString().slice(11, 23)}${(at - whole).toFixed(3).slice(2)}`;
}
