import type { QueuePolicy } from "@jobqueue/store";
import { personOf } from "../actor.ts";
import { exactDuration } from "../duration.ts";
import { Failure } from "../failure.ts";
import { printResult } from "../output/result.ts";
import { findQueue, readStore } from "../queues.ts";
import { formatRate, parseRate } from "../rate.ts";
import { formatRetry, parseRetry } from "../retry-policy.ts";
import { changesOf, renderSettings, type SettingRow } from "../settings.ts";
import { withSource } from "../source/open-source.ts";
import type { RunVerb } from "../verb.ts";

type Row = SettingRow<QueuePolicy>;

function number(flag: string, key: keyof QueuePolicy, fallback: string): Row {
  return {
    flag,
    key,
    fallback,
    read: (args) => args.number(flag),
    show: (policy) => shown(policy[key], String),
  };
}

function duration(flag: string, key: keyof QueuePolicy, fallback: string): Row {
  return { ...number(flag, key, fallback), show: (policy) => shown(policy[key] as number | null, exactDuration) };
}

function shown<Value>(value: Value | null | undefined, as: (value: Value) => string): string | undefined {
  return value === null || value === undefined ? undefined : as(value);
}

/** The policy of a queue as flags. */
export const QUEUE_SETTINGS: readonly Row[] = [
  number("max-running", "maxRunning", "no limit"),
  number("max-running-per-key", "maxRunningPerKey", "no limit"),
  {
    flag: "fair",
    key: "fair",
    fallback: "off",
    read: (args) => args.text("fair") === "on",
    show: ({ fair }) => (fair ? "on" : undefined),
  },
  {
    flag: "rate",
    key: "rate",
    fallback: "no limit",
    read: (args) => parseRate(args.text("rate") ?? ""),
    show: ({ rate }) => shown(rate, ({ count, perSeconds = 1 }) => formatRate({ count, perSeconds })),
  },
  number("max-attempts", "maxAttempts", "5"),
  {
    flag: "retry",
    key: "retry",
    fallback: "exponential:1s..1h~20%",
    read: (args) => parseRetry(args.text("retry") ?? ""),
    show: ({ retry }) => shown(retry, formatRetry),
  },
  duration("timeout", "timeoutSeconds", "no limit"),
  duration("result-ttl", "resultTtlSeconds", "as long as the history"),
  {
    flag: "on-worker-loss",
    key: "onWorkerLoss",
    fallback: "retry",
    read: (args) => args.text("on-worker-loss"),
    show: ({ onWorkerLoss }) => (onWorkerLoss === "retry" ? undefined : (onWorkerLoss ?? undefined)),
  },
  {
    ...number("max-recoveries", "maxRecoveries", "3"),
    show: ({ maxRecoveries }) => (maxRecoveries === 3 ? undefined : shown(maxRecoveries, String)),
  },
];

/** `jobqueue configure QUEUE`. */
export const run: RunVerb = async (args, terminal) => {
  const queue = args.positional("QUEUE");
  const changes = changesOf(QUEUE_SETTINGS, args) as QueuePolicy;
  const look = Object.keys(changes).length === 0;
  const { changed, policy } = await withSource(args, terminal, async (open) => {
    const { source } = open;
    const { actor } = await personOf(open, terminal.env);
    const act = { actor, reason: args.text("reason") ?? "by hand" };
    const done = look ? false : await source.configureQueue(queue, changes, act);
    const found = await source.queuePolicy(queue);
    // Says which queue was probably meant.
    if (!found) findQueue(await readStore(source), queue);
    if (!found) throw new Failure("notFound", `the store has no queue '${queue}'`);
    return { changed: done, policy: found };
  });
  printResult(args, terminal, {
    value: { queue, changed, policy },
    names: [queue],
    text: () => {
      const head = look ? `Queue ${queue}:` : `Queue ${queue}, ${changed ? "changed" : "which was like that before"}:`;
      return `${head}\n${renderSettings(QUEUE_SETTINGS, policy)}`;
    },
  });
  return 0;
};
