import { once } from "node:events";
import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import type { AddressInfo, Socket } from "node:net";
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
  /** The stream is passed on line by line, as `fate` says; `index` counts from 0. */
  | { readonly kind: "stream"; readonly fate: (line: string, index: number) => LineFate };

/** A request as the proxy saw it. */
export interface SeenRequest {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly watch: boolean;
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
  readonly #rules: { readonly rule: Rule; left: number; readonly spent: () => void }[] = [];
  readonly #agent: Agent;
  /** How many connections were opened to it. */
  connections = 0;

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

  /** Adds a fault; the first rule that applies counts. `spent` resolves when it has hit as often as it may. */
  add(rule: Rule): { readonly spent: Promise<void> } {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#rules.push({ rule, left: rule.times ?? Infinity, spent: resolve });
    return { spent: promise };
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
    const seen = { method, url, watch: url.includes("watch=true") };
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
    if (fault?.kind === "reset") {
      outgoing.socket?.resetAndDestroy();
    } else if (fault?.kind === "answer") {
      outgoing.writeHead(fault.code, { "content-type": "application/json", ...fault.headers });
      outgoing.end(typeof fault.body === "string" ? fault.body : JSON.stringify(fault.body ?? {}));
    } else {
      const answer = await this.#forward(incoming, Buffer.concat(chunks), outgoing);
      if (fault?.kind === "lost answer") {
        for await (const _chunk of answer); // read to its end: the request was executed
        outgoing.socket?.resetAndDestroy();
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      outgoing.flushHeaders();
      if (fault?.kind === "stream") await spoil(answer, outgoing, fault.fate);
      else answer.pipe(outgoing);
    }
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
