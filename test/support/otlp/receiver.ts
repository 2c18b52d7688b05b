import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { eventually } from "../eventually.ts";
import { type Series, seriesOf } from "./series.ts";

/** The file of the guide that loads a real SDK. */
const SDK = fileURLToPath(new URL("../../../docs/guides/examples/telemetry/telemetry.mjs", import.meta.url));

/** A span as it arrived. */
export interface ReceivedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Absent of a root. */
  readonly parentSpanId?: string;
  readonly name: string;
  /** As OTLP counts: 1 internal, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly attributes: Readonly<Record<string, unknown>>;
  }[];
  /** Code 2 is an error. */
  readonly status: { readonly code?: number; readonly message?: string };
}

type Value = Readonly<Record<string, unknown>>;
interface Attributed {
  readonly attributes?: readonly { readonly key: string; readonly value: Value }[];
}
interface Point extends Attributed {
  readonly asDouble?: number;
  readonly asInt?: number | string;
}
interface Metric {
  readonly name: string;
  readonly sum?: { readonly dataPoints: readonly Point[]; readonly isMonotonic: boolean };
  readonly gauge?: { readonly dataPoints: readonly Point[] };
}
type SentLink = Omit<ReceivedSpan["links"][number], "attributes"> & Attributed;
type SentSpan = Omit<ReceivedSpan, "service" | "attributes" | "links"> &
  Attributed & { readonly links?: readonly SentLink[] };
interface Payload {
  readonly resourceSpans?: readonly {
    readonly resource: Attributed;
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[];
  }[];
  readonly resourceMetrics?: readonly {
    readonly resource: Attributed;
    readonly scopeMetrics: readonly { readonly metrics: readonly Metric[] }[];
  }[];
}

/** Takes what real exporters post, as OTLP over HTTP in JSON, and keeps it. */
export class OtlpReceiver {
  readonly #server: Server;
  readonly spans: ReceivedSpan[] = [];
  readonly #metrics = new Map<string, Series>();
  /** Posts that arrived, of whatever. */
  posts = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#take(request).then((status) =>
        response.writeHead(status, { "content-type": "application/json" }).end("{}"),
      );
    });
  }

  /** Listens on a free port of this machine. */
  static async start(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    await new Promise<void>((resolve) => {
      receiver.#server.listen(0, "127.0.0.1", resolve);
    });
    return receiver;
  }

  /** The variables that make an SDK send here under the name of a service, soon; and those that load one. */
  environment(service: string, { sdk = true, everyMs = 200 } = {}): Record<string, string> {
    const { port } = this.#server.address() as AddressInfo;
    return {
      ...(sdk && { NODE_OPTIONS: `--import=${SDK}` }),
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_SERVICE_NAME: service,
      OTEL_BSP_SCHEDULE_DELAY: String(everyMs),
      OTEL_METRIC_EXPORT_INTERVAL: String(Math.max(everyMs, 500)),
    };
  }

  /** Waits for a span. */
  async span(name: string, matches: (span: ReceivedSpan) => boolean = () => true): Promise<ReceivedSpan> {
    return eventually(`a span "${name}"`, async () => {
      const found = this.spans.find((span) => span.name === name && matches(span));
      if (found === undefined)
        throw new Error(`there are:\n${this.spans.map((span) => JSON.stringify(span)).join("\n")}`);
      return found;
    });
  }

  /** The metrics of a service as they arrived last; empty before that. */
  metricsOf(service: string): Series {
    return this.#metrics.get(service) ?? new Map();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  async #take(request: IncomingMessage): Promise<number> {
    this.posts++;
    const payload = (await json(request)) as Payload;
    if (request.url !== "/v1/traces" && request.url !== "/v1/metrics") return 404;
    for (const { resource, scopeSpans } of payload.resourceSpans ?? []) {
      const service = String(attributesOf(resource)["service.name"]);
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        const links = (span.links ?? []).map(({ traceId, spanId, ...link }) => ({
          traceId,
          spanId,
          attributes: attributesOf(link),
        }));
        this.spans.push({ ...span, service, links, attributes: attributesOf(span) });
      }
    }
    for (const { resource, scopeMetrics } of payload.resourceMetrics ?? []) {
      const points = scopeMetrics
        .flatMap(({ metrics }) => metrics)
        .flatMap(({ name, sum, gauge }) =>
          (sum ?? gauge)?.dataPoints.map((point) => ({
            name,
            labels: attributesOf(point),
            value: Number(point.asDouble ?? point.asInt),
          })),
        );
      const series = seriesOf(points.filter((point) => point !== undefined));
      this.#metrics.set(String(attributesOf(resource)["service.name"]), series);
    }
    return 200;
  }
}

function attributesOf({ attributes = [] }: Attributed): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
