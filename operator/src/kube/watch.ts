import type { Clock } from "../runtime/clock.ts";
import type { Selection } from "./client.ts";
import { Deadline } from "./deadline.ts";
import { KubeError, StatusError, type StatusBody } from "./errors.ts";
import { resourcePath, type KubeObject, type Resource, type Stored } from "./resources.ts";
import type { Transport } from "./transport.ts";

/** One thing a watch says. A bookmark says only: up to this version you have heard everything. */
export type WatchEvent<T extends KubeObject> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: Stored<T> }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

/** What to watch, from where, for how long. */
export interface WatchOptions {
  readonly selection: Selection;
  /** Everything after this version is told. */
  readonly resourceVersion: string;
  /** The server ends the watch after this time; whole seconds. */
  readonly serverTimeoutMs: number;
  /** We end it this much later if the server did not. */
  readonly graceMs: number;
  /** Without a byte for this long it is given up. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/**
 * One watch: yields until the server ends it in good order. Reading is as fast as the consumer; a slow one slows the
 * server. The version of an ERROR event is never used: it has none.
 *
 * @throws StatusError for a refusal before or within the stream (`isExpired`: list again); KubeError `Silent`,
 * `MalformedResponse` (also a last line cut short), `ConnectionFailed`, `Aborted`
 */
export async function* watchEvents<T extends KubeObject>(
  transport: Transport,
  resource: Resource<T>,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>, void> {
  const { clock, selection, resourceVersion, serverTimeoutMs, graceMs, silenceMs } = options;
  const { namespace, labelSelector, fieldSelector } = selection;
  const path = resourcePath(resource, { namespace });
  const timeoutSeconds = Math.round(serverTimeoutMs / 1000);
  const query = {
    watch: true,
    allowWatchBookmarks: true,
    resourceVersion,
    timeoutSeconds,
    labelSelector,
    fieldSelector,
  };
  const whole = new Deadline(clock, serverTimeoutMs + graceMs, options.signal);
  const quiet = new Deadline(clock, silenceMs, whole.signal);
  try {
    const chunks = transport.stream({ method: "GET", path, query, signal: quiet.signal });
    for await (const line of splitLines(chunks, () => quiet.restart(silenceMs))) yield parseEvent<T>(line);
  } catch (error) {
    if (!quiet.expired && !whole.expired) throw error;
    const what = quiet.expired ? `brought nothing for ${silenceMs / 1000} s` : "was not ended by the server in time";
    throw new KubeError(`the watch of ${path} ${what}`, { reason: "Silent", retry: "backoff", cause: error });
  } finally {
    quiet.clear();
    whole.clear();
  }
}

/** Lines of a stream of UTF-8, without their ends. `onChunk` is told of every arrival. @throws KubeError when the last line has no end */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  onChunk: () => void = () => {},
): AsyncGenerator<string, void> {
  let pending: Buffer[] = [];
  for await (const chunk of chunks) {
    onChunk();
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      pending.push(chunk.subarray(start, end));
      const line = Buffer.concat(pending).toString("utf8");
      pending = [];
      start = end + 1;
      if (line.trim() !== "") yield line;
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
  if (pending.length > 0) throw malformed("the stream ended within a line");
}

function parseEvent<T extends KubeObject>(line: string): WatchEvent<T> {
  let event: { readonly type?: string; readonly object?: Stored<T> & StatusBody };
  try {
    event = JSON.parse(line) as typeof event;
  } catch (cause) {
    throw malformed(`not JSON: ${line.slice(0, 100)}`, cause);
  }
  const { type, object } = event;
  if (type === "ERROR") throw new StatusError(object ?? {}, { code: object?.code ?? 500, request: "watch" });
  if (!object?.metadata?.resourceVersion) throw malformed(`an event without a resourceVersion: ${line.slice(0, 100)}`);
  if (type === "BOOKMARK") return { type, resourceVersion: object.metadata.resourceVersion };
  if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") return { type, object };
  throw malformed(`an event of unknown type: ${line.slice(0, 100)}`);
}

function malformed(what: string, cause?: unknown): KubeError {
  return new KubeError(`watch: ${what}`, { reason: "MalformedResponse", retry: "backoff", cause });
}
