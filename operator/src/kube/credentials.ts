/** Secrets that change while we run: files that are replaced in place, and commands that hand out short-lived tokens. */
import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import type { Clock } from "../runtime/clock.ts";
import type { Credentials } from "./access.ts";
import { KubeError } from "./errors.ts";

/** Reads a secret; `fresh` forgets what was remembered. */
export type Material = (fresh?: boolean) => Promise<string>;

/** How often a file is looked at, and how often it is read although it looks the same. */
const LOOK_MS = 1000;
const READ_MS = 60_000;

/** A file's content without surrounding blanks (a newline at the end of a token makes an invalid header). */
export function fileMaterial(path: string, clock: Clock): Material {
  let known: { text: string; version: string; lookedAt: number; readAt: number } | undefined;
  return async (fresh = false) => {
    const now = clock.now();
    if (known && !fresh && now - known.lookedAt < LOOK_MS) return known.text;
    const { mtimeMs, ino } = await stat(path);
    const version = `${ino} ${mtimeMs}`;
    if (known && !fresh && known.version === version && now - known.readAt < READ_MS) {
      known.lookedAt = now;
    } else {
      known = { text: (await readFile(path, "utf8")).trim(), version, lookedAt: now, readAt: now };
    }
    return known.text;
  };
}

/** A kubeconfig's `user.exec`. */
export interface ExecPlugin {
  readonly apiVersion?: string;
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly installHint?: string;
}

interface ExecCredential {
  readonly status?: {
    readonly token?: string;
    readonly clientCertificateData?: string;
    readonly clientKeyData?: string;
    readonly expirationTimestamp?: string;
  };
}

/** A token is asked for anew this long before it expires. */
const EXPIRY_MARGIN_MS = 10_000;

/** Credentials from a plugin (client.authentication.k8s.io), which is run again when they expire or are refused. */
export function execCredentials(plugin: ExecPlugin, clock: Clock): (fresh?: boolean) => Promise<Credentials> {
  let running: Promise<Credentials> | undefined;
  let expires = Infinity;
  const run = async (): Promise<Credentials> => {
    const { status } = await runPlugin(plugin);
    expires = status?.expirationTimestamp ? Date.parse(status.expirationTimestamp) - EXPIRY_MARGIN_MS : Infinity;
    return {
      authorization: status?.token ? `Bearer ${status.token}` : undefined,
      certificate: status?.clientCertificateData,
      key: status?.clientKeyData,
    };
  };
  return (fresh = false) => {
    if (!running || fresh || clock.wall() > expires) {
      running = run();
      running.catch(() => (running = undefined));
    }
    return running;
  };
}

async function runPlugin(plugin: ExecPlugin): Promise<ExecCredential> {
  const apiVersion = plugin.apiVersion ?? "client.authentication.k8s.io/v1";
  const info = { apiVersion, kind: "ExecCredential", spec: { interactive: false } };
  const given = Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value]));
  const env = { ...process.env, ...given, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  try {
    const { stdout } = await promisify(execFile)(plugin.command, [...(plugin.args ?? [])], { env, timeout: 60_000 });
    return JSON.parse(stdout) as ExecCredential;
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message.trim() : String(cause);
    throw new KubeError(
      `The credential plugin ${plugin.command} failed: ${detail}. ${plugin.installHint ?? ""}`.trim(),
      {
        reason: "NotConfigured",
        retry: "backoff",
        cause,
      },
    );
  }
}
