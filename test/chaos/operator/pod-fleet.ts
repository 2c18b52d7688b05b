import { setTimeout as sleep } from "node:timers/promises";
import type { PodProcess, RunPod } from "../../../operator/src/testing/pod-on-node.ts";
import { podEnvironment } from "../../../operator/src/testing/pod-environment.ts";
import { endOf, type Member, startMember } from "../member.ts";

/** How long a probe waits for its answer, milliseconds. */
const PROBE_MS = 1_500;

/** A blocked worker ends itself, but later than the operator has seen that it hangs: who of both is first is no matter. */
const HUNG_AFTER_SECONDS = "40";

/** The workers of a round with pods: which there are is the doing of the controllers and of the kubelet. */
export class PodFleet {
  readonly #directory: string;
  readonly #databaseUrl: string;
  readonly #members = new Set<Member>();
  #started = 0;
  /** Workers that are left to the fault that has them hung. */
  readonly held = new Set<Member>();
  /** How each worker that ended on its own did. */
  readonly exits: string[] = [];

  constructor(directory: string, databaseUrl: string) {
    this.#directory = directory;
    this.#databaseUrl = databaseUrl;
  }

  get members(): readonly Member[] {
    return [...this.#members].filter((member) => member.process.isRunning && !this.held.has(member));
  }

  /** Starts the worker of a pod, with the environment that the pod says. */
  readonly run: RunPod = (pod): PodProcess => {
    const env = podEnvironment(pod, this.#databaseUrl);
    const name = `worker-${++this.#started}`;
    const member = startMember({
      name,
      directory: this.#directory,
      databaseUrl: this.#databaseUrl,
      queues: env["JOBQUEUE_QUEUES"] ?? "",
      env: { ...env, JOBQUEUE_HUNG_AFTER_SECONDS: HUNG_AFTER_SECONDS },
    });
    this.#members.add(member);
    const { process } = member;
    return {
      started: process.logged("worker started"),
      ended: this.#ended(member),
      stop: () => process.signal("SIGTERM"),
      kill: () => process.signal("SIGKILL"),
      isReady: () => Promise.race([answersReady(process), sleep(PROBE_MS, false)]),
    };
  };

  /** Lets all go on that were stopped. */
  wake(): void {
    for (const { process } of this.#members) process.signal("SIGCONT");
  }

  async #ended(member: Member): Promise<void> {
    const exit = await endOf(member, this.#directory);
    this.#members.delete(member);
    if (exit !== undefined) this.exits.push(exit);
  }
}

async function answersReady(process: Member["process"]): Promise<boolean> {
  try {
    return (await process.probe("/readyz")).status === 200;
  } catch {
    return false;
  }
}
