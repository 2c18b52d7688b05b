import { createServer } from "node:net";

/**
 * A loopback port that nothing listens on. Taken from below the range of outgoing connections (32768 and up on Linux),
 * so that no client socket can sit on it while a server that is stopped on purpose wants it back.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await canListen(port)) return port;
  }
}

async function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
