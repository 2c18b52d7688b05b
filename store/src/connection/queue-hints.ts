import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { clientConfig } from "./client-config.ts";
import { currentSettings } from "./credential-files.ts";
import { quoteIdentifier, sessionSchema } from "./identifier.ts";
import type { ConnectionSettings } from "./settings.ts";

/** What a listener for hints needs. Times are milliseconds. */
export interface QueueHintsOptions {
  readonly connection: ConnectionSettings;
  readonly schema: string;
  readonly applicationName: string;
  /**
   * What to hear of: names of queues, `*`, `schedules:`, `worker:` (of all workers); everything when absent. Every hint wakes the
   * process of everyone who listens to its topic, so a worker should not hear of queues that others serve (bench/README.md, B7).
   */
  readonly topics?: readonly string[] | undefined;
  /** Told the name of a queue that may have jobs. Anybody can forge it: go and look, believe nothing. */
  readonly onHint: (queue: string) => void;
  /** Told when hearing begins (look once, hints may have been missed) and when it ends (poll faster). */
  readonly onHearing?: ((hearing: boolean) => void) | undefined;
  /** Notifies a channel over another connection than the listening one. */
  readonly probe: (channel: string, payload: string) => Promise<void>;
  /** Between two proofs that notifications still arrive; 30000 when absent, and at most between the first two. */
  readonly probeIntervalMs?: number | undefined;
  /** Until a probe must have arrived; 5000 when absent. */
  readonly probeTimeoutMs?: number | undefined;
}

/** Channel of a store's hints, derived from the name of its schema, or of those of one topic; the SQL function `hint_channel` says the same. */
export function hintChannel(schema: string, topic?: string): string {
  const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);
  return `jobqueue_${digest(schema)}${topic === undefined ? "" : `_${digest(topic)}`}`;
}

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;
const PROBE_INTERVAL_MS = 30_000;

/**
 * Listens for hints on a connection of its own and connects again for ever, with backoff and jitter.
 *
 * A listening connection can be dead without anybody noticing: a half-open socket, or a pooler that hands the LISTEN to
 * a server connection it then gives to others. So hearing is proven, not assumed: from time to time a probe is sent over
 * another connection, and if it does not arrive the listener is deaf and says so. Nothing is lost by deafness but time.
 */
export class QueueHints {
  readonly #options: QueueHintsOptions;
  readonly #channels: readonly string[];
  readonly #probeChannel: string;
  #stopping: AbortController | undefined;
  #loop: Promise<void> | undefined;
  #hearing = false;

  constructor(options: QueueHintsOptions) {
    this.#options = options;
    const schema = sessionSchema(options.schema);
    this.#channels = options.topics?.map((topic) => hintChannel(schema, topic)) ?? [hintChannel(schema)];
    this.#probeChannel = `${hintChannel(schema)}_${randomBytes(6).toString("hex")}`;
  }

  /** Whether hints arrive, as far as the last proof goes. While false, callers depend on polling alone. */
  get hearing(): boolean {
    return this.#hearing;
  }

  /** Resolves when the first attempt to listen has succeeded or failed; goes on by itself. */
  async start(): Promise<void> {
    if (this.#stopping) return;
    const stopping = new AbortController();
    this.#stopping = stopping;
    await new Promise<void>((resolve) => {
      this.#loop = this.#run(stopping.signal, resolve);
    });
  }

  /** Resolves when the connection is closed and nothing is called any more. */
  async stop(): Promise<void> {
    this.#stopping?.abort();
    await this.#loop;
  }

  async #run(signal: AbortSignal, onFirstAttempt: () => void): Promise<void> {
    let backoffMs = FIRST_BACKOFF_MS;
    while (!signal.aborted) {
      try {
        await this.#listenOnce(signal, () => {
          backoffMs = FIRST_BACKOFF_MS;
          this.#setHearing(true);
          onFirstAttempt();
        });
      } catch {
        // Deaf; the next attempt follows.
      }
      this.#setHearing(false);
      onFirstAttempt();
      await sleep(backoffMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
      backoffMs = Math.min(MAX_BACKOFF_MS, backoffMs * 2);
    }
  }

  #setHearing(hearing: boolean): void {
    if (this.#hearing === hearing) return;
    this.#hearing = hearing;
    this.#options.onHearing?.(hearing);
  }

  /** One connection, from connecting to its end or to the first probe that does not arrive. */
  async #listenOnce(signal: AbortSignal, onHeard: () => void): Promise<void> {
    const {
      connection,
      applicationName,
      onHint,
      probeIntervalMs = PROBE_INTERVAL_MS,
      probeTimeoutMs = 5_000,
    } = this.#options;
    const client = new Client(
      clientConfig(currentSettings(connection), applicationName, {
        connectMs: probeTimeoutMs,
        statementMs: 0,
        queryMs: probeTimeoutMs,
      }),
    );
    const over = new AbortController();
    const end = () => {
      over.abort();
    };
    client.on("error", end);
    client.on("end", end);
    signal.addEventListener("abort", end);
    let heardProbe: (payload: string) => void = () => {};
    client.on("notification", ({ channel, payload = "" }) => {
      if (channel === this.#probeChannel) heardProbe(payload);
      else if (payload !== "") onHint(payload);
    });
    try {
      await client.connect();
      const channels = [...this.#channels, this.#probeChannel];
      await client.query(channels.map((channel) => `listen ${quoteIdentifier(channel)}`).join("; "));
      for (let proofs = 1; !over.signal.aborted; proofs++) {
        const nonce = randomBytes(6).toString("hex");
        const heard = new Promise<void>((resolve) => {
          heardProbe = (payload) => {
            if (payload === nonce) resolve();
          };
        });
        await this.#options.probe(this.#probeChannel, nonce);
        const timeout = sleep(probeTimeoutMs, "deaf", { signal: over.signal });
        if ((await Promise.race([heard, timeout])) === "deaf") return;
        timeout.catch(() => {});
        onHeard();
        // The first may have arrived by luck: a pooler may have given the same server connection twice.
        const untilNextMs = proofs === 1 ? Math.min(probeIntervalMs, PROBE_INTERVAL_MS) : probeIntervalMs;
        await sleep(untilNextMs, undefined, { signal: over.signal });
      }
    } finally {
      signal.removeEventListener("abort", end);
      over.abort();
      // Destroyed rather than said goodbye to: on a half-open socket the goodbye would wait for ever.
      client.end().catch(() => {});
      (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    }
  }
}
