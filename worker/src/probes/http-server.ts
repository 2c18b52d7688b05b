import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Service } from "../service.ts";
import type { ProbeAnswer } from "./health.ts";

/** Answers by path. */
export interface Probes {
  /** `/livez` */
  live(): ProbeAnswer;
  /** `/readyz` */
  ready(): ProbeAnswer;
  /** `/metrics`, in the text format of Prometheus. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** The worker's HTTP server: `/livez`, `/readyz`, `/metrics`, nothing else, and nothing that waits for the store. */
export class HttpServer implements Service {
  readonly #port: number;
  readonly #probes: Probes;
  readonly #server: Server;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  /** Port 0 takes a free one. */
  constructor(port: number, probes: Probes) {
    this.#port = port;
    this.#probes = probes;
    this.#server = createServer(
      { requestTimeout: 5_000, headersTimeout: 5_000, keepAliveTimeout: 5_000 },
      (request, response) => {
        void this.#answer(request, response);
      },
    );
  }

  /** The port it listens on, once started. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Rejects when the port is taken. */
  start(): Promise<void> {
    this.#started ??= new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#port, resolve);
    });
    return this.#started;
  }

  stop(): Promise<void> {
    this.#stopped ??= new Promise((resolve) => {
      if (!this.#server.listening) {
        resolve();
        return;
      }
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
    return this.#stopped;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (request.method !== "GET" && request.method !== "HEAD") return send(response, 405, "text/plain", "only GET\n");
      switch ((request.url ?? "").replace(/\?.*/, "")) {
        case "/livez":
          return sendAnswer(response, this.#probes.live());
        case "/readyz":
          return sendAnswer(response, this.#probes.ready());
        case "/metrics": {
          const { contentType, text } = await this.#probes.metrics();
          return send(response, 200, contentType, text);
        }
        default:
          return send(response, 404, "text/plain", "/livez, /readyz or /metrics\n");
      }
    } catch (error) {
      send(response, 500, "text/plain", `${(error as Error).message}\n`);
    }
  }
}

function sendAnswer(response: ServerResponse, { ok, problems }: ProbeAnswer): void {
  send(response, ok ? 200 : 503, "text/plain", ok ? "ok\n" : `${problems.join("\n")}\n`);
}

function send(response: ServerResponse, status: number, contentType: string, text: string): void {
  response.writeHead(status, { "content-type": contentType }).end(text);
}
