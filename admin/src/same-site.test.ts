import { describe, expect, it } from "vitest";
import { refuseCrossSite, refuseForeignHost } from "./same-site.ts";

describe("a request that changes something", () => {
  it.each([
    [{}],
    [{ "sec-fetch-site": "same-origin" }],
    [{ "sec-fetch-site": "none" }],
    [{ origin: "http://admin.example:8090", host: "admin.example:8090" }],
  ])("from %j is taken", (headers) => {
    expect(() => {
      refuseCrossSite("POST", headers);
    }).not.toThrow();
  });

  it.each([
    [{ "sec-fetch-site": "cross-site" }],
    [{ "sec-fetch-site": "same-site" }],
    [{ origin: "https://evil.example", host: "admin.example" }],
    [{ origin: "null", host: "admin.example" }],
    [{ "sec-fetch-site": "cross-site", origin: "http://admin.example", host: "admin.example" }],
  ])("from %j is refused: a browser was made to send it (S22)", (headers) => {
    expect(() => {
      refuseCrossSite("DELETE", headers);
    }).toThrow("Another site");
    expect(() => {
      refuseCrossSite("GET", headers);
    }).not.toThrow();
  });
});

describe("on a loopback address", () => {
  const call = (host: string | undefined) => () => {
    refuseForeignHost(host);
  };

  it.each(["127.0.0.1:8090", "localhost:1", "[::1]:80"])("%s is this machine", (host) => {
    expect(call(host)).not.toThrow();
  });

  it.each(["evil.example:8090", "127.0.0.1.evil.example", undefined])(
    "%s is a foreign name (DNS rebinding)",
    (host) => {
      expect(call(host)).toThrow("this machine only");
    },
  );
});
