import { credentials } from "./session.ts";

/** The server refused, or did not answer. `message` is a sentence for people. */
export class ApiError extends Error {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Values of query parameters; those that are undefined or empty are left out. */
type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface Request {
  readonly query?: Query | undefined;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** How long an answer may take; the store's own limit on statements is shorter. */
const PATIENCE_MS = 30_000;

/** Asks the server. Paths are relative to the page, which may be below a proxy's prefix. @throws ApiError */
export async function ask<T>(
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  request: Request = {},
): Promise<T> {
  const { query = {}, body, signal } = request;
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const response = await send(path + search(query), {
    method,
    headers: { ...authorization(), ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: signal === undefined ? patience : AbortSignal.any([signal, patience]),
  });
  const text = await response.text();
  if (!response.ok) throw new ApiError(response.status, sentenceOf(text, response.status));
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** Opens a stream of text. @throws ApiError */
export async function openStream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const response = await send(path, { headers: authorization(), signal });
  if (!response.ok) throw new ApiError(response.status, sentenceOf(await response.text(), response.status));
  if (response.body === null) throw new ApiError(0, "The server sent no stream.");
  return response.body;
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { ...init, cache: "no-store", redirect: "error" });
  } catch (error) {
    if (init.signal?.aborted && (init.signal.reason as Error | undefined)?.name !== "TimeoutError") throw error;
    throw new ApiError(0, "The admin server does not answer. Is it running, and can this browser reach it?");
  }
}

function authorization(): Record<string, string> {
  const secret = credentials();
  return secret === undefined ? {} : { authorization: `Bearer ${secret}` };
}

function search(query: Query): string {
  const entries = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[name, String(value)]],
  );
  return entries.length === 0 ? "" : `?${new URLSearchParams(entries).toString()}`;
}

/** The server's own words; a proxy before it has others. */
function sentenceOf(text: string, status: number): string {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error === "string") return error;
  } catch {
    // No JSON: not from our server.
  }
  return `Something between this browser and the admin server answered ${status}.`;
}

/** Whether a failure is only that nobody waits any more: the page was left. */
export const isAbort = (error: unknown): boolean => (error as Error | undefined)?.name === "AbortError";
