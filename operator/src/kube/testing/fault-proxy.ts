import { once } from "node:events";
import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { writeKubeconfig } from "../../../../test/support/api-server/kubeconfig.ts";
import type { Access } from "../access.ts";
import { splitLines } from "../watch.ts";

/** What becomes of a line of a stream: the lines to pass on instead, or how the stream ends. */
export type LineFate = readonly string[] | "end" | "truncate" | "reset" | "stall";

/** What goes wrong with a request. */
type Fault =
  /** An answer that the API server never gave. */
  | {
      readonly kind: "answer";
      readonly code: number;
      readonly headers?: Record<string, string>;
      readonly body?: unknown;
    }
  /** The connection is reset before the request reaches the API server. */
  | { readonly kind: "reset" }
  /** The API server executes the request; its answer is lost with the connection. */
  | { readonly kind: "lost answer" }
  /** Nothing is answered and the connection stays. */
  | { readonly kind: "silence" }
  /** The request reaches the API server only when this has resolved. */
  | { readonly kind: "delay"; readonly until: Promise<unknown> }
  /** A read is answered with what `remember` kept of it: the world as it was then. What was not read then passes. */
  | { readonly kind: "stale" }
  /** The stream is passed on line by line, as `fate` says; `index` counts from 0. */
  | { readonly kind: "stream"; readonly fate: (line: string, index: number) => LineFate };

/** What a request is about, as RBAC names it. */
interface RequestAbout {
  readonly verb: "get" | "list" | "watch" | "create" | "update" | "patch" | "delete";
  /** Plural; empty for a path that is none of a resource, as /version. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
}

/** A request as the proxy saw it. */
export interface SeenRequest extends RequestAbout {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly watch: boolean;
  readonly dryRun: boolean;
  /** When it came, on the monotonic clock. */
  readonly at: number;
}

/** A condition for rules: all that is named must be so. Dry runs are meant only where they are named. */
export function about(wanted: Partial<RequestAbout> & { readonly dryRun?: boolean }): (seen: SeenRequest) => boolean {
  const facts = Object.entries({ dryRun: false, ...wanted });
  return (seen) => facts.every(([fact, value]) => seen[fact as keyof SeenRequest] === value);
}

/** Which requests a fault hits, and how often. */
export interface Rule {
  readonly when: (request: SeenRequest) => boolean;
  readonly fault: Fault;
  /** Default: until `clear`. */
  readonly times?: number;
}

/** Stands before a real API server and spoils, as told, what passes. Everything else passes unchanged. */
export class FaultProxy {
  readonly requests: SeenRequest[] = [];
  readonly #target: Access;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #rules: { readonly rule: Rule; left: number; readonly spent: () => void; readonly executed: () => void }[] =
    [];
  readonly #agent: Agent;
  /** The first answer to each read since `remember`, by URL. */
  readonly #remembered = new Map<string, { readonly headers: IncomingMessage["headers"]; readonly body: Buffer }>();
  #remembering = false;
  /** How many connections were opened to it. */
  connections = 0;
  /** Bytes of answers that passed it. */
  bytes = 0;

  private constructor(target: Access, agent: Agent) {
    this.#target = target;
    this.#agent = agent;
    this.#server = createServer((incoming, outgoing) => {
      this.#handle(incoming, outgoing).catch(() => outgoing.destroy());
    });
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on("connection", (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(target: Access): Promise<FaultProxy> {
    const { ca } = await target.credentials();
    const proxy = new FaultProxy(target, new TlsAgent({ keepAlive: true, ...(ca === undefined ? {} : { ca }) }));
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  /** Access to the API server through the proxy (plain HTTP, same credentials). */
  get access(): Access {
    const { port } = this.#server.address() as AddressInfo;
    return { ...this.#target, server: `http://127.0.0.1:${port}`, source: "fault proxy" };
  }

  /** Writes a kubeconfig that leads through the proxy, for what makes its own connections; returns its path. */
  async kubeconfig(path: string): Promise<string> {
    const { ca = "", authorization = "" } = await this.#target.credentials();
    return writeKubeconfig(path, { server: this.access.server, ca, token: authorization.replace(/^Bearer /, "") });
  }

  /** From now on the answer to each read is kept, for the fault "stale". */
  remember(): void {
    this.#remembered.clear();
    this.#remembering = true;
  }

  /**
   * Adds a fault; the first rule that applies counts. `spent` resolves when it has hit as often as it may, `executed` when
   * the API server has carried out a request whose answer is lost.
   */
  add(rule: Rule): { readonly spent: Promise<void>; readonly executed: Promise<void> } {
    const spent = Promise.withResolvers<void>();
    const executed = Promise.withResolvers<void>();
    this.#rules.push({ rule, left: rule.times ?? Infinity, spent: spent.resolve, executed: executed.resolve });
    return { spent: spent.promise, executed: executed.promise };
  }

  /** From now on everything passes. */
  clear(): void {
    this.#rules.length = 0;
  }

  /** Resets all open connections, watches included. */
  resetConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Closes open connections without a word, as a server does with idle ones. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.resetConnections();
    this.#agent.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = "GET", url = "/" } = incoming;
    const seen = see(method, url);
    this.requests.push(seen);
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const entry = this.#rules.find(({ rule, left }) => left > 0 && rule.when(seen));
    if (entry) {
      entry.left -= 1;
      if (entry.left === 0) entry.spent();
    }
    const fault = entry?.rule.fault;
    if (fault?.kind === "silence") return;
    if (fault?.kind === "delay") await fault.until;
    const remembered = fault?.kind === "stale" ? this.#remembered.get(url) : undefined;
    if (remembered) {
      outgoing.writeHead(200, remembered.headers);
      outgoing.end(remembered.body);
    } else if (fault?.kind === "reset") {
      outgoing.socket?.resetAndDestroy();
    } else if (fault?.kind === "answer") {
      outgoing.writeHead(fault.code, { "content-type": "application/json", ...fault.headers });
      outgoing.end(typeof fault.body === "string" ? fault.body : JSON.stringify(fault.body ?? {}));
    } else {
      const answer = await this.#forward(incoming, Buffer.concat(chunks), outgoing);
      if (fault?.kind === "lost answer") {
        for await (const _chunk of answer); // read to its end: the request was executed
        entry?.executed();
        outgoing.socket?.resetAndDestroy();
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      outgoing.flushHeaders();
      answer.on("data", (chunk: Buffer) => (this.bytes += chunk.length));
      const keeps = this.#remembering && seen.method === "GET" && !seen.watch && answer.statusCode === 200;
      if (keeps && !this.#remembered.has(url)) this.#keep(url, answer);
      if (fault?.kind === "stream") await spoil(answer, outgoing, fault.fate);
      else answer.pipe(outgoing);
    }
  }

  #keep(url: string, answer: IncomingMessage): void {
    const chunks: Buffer[] = [];
    answer.on("data", (chunk: Buffer) => chunks.push(chunk));
    answer.once("end", () => this.#remembered.set(url, { headers: answer.headers, body: Buffer.concat(chunks) }));
  }

  async #forward(incoming: IncomingMessage, body: Buffer, outgoing: ServerResponse): Promise<IncomingMessage> {
    const target = new URL(incoming.url ?? "/", this.#target.server);
    const send = target.protocol === "https:" ? tlsRequest : request;
    const onward = send(target, {
      method: incoming.method,
      headers: { ...incoming.headers, host: target.host },
      agent: this.#agent,
    });
    outgoing.once("close", () => onward.destroy());
    onward.end(body);
    const [answer] = (await once(onward, "response")) as [IncomingMessage];
    answer.on("error", () => outgoing.destroy());
    onward.on("error", () => outgoing.destroy());
    return answer;
  }
}

const VERBS = { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" } as const;

function see(method: string, url: string): SeenRequest {
  const { pathname, searchParams } = new URL(url, "http://proxy");
  const parts = pathname.split("/").filter(Boolean).map(decodeURIComponent);
  const rest = parts[0] === "api" ? parts.slice(2) : parts[0] === "apis" ? parts.slice(3) : [];
  const inNamespace = rest[0] === "namespaces" && rest.length > 2;
  const [resource = "", name = "", subresource = ""] = inNamespace ? rest.slice(2) : rest;
  const watch = searchParams.get("watch") === "true";
  const reads = watch ? "watch" : name === "" ? "list" : "get";
  return {
    method,
    url,
    watch,
    dryRun: searchParams.has("dryRun"),
    verb: VERBS[method as keyof typeof VERBS] ?? reads,
    resource,
    namespace: inNamespace ? (rest[1] ?? "") : "",
    name,
    subresource,
    at: performance.now(),
  };
}

async function spoil(
  answer: AsyncIterable<Buffer>,
  outgoing: ServerResponse,
  fate: (line: string, index: number) => LineFate,
): Promise<void> {
  let index = 0;
  let stalled = false;
  for await (const line of splitLines(answer)) {
    if (stalled) continue;
    const what = fate(line, index);
    index += 1;
    if (what === "stall") stalled = true;
    else if (what === "reset") return void outgoing.socket?.resetAndDestroy();
    else if (what === "end") return void outgoing.end();
    else if (what === "truncate") return void outgoing.end(line.slice(0, line.length / 2));
    else for (const other of what) outgoing.write(`${other}\n`);
  }
  if (!stalled) outgoing.end();
}
