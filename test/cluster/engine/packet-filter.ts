import { run } from "../command.ts";

/** Chains that a Docker engine makes. */
const CHAIN = /^DOCKER(-[A-Z0-9-]+)?$/;
/** Interfaces that it makes: the default bridge, and one `br-` and twelve hexadecimal digits per network. */
const INTERFACE = /\b(docker0|br-[0-9a-f]{12})\b/;
/** A published port's rule for a container that speaks to itself: source and destination are one address. */
const HAIRPIN = /^-A POSTROUTING -s (\S+) -d \1 .*-j MASQUERADE$/;

/**
 * Input of `iptables-restore --noflush` that takes out of `now` what a Docker engine put in since `before` (both are
 * outputs of `iptables-save`), and nothing else; empty when there is nothing to do.
 */
export function withoutDocker(before: string, now: string): string {
  const old = parse(before);
  const script: string[] = [];
  for (const [table, { chains, policies, rules }] of parse(now)) {
    const kept = old.get(table);
    const added = [...chains].filter((chain) => CHAIN.test(chain) && !kept?.chains.has(chain));
    const isDockers = (rule: string) =>
      INTERFACE.test(rule) || HAIRPIN.test(rule) || added.some((chain) => rule.split(" ").includes(chain));
    const deleted = rules.filter((rule) => isDockers(rule) && !kept?.rules.includes(rule));
    const changed = [...policies].filter(([chain, policy]) => (kept?.policies.get(chain) ?? "ACCEPT") !== policy);
    if (added.length + deleted.length + changed.length === 0) continue;
    script.push(
      `*${table}`,
      ...changed.map(([chain]) => `:${chain} ${kept?.policies.get(chain) ?? "ACCEPT"} [0:0]`),
      ...deleted.map((rule) => rule.replace(/^-A/, "-D")),
      ...added.map((chain) => `-F ${chain}`),
      ...added.map((chain) => `-X ${chain}`),
      "COMMIT",
      "",
    );
  }
  return script.join("\n");
}

interface Table {
  readonly chains: Set<string>;
  /** Built-in chains have a policy. */
  readonly policies: Map<string, string>;
  readonly rules: string[];
}

function parse(saved: string): Map<string, Table> {
  const tables = new Map<string, Table>();
  let table: Table = { chains: new Set(), policies: new Map(), rules: [] };
  for (const line of saved.split("\n")) {
    if (line.startsWith("*")) {
      table = { chains: new Set(), policies: new Map(), rules: [] };
      tables.set(line.slice(1), table);
    }
    if (line.startsWith("-A")) table.rules.push(line.trimEnd());
    const [, chain, policy] = /^:(\S+) (\S+)/.exec(line) ?? [];
    if (chain === undefined || policy === undefined) continue;
    table.chains.add(chain);
    if (policy !== "-") table.policies.set(chain, policy);
  }
  return tables;
}

/** The packet filter as it is, in the form of `iptables-save`. */
export async function savePacketFilter(): Promise<string> {
  return run("iptables-save", []);
}

/** Takes out what a Docker engine put in since `before`. */
export async function restorePacketFilter(before: string): Promise<void> {
  const script = withoutDocker(before, await savePacketFilter());
  if (script) await run("iptables-restore", ["--noflush"], { input: script });
}
