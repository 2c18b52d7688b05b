import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bundle } from "../../images/bundle.ts";
import { freePort } from "../../test/support/free-port.ts";
import { cpuSeconds } from "../cpu.ts";
import { Program } from "../program.ts";
import { OPERATOR } from "./cluster.ts";

const IMAGE = join(import.meta.dirname, "../../dist/bench-image");

/** As the chart does: three quarters of the memory limit are for the heap. */
const HEAP_SHARE = 0.75;
/** As the chart does: new objects have little room, so that what is garbage already does not count as memory. */
const SEMI_SPACE_MIB = 4;

/** What it may take to finish and, when it is profiled, to write the profile. */
const END_MS = 60_000;

/** How an operator is started. */
export interface OperatorPlan {
  readonly kubeconfig: string;
  /** The memory limit that its pod would have, MiB. */
  readonly memoryLimitMib: number;
  /** Directory for CPU profiles; none when absent. */
  readonly profiles?: string | undefined;
}

/** An operator as the image runs it: the same bundle on the same Node, as a process of its own. */
export class OperatorProcess {
  readonly #program: Program;
  readonly #httpPort: number;

  private constructor(program: Program, httpPort: number) {
    this.#program = program;
    this.#httpPort = httpPort;
  }

  /** Makes what goes into the image, once per run. */
  static async build(): Promise<void> {
    await bundle(IMAGE);
  }

  /** Starts one; it is on its way when this resolves. */
  static async start({ kubeconfig, memoryLimitMib, profiles }: OperatorPlan): Promise<OperatorProcess> {
    const httpPort = await freePort();
    const program = new Program({
      command: process.execPath,
      args: [
        ...(profiles === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiles}`]),
        join(IMAGE, "app/jobqueue.mjs"),
        "operator",
      ],
      env: {
        KUBECONFIG: kubeconfig,
        JOBQUEUE_OPERATOR_NAMESPACE: OPERATOR.namespace,
        POD_NAME: "operator-0",
        HTTP_PORT: String(httpPort),
        NODE_ENV: "production",
        MALLOC_ARENA_MAX: "2", // as the chart does
        NODE_OPTIONS: `--max-old-space-size=${Math.floor(memoryLimitMib * HEAP_SHARE)} --max-semi-space-size=${SEMI_SPACE_MIB}`,
      },
      readyLine: "the controllers begin",
    });
    return new OperatorProcess(program, httpPort);
  }

  /** Resolves when it leads and its caches are full; rejects when it ends before that. */
  get leads(): Promise<void> {
    return this.#program.ready;
  }

  /** Resident memory now, MiB. */
  rssMib(): number {
    return this.#memory("VmRSS");
  }

  /** The most resident memory so far, MiB. */
  peakMib(): number {
    return this.#memory("VmHWM");
  }

  /** CPU seconds so far. */
  cpuSeconds(): number {
    return cpuSeconds([this.#program.pid]) ?? Number.NaN;
  }

  /** Reads /metrics as Prometheus does; the size of the answer in bytes. */
  async scrape(): Promise<number> {
    return (await (await fetch(`http://127.0.0.1:${this.#httpPort}/metrics`)).arrayBuffer()).byteLength;
  }

  /** Ends it as Kubernetes does. */
  async end(): Promise<void> {
    await this.#program.end(END_MS);
  }

  #memory(field: "VmRSS" | "VmHWM"): number {
    const status = readFileSync(`/proc/${this.#program.pid}/status`, "utf8");
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / 1024;
  }
}
