import { docker, type Engine, runningEngine } from "./engine/engine.ts";
import { workerNames } from "./kind.ts";
import { kubectl } from "./kubectl.ts";
import { waitFor } from "./wait-for.ts";

/**
 * What can happen to a node, made to happen to a node of the kind cluster, and undone. Each was seen to do what it says
 * (README.md has the times). Kubernetes calls a node Unknown 40 s after its last sign of life, and evicts its pods five
 * minutes later.
 */
async function engine(): Promise<Engine> {
  const found = await runningEngine();
  if (found === undefined) throw new Error("there is no container engine, so no cluster whose nodes could fail");
  return found;
}

/** Names of the nodes that may fail: the workers. */
export async function faultyNodes(): Promise<string[]> {
  return workerNames(await engine());
}

/** Packets from and to the rest of the world; what happens on the node itself goes on. */
const DIRECTIONS = [
  ["INPUT", "-i"],
  ["OUTPUT", "-o"],
  ["FORWARD", "-i"],
  ["FORWARD", "-o"],
] as const;

/** Cuts a node, and the pods on it, off from every other. They keep running, with time-outs instead of refusals. */
export async function cutOff(node: string): Promise<void> {
  for (const [chain, side] of DIRECTIONS) {
    await docker(await engine(), ["exec", node, "iptables", "-w", "-I", chain, side, "eth0", "-j", "DROP"]);
  }
}

/** Undoes `cutOff`. */
export async function reconnect(node: string): Promise<void> {
  for (const [chain, side] of DIRECTIONS) {
    await docker(await engine(), ["exec", node, "iptables", "-w", "-D", chain, side, "eth0", "-j", "DROP"]);
  }
}

/** Stops the kubelet: the pods run on, reachable, but nobody watches, restarts or deletes them. */
export async function stopKubelet(node: string): Promise<void> {
  await docker(await engine(), ["exec", node, "systemctl", "stop", "kubelet"]);
}

/** Undoes `stopKubelet`. */
export async function startKubelet(node: string): Promise<void> {
  await docker(await engine(), ["exec", node, "systemctl", "start", "kubelet"]);
}

/** Freezes every process of a node, those of its pods too, as when a virtual machine is suspended. */
export async function freezeNode(node: string): Promise<void> {
  await docker(await engine(), ["pause", node]);
}

/** Undoes `freezeNode`: everything goes on where it was, with the clock ahead. */
export async function thawNode(node: string): Promise<void> {
  await docker(await engine(), ["unpause", node]);
}

/** Pulls a node's plug: every process on it is gone at once. */
export async function killNode(node: string): Promise<void> {
  await docker(await engine(), ["kill", node]);
}

/** Starts a killed node again: as after a power failure, with its disk and its name. */
export async function startNode(node: string): Promise<void> {
  await docker(await engine(), ["start", node]);
}

/** Undoes what `kubectl drain` leaves behind: pods may be placed on the node again. Does nothing where they may. */
export async function uncordon(node: string): Promise<void> {
  await kubectl(["uncordon", node]);
}

/** Waits until Kubernetes thinks so of a node: `True` is Ready, `Unknown` is silence. */
export async function waitForNode(node: string, ready: "True" | "Unknown", timeoutMs = 120_000): Promise<void> {
  const condition = `jsonpath={.status.conditions[?(@.type=="Ready")].status}`;
  let last = "";
  await waitFor(
    `node ${node} to be Ready=${ready}`,
    async () => {
      last = await kubectl(["get", "node", node, "-o", condition]);
      return last === ready;
    },
    { timeoutMs, everyMs: 500, explain: () => `it is Ready=${last}` },
  );
}
