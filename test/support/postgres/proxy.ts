import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import { Transform } from "node:stream";

/** Length of an SSLRequest or startup message is in its first four bytes, the protocol number in the next four. */
const PROTOCOL_3 = 196_608;

/** ReadyForQuery, but for its last byte, the state of the transaction. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5]);

/** What becomes of what a client sent: passed on; kept for ever; or passed on, and its reply is kept instead. */
export type SentFate = "pass" | "keep" | "lose reply";

/** One connection through the proxy, as told to those who decide about what it carries. */
export interface ProxiedConnection {
  /** Breaks it with a reset. */
  readonly reset: () => void;
  /** Resolves when the server has carried out all it was sent so far and waits for more. */
  readonly served: () => Promise<void>;
}

/**
 * A TCP proxy before a real server, to do to connections what networks and poolers do. It knows just enough of the
 * protocol to refuse a startup parameter as PgBouncer does.
 */
export class PostgresProxy {
  readonly #server: Server;
  #target: URL;
  #losing: { readonly pattern: string; left: number } | undefined;
  #port = 0;
  readonly #pairs = new Set<{ client: Socket; server: Socket }>();
  #refusedParameter: string | undefined;
  #refusing = false;
  /** Asked about everything that clients send after their startup; it is not passed on before this has resolved. */
  onSent: ((sent: Buffer, connection: ProxiedConnection) => SentFate | Promise<SentFate>) | undefined;
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
      client.unpipe();
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

  /**
   * The next `count` statements that contain `pattern` (such as `.complete(`) run to their end on the server, and then the
   * connection is reset instead of the reply: applied, and nobody was told. Further calls replace what is left of earlier ones.
   */
  loseReplies(pattern: string, count = 1): void {
    this.#losing = { pattern, left: count };
  }

  /** Replies that are still to be lost. */
  get repliesToLose(): number {
    return this.#losing?.left ?? 0;
  }

  /** New connections go to another server from now on, as when a name is moved after a failover. Standing ones stay. */
  retarget(url: string): void {
    this.#target = new URL(url);
  }

  /** Breaks all connections and refuses new ones, or lets them through again. */
  cut(off: boolean): void {
    this.#refusing = off;
    if (off) this.reset();
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
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
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
      client.on("data", (sent: Buffer) => {
        const losing = this.#losing;
        if (losing === undefined || losing.left === 0 || !sent.includes(losing.pattern)) return;
        losing.left -= 1;
        server.unpipe(client);
        server.on("data", (reply: Buffer) => {
          // ReadyForQuery: the statement, and its transaction when it was its own, is over.
          if (reply.subarray(-6, -1).equals(READY)) client.resetAndDestroy();
        });
        server.resume();
      });
      server.write(startup);
      client.pipe(this.#gate(pair)).pipe(server);
      server.pipe(client);
    });
  }

  /** Asks `onSent` about what goes to the server. */
  #gate({ client, server }: { client: Socket; server: Socket }): Transform {
    const connection: ProxiedConnection = {
      reset: () => client.resetAndDestroy(),
      served: () =>
        new Promise((resolve) => {
          const look = (reply: Buffer): void => {
            if (!reply.subarray(-6, -1).equals(READY)) return;
            server.off("data", look);
            resolve();
          };
          server.on("data", look);
        }),
    };
    return new Transform({
      transform: (sent: Buffer, _encoding, pass) => {
        void (async () => {
          const fate = (await this.onSent?.(sent, connection)) ?? "pass";
          if (fate === "keep") return;
          if (fate === "lose reply") {
            server.unpipe(client);
            server.resume();
          }
          pass(null, sent);
        })();
      },
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
