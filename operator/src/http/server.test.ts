import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { describeService } from "../runtime/service.suite.ts";
import { HttpServer } from "./server.ts";

const running: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

async function* upAndReady(): AsyncGenerator<string> {
  yield "up 1\n";
  yield "ready 1\n";
}

async function serve(waitingFor: readonly string[] = [], pieces: AsyncIterable<string> = upAndReady()) {
  const server = new HttpServer({
    port: 0,
    waitingFor: () => waitingFor,
    metrics: () => ({ pieces, contentType: "text/plain; version=0.0.4" }),
  });
  running.push(server);
  await server.start();
  return async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
    return { code: response.status, text: await response.text(), type: response.headers.get("content-type") };
  };
}

describe("the HTTP server", () => {
  it("is alive whatever it waits for, and ready when it waits for nothing", async () => {
    const waiting = await serve(["informer pods"]);
    expect(await waiting("/livez")).toMatchObject({ code: 200 });
    expect(await waiting("/readyz")).toMatchObject({ code: 503, text: "waiting for informer pods\n" });
    expect(await (await serve())("/readyz?verbose")).toMatchObject({ code: 200, text: "ok\n" });
  });

  it("serves metrics in the format of Prometheus, piece by piece", async () => {
    expect(await (await serve())("/metrics")).toEqual({
      code: 200,
      text: "up 1\nready 1\n",
      type: "text/plain; version=0.0.4",
    });
    expect(await (await serve())("/metrics", { method: "HEAD" })).toMatchObject({ code: 200, text: "" });
  });

  it("breaks off an answer that it cannot finish, so that half of the metrics are not taken for all, and goes on", async () => {
    const get = await serve(
      [],
      (async function* () {
        yield "up 1\n";
        throw new Error("a gauge cannot be read");
      })(),
    );
    await expect(get("/metrics")).rejects.toThrow(/terminated|fetch failed/);
    expect(await get("/livez")).toMatchObject({ code: 200 });
  });

  it("asks for no more pieces when the one who asked has left, and goes on", async () => {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const get = await serve(
      [],
      (async function* () {
        try {
          for (;;) {
            yield "up 1\n".repeat(1_000);
            await setImmediate();
          }
        } finally {
          resolve();
        }
      })(),
    );
    const left = new AbortController();
    const answer = get("/metrics", { signal: left.signal });
    setTimeout(() => left.abort(), 50);
    await expect(answer).rejects.toThrow(/abort/);
    await ended;
    expect(await get("/livez")).toMatchObject({ code: 200 });
  });

  it("refuses everything else", async () => {
    const get = await serve();
    expect(await get("/")).toMatchObject({ code: 404 });
    expect(await get("/livez", { method: "POST" })).toMatchObject({ code: 405 });
  });
});

describeService("HttpServer", () => ({
  service: new HttpServer({
    port: 0,
    waitingFor: () => [],
    metrics: () => ({ pieces: upAndReady(), contentType: "" }),
  }),
}));
