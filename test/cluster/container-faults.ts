import { docker, runningEngine } from "./engine/engine.ts";

/** A container on a node of the kind cluster, as the pod's status names it. */
export interface ContainerOnNode {
  readonly node: string;
  /** `containerd://…` */
  readonly containerID: string;
}

/**
 * The command that sends a signal to processes of a container, from its node: from inside, the kernel protects the first one.
 * `all`: to each process, else to the first.
 */
export function signalCommand(
  { node, containerID }: ContainerOnNode,
  signal: "SIGKILL" | "SIGSTOP" | "SIGCONT",
  { all = false } = {},
): readonly string[] {
  const task = containerID.replace("containerd://", "");
  return ["exec", node, "ctr", "-n", "k8s.io", "tasks", "kill", "-s", signal, ...(all ? ["--all"] : []), task];
}

/** Sends it. SIGSTOP to all freezes what runs in the container, and its node notices nothing. */
export async function signalContainer(...what: Parameters<typeof signalCommand>): Promise<void> {
  const engine = await runningEngine();
  if (engine === undefined) throw new Error("there is no container engine, so no cluster whose nodes can be entered");
  await docker(engine, signalCommand(...what));
}
