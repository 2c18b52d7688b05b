import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** Passes bytes on between one client and one server and counts them. It does not look into them: TLS goes through as it is. */
export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Bytes that the client has sent so far, and that it was sent. */
  sent = 0;
  received = 0;
  /** Connections that the client has opened so far. */
  connections = 0;

  private constructor(targetPort: number) {
    this.#server = createServer({ noDelay: true }, (client) => {
      this.connections += 1;
      const server = connect({ port: targetPort, host: "127.0.0.1", noDelay: true });
      this.#join(client, server, (bytes) => (this.sent += bytes));
      this.#join(server, client, (bytes) => (this.received += bytes));
    });
  }

  /** Listens on a free loopback port for a client of the server on another one. */
  static async to(targetPort: number): Promise<Relay> {
    const relay = new Relay(targetPort);
    await new Promise<void>((resolve) => {
      relay.#server.listen(0, "127.0.0.1", resolve);
    });
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #join(from: Socket, to: Socket, count: (bytes: number) => void): void {
    this.#sockets.add(from);
    from.on("data", (chunk: Buffer) => {
      count(chunk.length);
    });
    from.pipe(to);
    from.on("error", () => to.destroy()); // one side broke: so does the other
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }

  /** Breaks what stands and listens no more. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
