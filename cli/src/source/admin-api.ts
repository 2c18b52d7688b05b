import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { text as readText } from "node:stream/consumers";

/** The admin API refused: its status and its own words. */
export class AdminProblem extends Error {
  /** HTTP status. */
  readonly status: number;
  /** The state of the job that forbids it, where that is why. */
  readonly state: string | undefined;
  /** When to come again, where it said so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, message: string, more: { state?: string; retryAfterSeconds?: number } = {}) {
    super(message);
    this.status = status;
    this.state = more.state;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

/** There was no answer, or none of an admin API. `sent`: what was to be changed may have been changed all the same. */
export class NoAnswer extends Error {
  /** Of the system (`ECONNREFUSED`), of TLS (`CERT_HAS_EXPIRED`), or ours: `TIMEOUT`, `REDIRECT`, `FOREIGN`. */
  readonly code: string;
  readonly sent: boolean;

  constructor(code: string, message: string, sent: boolean, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.sent = sent;
  }
}

/** How the API is reached. */
interface AdminApiOptions {
  /** Without a slash at its end. */
  readonly url: string;
  /** An API key or a bearer token of the cluster. */
  readonly key: string | undefined;
  /** Certificate authorities, PEM. */
  readonly ca: string | undefined;
  readonly timeoutMs: number;
}

type QueryValue = string | number | boolean | undefined | readonly string[];

/** What goes with a question. Values of the query that are undefined are left out; lists are repeated. */
export interface Asked {
  readonly query?: Readonly<Record<string, QueryValue>>;
  readonly body?: unknown;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** A client of the native admin API. Goes nowhere but to its URL: a redirect is refused, since the key goes along. */
export class AdminApi {
  readonly #options: AdminApiOptions;
  readonly #agent: HttpAgent;

  constructor(options: AdminApiOptions) {
    this.#options = options;
    const { ca } = options;
    this.#agent = options.url.startsWith("https:")
      ? new HttpsAgent({ keepAlive: true, ...(ca !== undefined && { ca }) })
      : new HttpAgent({ keepAlive: true });
  }

  /** Asks below `/api/v1/`; `path` is encoded already. @throws AdminProblem, NoAnswer */
  async ask<T>(method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", path: string, asked: Asked = {}): Promise<T> {
    const answer = await this.#send(
      method,
      `${this.#options.url}/api/v1/${path}${search(asked.query ?? {})}`,
      asked.body,
    );
    const json = parse(answer, method !== "GET");
    if (answer.status < 300) return json as T;
    const { error, state } = json as { error?: unknown; state?: string };
    const after = Number(answer.headers["retry-after"]);
    throw new AdminProblem(answer.status, String(error), {
      ...(state !== undefined && { state }),
      ...(after > 0 && { retryAfterSeconds: after }),
    });
  }

  /** Closes its connections. */
  close(): void {
    this.#agent.destroy();
  }

  async #send(method: string, url: string, body: unknown): Promise<Answer> {
    const { key, timeoutMs } = this.#options;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const send = url.startsWith("https:") ? httpsRequest : httpRequest;
    let connected = false;
    try {
      return await new Promise<Answer>((resolve, reject) => {
        const request = send(
          url,
          {
            method,
            agent: this.#agent,
            signal: AbortSignal.timeout(timeoutMs),
            headers: {
              accept: "application/json",
              "user-agent": "jobqueue",
              ...(key !== undefined && { authorization: `Bearer ${key}` }),
              ...(text !== undefined && {
                "content-type": "application/json",
                "content-length": String(Buffer.byteLength(text)),
              }),
            },
          },
          (response) => {
            readText(response).then(
              (whole) => resolve({ status: response.statusCode ?? 0, headers: response.headers, text: whole }),
              reject,
            );
          },
        );
        request.once("socket", (socket) => {
          const ready = socket.connecting ? (url.startsWith("https:") ? "secureConnect" : "connect") : undefined;
          if (ready === undefined) connected = true;
          else socket.once(ready, () => (connected = true));
        });
        request.once("error", reject);
        request.end(text);
      });
    } catch (error) {
      const { name, code = "FAILED", message } = error as NodeJS.ErrnoException;
      if (name === "AbortError" || name === "TimeoutError") {
        throw new NoAnswer("TIMEOUT", `no answer within ${timeoutMs / 1000} s`, connected && method !== "GET", error);
      }
      throw new NoAnswer(code, message === "" ? code : message, connected && method !== "GET", error);
    }
  }
}

/** The JSON of an answer. Every answer of an admin API is JSON, and says what is wrong in `error`. */
function parse({ status, headers, text }: Answer, changing: boolean): unknown {
  if (status >= 300 && status < 400) {
    throw new NoAnswer("REDIRECT", `it answers with a redirect to ${headers.location ?? "nowhere"}`, false);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const said = typeof json === "object" && json !== null;
  if (said && (status < 300 || typeof (json as { error?: unknown }).error === "string")) return json;
  const type = headers["content-type"] ?? "no content type";
  throw new NoAnswer("FOREIGN", `it answers ${status} with ${type}, which no admin API does`, changing);
}

function search(query: Readonly<Record<string, QueryValue>>): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value]) pairs.append(name, String(one));
  }
  return pairs.size === 0 ? "" : `?${pairs.toString()}`;
}
