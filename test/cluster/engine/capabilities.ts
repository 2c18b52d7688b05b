import { readFileSync } from "node:fs";

/** Linux capabilities by number, from include/uapi/linux/capability.h. */
const NAMES = (
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE " +
  "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN " +
  "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE " +
  "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split(" ");

/** Capabilities that this machine's bounding set lacks, as `CAP_…`, from the text of /proc/self/status. */
export function missingCapabilities(status: string = readFileSync("/proc/self/status", "utf8")): string[] {
  const bounding = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  return NAMES.filter((_, number) => ((bounding >> BigInt(number)) & 1n) === 0n).map((name) => `CAP_${name}`);
}

/**
 * A runc that leaves capabilities out of what a container asks for. A privileged container asks for every one, and
 * fails to start where the machine cannot give it (seen in microVMs that withhold CAP_SYS_RESOURCE).
 */
export function runcWithout(capabilities: readonly string[], runc: string): string {
  const drop = capabilities.map((name) => `-e 's/,"${name}"//g' -e 's/"${name}",//g'`).join(" ");
  return `#!/bin/sh
# runc, less the capabilities that this machine's bounding set lacks: ${capabilities.join(" ")}
file= previous=
for argument; do
  case $previous in
    --bundle | -b) file=$argument/config.json ;;
    --process | -p) file=$argument ;;
  esac
  previous=$argument
done
[ -z "$file" ] || sed -i ${drop} "$file"
exec ${runc} "$@"
`;
}
