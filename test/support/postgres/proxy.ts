import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";

/** Length of an SSLRequest or startup message is in its first four bytes, the protocol number in the next four. */
const PROTOCOL_3 = 196_608;

/**
 * A TCP proxy before a real server, to do to connections what networks and poolers do. It knows just enough of the
 * protocol to refuse a startup parameter as PgBouncer does.
 */
export class PostgresProxy {
  readonly #server: Server;
  readonly #target: URL;
  #port = 0;
  readonly #pairs = new Set<{ client: Socket; server: Socket }>();
  #refusedParameter: string | undefined;
  /** Connections that clients have opened so far. */
  connections = 0;

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((client) => {
      this.#accept(client);
    });
  }

  /** Starts a proxy on a free loopback port. */
  static async create(targetUrl: string): Promise<PostgresProxy> {
    const proxy = new PostgresProxy(new URL(targetUrl));
    await new Promise<void>((resolve) => {
      proxy.#server.listen(0, "127.0.0.1", resolve);
    });
    proxy.#port = (proxy.#server.address() as AddressInfo).port;
    return proxy;
  }

  /** URL of the target through the proxy. */
  get url(): string {
    const url = new URL(this.#target);
    url.port = String(this.#port);
    return url.href;
  }

  /** From now on the connections that stand carry nothing any more, without being closed: half-open. New ones work. */
  blackhole(): void {
    for (const { client, server } of this.#pairs) {
      client.unpipe(server);
      server.unpipe(client);
      client.resume();
      server.resume();
    }
  }

  /** Breaks the connections that stand with a reset. */
  reset(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
  }

  /** Refuses startup messages that set this parameter, in the words of PgBouncer. */
  refuseStartupParameter(name: string): void {
    this.#refusedParameter = name;
  }

  /** Refuses connections from now on and drops those that stand. Repeatable. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    await closed;
  }

  #accept(client: Socket): void {
    this.connections += 1;
    client.on("error", () => {});
    client.once("data", (startup: Buffer) => {
      const parameters = startup.readInt32BE(4) === PROTOCOL_3 ? startup.subarray(8).toString().split("\0") : [];
      if (this.#refusedParameter !== undefined && parameters.includes(this.#refusedParameter)) {
        client.end(errorResponse(`unsupported startup parameter: ${this.#refusedParameter}`));
        return;
      }
      const server = connect(Number(this.#target.port), this.#target.hostname);
      const pair = { client, server };
      this.#pairs.add(pair);
      server.on("error", () => client.destroy());
      for (const socket of [client, server]) {
        socket.on("close", () => {
          this.#pairs.delete(pair);
          client.destroy();
          server.destroy();
        });
      }
      server.write(startup);
      client.pipe(server);
      server.pipe(client);
    });
  }
}

function errorResponse(message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0C08P01\0M${message}\0\0`);
  const header = Buffer.alloc(5);
  header.write("E");
  header.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([header, fields]);
}
