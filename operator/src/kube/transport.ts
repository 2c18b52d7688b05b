/**
 * Connections to one API server; nothing else opens any.
 *
 * - One pool, HTTP/1.1: each watch has a connection of its own, so that a stalled one stalls nothing else (over HTTP/2 all
 *   streams share one connection and its window). When credentials of the TLS layer change, a new pool takes over and
 *   the old one ends with its last request.
 * - Writes wait for a token of one bucket; requests marked `urgent` (lease renewals) do not.
 * - 429, and 5xx with Retry-After, are answers by which the server promises not to have acted: such requests are repeated
 *   after the time it names, a few times, within the request's own time. Everything else is the caller's decision.
 * - A GET that meets a connection which the server has just closed is repeated once, at once. A write is not: it may
 *   have been executed (`isOutcomeUnknown`).
 * - 401 has the credentials read afresh, and the request repeated once if they changed.
 */
import { Pool, type Dispatcher } from "undici";
import { sleep, type Clock } from "../runtime/clock.ts";
import { TokenBucket } from "../runtime/rate-limit.ts";
import type { Access, Credentials } from "./access.ts";
import { Deadline } from "./deadline.ts";
import { isUnauthorized, KubeError, StatusError, type StatusBody } from "./errors.ts";
import type { KubeMetrics } from "./metrics.ts";

/** One request. */
export interface KubeRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** Default `application/json`; patches name theirs. */
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
  /** Whole time, retries included (default 30 s); of a stream, the time until it begins. */
  readonly timeoutMs?: number | undefined;
  /** How often to repeat when the server says Retry-After (default 3). */
  readonly retries?: number | undefined;
  /** Does not wait for the write bucket. */
  readonly urgent?: boolean | undefined;
}

/** One finished exchange, for the hook. */
export interface RequestObservation {
  readonly method: string;
  readonly path: string;
  /** 0 when there was no answer. */
  readonly code: number;
  readonly seconds: number;
}

/** How a transport is made. */
export interface TransportOptions {
  readonly access: Access;
  readonly clock: Clock;
  readonly metrics: KubeMetrics;
  readonly userAgent?: string;
  /** Bucket over all writes of this process (default 200 per second, burst 400). */
  readonly writes?: { readonly perSecond: number; readonly burst: number };
  /** Called after every exchange; for tests that count requests and for logs. */
  readonly onRequest?: (observation: RequestObservation) => void;
}

type Answer = Dispatcher.ResponseData;

/**
 * Against a defect of ours that writes without end. It is not what protects the API server: that is its own priority and
 * fairness, whose 429 are obeyed. A thousand new queues take some 4,000 writes (bench B10), which 50 a second made 80 s.
 */
const WRITES = { perSecond: 200, burst: 400 } as const;
const TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Idle connections are dropped before usual load balancers and the API server itself (90 s and more) do. */
const IDLE_MS = 30_000;

/** See the head of this file. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #base: URL;
  readonly #writes: TokenBucket;
  #pool: { readonly pool: Pool; readonly credentials: Credentials } | undefined;
  #closed = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#base = new URL(options.access.server);
    this.#writes = new TokenBucket({ clock: options.clock, ...(options.writes ?? WRITES) });
  }

  /** Sends and reads a JSON answer. @throws KubeError */
  async request<T>(request: KubeRequest): Promise<T> {
    const deadline = new Deadline(this.#options.clock, request.timeoutMs ?? TIMEOUT_MS, request.signal);
    try {
      const { answer, began } = await this.#send(request, deadline);
      const text = await answer.body.text();
      this.#observe(request, answer.statusCode, began);
      return parseJson(text, request) as T;
    } catch (error) {
      throw toKubeError(error, request, deadline);
    } finally {
      deadline.clear();
    }
  }

  /**
   * Sends and returns the body as it arrives; after it began, only the signal, `close` and the reader end it. Reading
   * pauses the server when the reader is slow. @throws KubeError, also while reading
   */
  async *stream(request: KubeRequest): AsyncGenerator<Buffer, void> {
    const deadline = new Deadline(this.#options.clock, request.timeoutMs ?? TIMEOUT_MS, request.signal);
    try {
      const { answer, began } = await this.#send(request, deadline);
      this.#observe(request, answer.statusCode, began);
      deadline.stopClock();
      yield* answer.body as AsyncIterable<Buffer>;
    } catch (error) {
      throw toKubeError(error, request, deadline);
    } finally {
      deadline.clear();
    }
  }

  /** Ends all connections and fails what is under way. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool?.pool.destroy();
  }

  /** Sends, repeating as the head of this file says, until there is an answer of success. */
  async #send(request: KubeRequest, deadline: Deadline): Promise<{ answer: Answer; began: number }> {
    const { clock, metrics } = this.#options;
    await this.#waitForToken(request, deadline);
    const remaining = { asked: request.retries ?? 3, dropped: request.method === "GET" ? 1 : 0, unauthorized: 1 };
    for (;;) {
      const credentials = await this.#options.access.credentials();
      const began = clock.now();
      try {
        const answer = await this.#exchange(request, credentials, deadline);
        if (answer.statusCode < 300) return { answer, began };
        throw await refusal(answer, request);
      } catch (error) {
        const failure = toKubeError(error, request, deadline);
        this.#observe(request, failure.code, began);
        if (deadline.signal.aborted || this.#closed) throw failure;
        if (failure instanceof StatusError && failure.retryAfterSeconds !== undefined && remaining.asked-- > 0) {
          const waitMs = failure.retryAfterSeconds * 1000;
          if (waitMs > deadline.remainingMs() || !(await sleep(clock, waitMs, deadline.signal))) throw failure;
        } else if (isDroppedConnection(error) && remaining.dropped-- > 0) {
          // The next attempt opens a connection or finds a live one.
        } else if (isUnauthorized(failure) && remaining.unauthorized-- > 0) {
          const renewed = await this.#options.access.credentials(true);
          if (renewed.authorization === credentials.authorization) throw failure;
        } else {
          throw failure;
        }
        metrics.requestRetries.inc({ code: codeLabel(failure.code), verb: request.method });
      }
    }
  }

  async #waitForToken(request: KubeRequest, deadline: Deadline): Promise<void> {
    if (request.method === "GET" || request.urgent) return;
    const began = this.#options.clock.now();
    await this.#writes.take(deadline.signal);
    const seconds = (this.#options.clock.now() - began) / 1000;
    this.#options.metrics.rateLimiterSeconds.observe({ verb: request.method }, seconds);
  }

  async #exchange(request: KubeRequest, credentials: Credentials, deadline: Deadline): Promise<Answer> {
    const { userAgent = "kube-edge", access } = this.#options;
    if (this.#closed) throw new KubeError("the transport is closed", { reason: "Aborted", retry: "never" });
    const { authorization } = credentials;
    return this.#poolFor(credentials, access).request({
      method: request.method,
      path: `${this.#base.pathname.replace(/\/$/, "")}${request.path}${queryString(request.query)}`,
      headers: {
        accept: "application/json",
        "user-agent": userAgent,
        ...(authorization === undefined ? {} : { authorization }),
        ...(request.body === undefined ? {} : { "content-type": request.contentType ?? "application/json" }),
      },
      body: request.body === undefined ? null : JSON.stringify(request.body),
      signal: deadline.signal,
      // The deadline bounds requests; watches are bounded by their reader, and may be silent for long.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  #poolFor(credentials: Credentials, access: Access): Pool {
    const current = this.#pool;
    const same = (name: "ca" | "certificate" | "key") => current?.credentials[name] === credentials[name];
    if (current && same("ca") && same("certificate") && same("key")) return current.pool;
    current?.pool.close().catch(() => {});
    const pool = new Pool(this.#base.origin, {
      allowH2: false,
      keepAliveTimeout: IDLE_MS,
      connect: {
        timeout: CONNECT_TIMEOUT_MS,
        keepAlive: true,
        keepAliveInitialDelay: 30_000,
        rejectUnauthorized: !access.insecure,
        ...(access.serverName === undefined ? {} : { servername: access.serverName }),
        ...(credentials.ca === undefined ? {} : { ca: credentials.ca }),
        ...(credentials.certificate === undefined ? {} : { cert: credentials.certificate }),
        ...(credentials.key === undefined ? {} : { key: credentials.key }),
      },
    });
    this.#pool = { pool, credentials };
    return pool;
  }

  #observe({ method, path }: KubeRequest, code: number, began: number): void {
    const { metrics, clock, onRequest } = this.#options;
    const seconds = (clock.now() - began) / 1000;
    metrics.requests.inc({ code: codeLabel(code), method });
    metrics.requestSeconds.observe({ verb: method }, seconds);
    onRequest?.({ method, path, code, seconds });
  }
}

/** As client-go labels a request without an answer. */
const codeLabel = (code: number): string => (code === 0 ? "<error>" : String(code));

function queryString(query: KubeRequest["query"]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? "" : `?${parameters.toString()}`;
}

async function refusal(answer: Answer, request: KubeRequest): Promise<StatusError> {
  const text = await answer.body.text();
  const header = Number(answer.headers["retry-after"]);
  let status: StatusBody = {};
  try {
    status = JSON.parse(text) as StatusBody;
  } catch {
    // Not from the API server itself: a proxy or load balancer between us, whose first words are the best there is.
    status = { message: text.slice(0, 200).trim() };
  }
  return new StatusError(status?.kind === "Status" ? status : { message: status?.message ?? "" }, {
    code: answer.statusCode,
    retryAfterSeconds: answer.headers["retry-after"] !== undefined && header >= 0 ? header : undefined,
    request: `${request.method} ${request.path}`,
  });
}

function parseJson(text: string, request: KubeRequest): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `${request.method} ${request.path}: the answer is not JSON: ${text.slice(0, 100)}`;
    throw new KubeError(message, { reason: "MalformedResponse", retry: "backoff", cause });
  }
}

/** The server closed the connection without a word of an answer: usual when it was idle for long, or at a restart. */
function isDroppedConnection(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "UND_ERR_SOCKET" || code === "ECONNRESET" || code === "EPIPE";
}

function toKubeError(error: unknown, { method, path }: KubeRequest, deadline: Deadline): KubeError {
  if (error instanceof KubeError) return error;
  const request = `${method} ${path}`;
  if (deadline.expired) {
    return new KubeError(`${request}: no answer in time`, { reason: "Timeout", retry: "backoff", cause: error });
  }
  if (deadline.signal.aborted)
    return new KubeError(`${request}: given up`, { reason: "Aborted", retry: "never", cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new KubeError(`${request}: ${message}`, { reason: "ConnectionFailed", retry: "backoff", cause: error });
}
