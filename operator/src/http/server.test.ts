import { afterEach, describe, expect, it } from "vitest";
import { describeService } from "../runtime/service.suite.ts";
import { HttpServer } from "./server.ts";

const running: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

async function serve(waitingFor: readonly string[] = []) {
  const server = new HttpServer({
    port: 0,
    waitingFor: () => waitingFor,
    metrics: async () => ({ text: "up 1\n", contentType: "text/plain; version=0.0.4" }),
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

  it("serves metrics in the format of Prometheus", async () => {
    expect(await (await serve())("/metrics")).toEqual({ code: 200, text: "up 1\n", type: "text/plain; version=0.0.4" });
  });

  it("refuses everything else", async () => {
    const get = await serve();
    expect(await get("/")).toMatchObject({ code: 404 });
    expect(await get("/livez", { method: "POST" })).toMatchObject({ code: 405 });
  });
});

describeService("HttpServer", () => ({
  service: new HttpServer({ port: 0, waitingFor: () => [], metrics: async () => ({ text: "", contentType: "" }) }),
}));
