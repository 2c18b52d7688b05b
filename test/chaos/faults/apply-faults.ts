import { setTimeout as sleep } from "node:timers/promises";
import { appendLine, nowMs } from "../../support/history/process-log.ts";
import type { ChaosFault, Targets } from "./fault.ts";

/** What of a round's settings is about its faults. */
interface FaultOptions<T extends Targets> {
  /** Where logs are. */
  readonly directory: string;
  /** Only these faults; all when absent. */
  readonly only?: (fault: ChaosFault<T>) => boolean;
  readonly say?: (line: string) => void;
}

/** Applies one fault and notes it; returns its id. */
export async function applyFault<T extends Targets>(
  fault: ChaosFault<T>,
  targets: T,
  { directory }: FaultOptions<T>,
): Promise<string> {
  const from = nowMs();
  const target = await fault.apply(targets);
  appendLine(directory, "faults", { e: "fault", t: from, id: fault.id, target, to: nowMs() });
  return fault.id;
}

/** Pairs of faults of two families, one after the other, until the time is over; returns the ids of all. */
export async function applyFaults<T extends Targets>(
  targets: T,
  from: readonly (readonly ChaosFault<T>[])[],
  options: FaultOptions<T>,
  until: number,
): Promise<string[]> {
  const { random } = targets;
  const families = from
    .map((family) => family.filter((fault) => (fault.possible?.(targets) ?? true) && (options.only?.(fault) ?? true)))
    .filter((family) => family.length > 0);
  const applied: string[] = [];
  await sleep(2_000);
  while (nowMs() < until && families.length > 0) {
    const first = random.pick(families.flat());
    const others = families.filter((family) => !family.includes(first)).flat();
    const pair = [first, ...(others.length > 0 ? [random.pick(others)] : [])];
    options.say?.(`  ${pair.map(({ id, name }) => `${id} ${name}`).join(" + ")}`);
    await Promise.all(
      pair.map(async (fault) => {
        await sleep(random.between(0, 1_500));
        applied.push(await applyFault(fault, targets, options));
      }),
    );
    await sleep(random.between(500, 2_500));
  }
  return applied;
}
