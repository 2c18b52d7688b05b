import { Agent, request } from "node:https";
import { type Access, readKubeconfig } from "./kubeconfig.ts";

/** The API server's refusal: `reason` and `message` are those of its Status object. */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.reason = reason;
  }
}

/** Any object of Kubernetes, as JSON. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: { name: string; namespace?: string; uid?: string; resourceVersion?: string; [field: string]: unknown };
  [field: string]: unknown;
}

/**
 * A client that tests arrange and observe with, independent of the one under test: no cache, no retry, and one request per
 * connection unless `keepAlive`, which is for servers that nobody stops: most of what a look costs both is to shake hands.
 * Paths are those of the API (`/api/v1/namespaces/x/pods`).
 */
export class ApiClient {
  readonly #access: Access;
  readonly #agent: Agent | false;

  constructor(kubeconfig: string, { keepAlive = false }: { readonly keepAlive?: boolean } = {}) {
    this.#access = readKubeconfig(kubeconfig);
    // Idle connections end here before the server ends them (90 s), so none is used that it is about to close.
    this.#agent = keepAlive && new Agent({ keepAlive, timeout: 30_000 });
  }

  /** One request; the answer's JSON. Throws ApiError for a refusal and the socket's error when there is no answer. */
  async send<T = KubeObject>(
    method: string,
    path: string,
    body?: unknown,
    contentType = "application/json",
    accept = "application/json",
  ): Promise<T> {
    const { server, ca, token, clientCertificate, clientKey } = this.#access;
    const sent = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const call = request(
        new URL(path, server),
        {
          method,
          ca,
          agent: this.#agent,
          ...(clientCertificate && clientKey ? { cert: clientCertificate, key: clientKey } : {}),
          headers: {
            accept,
            ...(token ? { authorization: `Bearer ${token}` } : {}),
            // Without a length the body of a DELETE would count as the next request of its connection.
            ...(sent === undefined ? {} : { "content-type": contentType, "content-length": Buffer.byteLength(sent) }),
          },
          timeout: 30_000,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.once("error", reject);
          response.once("end", () => {
            const text = Buffer.concat(chunks).toString();
            const status = response.statusCode ?? 0;
            const answer = /json/.test(response.headers["content-type"] ?? "") ? (JSON.parse(text) as unknown) : text;
            if (status < 300) resolve(answer as T);
            else {
              const { reason, message } = (typeof answer === "object" ? answer : {}) as {
                reason?: string;
                message?: string;
              };
              reject(new ApiError(status, reason ?? "", message ?? `${method} ${path}: ${status} ${text}`));
            }
          });
        },
      );
      call.once("timeout", () => call.destroy(new Error(`${method} ${path}: no answer within 30 s`)));
      call.once("error", reject);
      call.end(sent);
    });
  }

  async get<T = KubeObject>(path: string): Promise<T> {
    return this.send<T>("GET", path);
  }

  /** Like `get`, but what is not there is undefined. */
  async find<T = KubeObject>(path: string): Promise<T | undefined> {
    try {
      return await this.get<T>(path);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Creates an object in a collection, such as `/api/v1/namespaces`. */
  async create<T = KubeObject>(collection: string, object: unknown): Promise<T> {
    return this.send<T>("POST", collection, object);
  }

  /** A merge patch (RFC 7396) of an object or of its `/status`. */
  async patch<T = KubeObject>(path: string, change: unknown): Promise<T> {
    return this.send<T>("PATCH", path, change, "application/merge-patch+json");
  }

  /** Server-side apply as field manager `test`, taking over fields that others own. */
  async apply<T = KubeObject>(path: string, object: unknown): Promise<T> {
    return this.send<T>("PATCH", `${path}?fieldManager=test&force=true`, object, "application/apply-patch+yaml");
  }

  async delete(path: string): Promise<void> {
    await this.send("DELETE", path);
  }
}
