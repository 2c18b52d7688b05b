import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { BaseService } from "../runtime/index.ts";

/** What is served. */
export interface HttpServerOptions {
  readonly port: number;
  /** What is not ready yet, in words; empty: ready. */
  readonly waitingFor: () => readonly string[];
  /** Metrics in the format of Prometheus, piece by piece, and its content type. */
  readonly metrics: () => { readonly pieces: AsyncIterable<string>; readonly contentType: string };
}

const NOSNIFF = { "x-content-type-options": "nosniff" };

/**
 * /livez, /readyz and /metrics.
 *
 * `/livez` answers as long as the event loop turns, and asks nobody: a database or an API server that is away is no reason to
 * restart an operator. `/readyz` is 200 when the caches are full, also on a replica that does not lead: it can take over at
 * once.
 */
export class HttpServer extends BaseService {
  readonly #options: HttpServerOptions;
  readonly #server: Server;

  constructor(options: HttpServerOptions) {
    super("http server");
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => {
        // Half an answer must not look like a whole one.
        if (response.headersSent) response.destroy();
        else response.writeHead(500).end();
      });
    });
    this.#server.requestTimeout = 10_000;
    this.#server.headersTimeout = 10_000;
  }

  /** The port it listens on. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  protected override async onStart(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#options.port, resolve);
    });
  }

  protected override async onStop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer({ method, url }: IncomingMessage, response: ServerResponse): Promise<void> {
    const say = (code: number, text: string, contentType = "text/plain; charset=utf-8"): void => {
      response.writeHead(code, { "content-type": contentType, ...NOSNIFF }).end(text);
    };
    if (method !== "GET" && method !== "HEAD") {
      say(405, "GET only\n");
      return;
    }
    const path = url?.split("?")[0] ?? "";
    switch (path) {
      case "/livez":
        say(200, "ok\n");
        return;
      case "/readyz": {
        const waiting = this.#options.waitingFor();
        say(waiting.length === 0 ? 200 : 503, waiting.length === 0 ? "ok\n" : `waiting for ${waiting.join(", ")}\n`);
        return;
      }
      case "/metrics": {
        const { pieces, contentType } = this.#options.metrics();
        response.writeHead(200, { "content-type": contentType, ...NOSNIFF });
        // HEAD has nothing to write, and nobody should make it.
        if (method === "HEAD") response.end();
        else await pipeline(pieces, response);
        return;
      }
      default:
        say(404, "there are /livez, /readyz and /metrics\n");
    }
  }
}
