import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tryRun } from "../command.ts";
import { RUN } from "./paths.ts";
import { restorePacketFilter, savePacketFilter } from "./packet-filter.ts";

/** What an engine, and the kubelets in its containers, change of the machine outside of any namespace. */
const SETTINGS = [
  "/proc/sys/net/ipv4/ip_forward",
  "/proc/sys/net/ipv6/conf/all/forwarding",
  "/proc/sys/net/ipv6/conf/default/forwarding",
  "/proc/sys/net/bridge/bridge-nf-call-iptables",
  "/proc/sys/net/bridge/bridge-nf-call-ip6tables",
  "/proc/sys/kernel/panic",
  "/proc/sys/kernel/panic_on_oops",
  "/proc/sys/kernel/keys/root_maxkeys",
  "/proc/sys/kernel/keys/root_maxbytes",
  "/proc/sys/vm/overcommit_memory",
  "/proc/sys/vm/panic_on_oom",
];

const FILE = join(RUN, "machine-before");

interface MachineState {
  readonly settings: Record<string, string>;
  readonly interfaces: string[];
  readonly packetFilter: string;
}

const interfaces = () => readdirSync("/sys/class/net");

/** Notes what the machine is like before our engine starts. What an earlier, killed engine noted stays true. */
export async function recordMachineState(): Promise<void> {
  if (existsSync(FILE)) return;
  const settings = Object.fromEntries(
    SETTINGS.filter((path) => existsSync(path)).map((path) => [path, readFileSync(path, "utf8").trim()]),
  );
  const state: MachineState = { settings, interfaces: interfaces(), packetFilter: await savePacketFilter() };
  writeFileSync(FILE, JSON.stringify(state, null, 1));
}

/** Undoes what our engine did to interfaces, packet filter and kernel settings. The engine must be gone. */
export async function restoreMachineState(): Promise<void> {
  if (!existsSync(FILE)) return;
  const before = JSON.parse(readFileSync(FILE, "utf8")) as MachineState;
  for (const name of interfaces()) {
    if (before.interfaces.includes(name) || !/^(docker0|br-[0-9a-f]{12}|veth[0-9a-f]{7})$/.test(name)) continue;
    await tryRun("ip", ["link", "delete", name]); // the other end of a pair goes with the first
  }
  await restorePacketFilter(before.packetFilter);
  for (const [path, value] of Object.entries(before.settings)) {
    if (existsSync(path) && readFileSync(path, "utf8").trim() !== value) writeFileSync(path, value);
  }
}
