import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Problem } from "../problem.ts";
import { type Asset, readAssets } from "./assets.ts";

/**
 * What the page may do: run its own modules, use its own style sheet, ask this server. No inline script or style, no other origin, no
 * frame around it, and no text that becomes markup (Trusted Types without any policy).
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/**
 * Serves the dashboard: the page at `/`, its files below `/dashboard/`. The files carry nothing of the store, so everybody may load
 * them; what they show they ask of the API with the credentials of whoever looks.
 */
export function serveDashboard(app: FastifyInstance): void {
  let assets: Promise<ReadonlyMap<string, Asset>> | undefined;
  const send = async (name: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    assets ??= readAssets();
    const asset = (await assets).get(name);
    if (asset === undefined) throw new Problem("not_found", "The dashboard has no such file.");
    void reply.headers({
      "content-security-policy": POLICY,
      // Asked for anew each time, and not sent again while it is the same: after an upgrade nobody runs half of the old one.
      "cache-control": "no-cache",
      etag: asset.etag,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "permissions-policy": "camera=(), geolocation=(), microphone=()",
    });
    if (request.headers["if-none-match"] === asset.etag) return reply.code(304).send();
    return reply.type(asset.contentType).send(Buffer.from(asset.body));
  };
  app.get("/", async (request, reply) => send("index.html", request, reply));
  app.get("/dashboard/*", async (request, reply) => send((request.params as { "*": string })["*"], request, reply));
}
