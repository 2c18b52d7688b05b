import { readFileSync } from "node:fs";
import { type ConnectionSettings, connectionFrom } from "@jobqueue/store";
import { type Setting, type SettingName, SETTINGS, type SettingValue } from "./settings.ts";

/** The configuration of a worker. */
export interface WorkerConfig {
  readonly connection: ConnectionSettings;
  readonly schema: string;
  readonly queues: readonly string[];
  readonly handlerFiles: readonly string[];
  readonly slots: number;
  readonly prefetch: number;
  readonly leaseSeconds: number;
  readonly drainTimeoutSeconds: number;
  readonly abortGraceSeconds: number;
  readonly loopStallBudgetSeconds: number;
  readonly hungAfterSeconds: number;
  readonly sweepSeconds: number;
  readonly httpPort: number;
  readonly logLevel: SettingValue<"logLevel">;
  readonly pool: string | undefined;
  readonly image: string | undefined;
  readonly cluster: string | undefined;
  readonly container: string | undefined;
  readonly pod: string | undefined;
  readonly podUid: string | undefined;
  readonly podNamespace: string | undefined;
  readonly node: string | undefined;
}

/** A configuration that cannot be used. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** One sentence each, naming the variable. No value that could be a secret is repeated. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

type Values = { readonly [Name in SettingName]: SettingValue<Name> | undefined };

const ROWS = Object.entries(SETTINGS) as [SettingName, Setting][];

/**
 * Reads the configuration from variables and flags (`--slots 5` or `--slots=5`; a flag wins over its variable, an empty
 * variable counts as absent).
 *
 * @throws ConfigError with every problem at once.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>, argv: readonly string[]): WorkerConfig {
  const problems: string[] = [];
  const flags = readFlags(argv, problems);
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const [name, setting] of ROWS) {
    const flag = setting.flag === undefined ? undefined : flags.get(setting.flag);
    const given = flag ?? (env[setting.env] === "" ? undefined : env[setting.env]);
    const raw = given ?? setting.default;
    if (raw === undefined) continue;
    try {
      values[name] = setting.read(raw);
    } catch (error) {
      problems.push(`${flag === undefined ? setting.env : setting.flag} ${(error as Error).message}`);
    }
  }
  const settings = values as Values;
  const addressed = settings.storeDirectory !== undefined || settings.storeHost !== undefined;
  for (const name of ["storeUrl", "queues", "handlerFiles"] as const) {
    if (name === "storeUrl" && addressed) continue;
    const { env: variable, flag, help } = SETTINGS[name];
    if (
      settings[name] === undefined &&
      !problems.some((problem) => problem.startsWith(variable) || problem.startsWith(flag))
    ) {
      problems.push(`${variable} (or ${flag}) is missing: ${help}`);
    }
  }
  const connection = readConnection(settings, problems);
  const { leaseSeconds: lease = 0, loopStallBudgetSeconds: budget = 0, hungAfterSeconds = budget + lease } = settings;
  if (settings.hungAfterSeconds !== undefined && hungAfterSeconds <= budget) {
    problems.push(
      `${SETTINGS.hungAfterSeconds.env} must be more than ${SETTINGS.loopStallBudgetSeconds.env}, which is ${budget}`,
    );
  }
  if (problems.length > 0 || connection === undefined) throw new ConfigError(problems);
  const {
    storeUrl: _url,
    storeDirectory: _directory,
    storeHost: _host,
    storePort: _port,
    storeDatabase: _database,
    storeUser: _user,
    tlsMode: _mode,
    tlsCaFile: _file,
    ...rest
  } = settings;
  return { ...(rest as Omit<WorkerConfig, "connection">), connection, hungAfterSeconds };
}

function readFlags(argv: readonly string[], problems: string[]): Map<string, string> {
  const known = new Set(ROWS.flatMap(([, { flag }]) => flag ?? []));
  const flags = new Map<string, string>();
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? "";
    const equals = word.indexOf("=");
    const flag = equals < 0 ? word : word.slice(0, equals);
    if (!known.has(flag)) {
      problems.push(`${flag} is not known; known are ${[...known].join(", ")}`);
      continue;
    }
    const value = equals < 0 ? argv[++index] : word.slice(equals + 1);
    if (value === undefined || value === "") problems.push(`${flag} needs a value`);
    else flags.set(flag, value);
  }
  return flags;
}

function readConnection(settings: Values, problems: string[]): ConnectionSettings | undefined {
  const { storeUrl, storeDirectory, tlsMode, tlsCaFile } = settings;
  if (storeUrl === undefined && storeDirectory === undefined && settings.storeHost === undefined) return undefined;
  try {
    return connectionFrom({
      url: storeUrl,
      host: settings.storeHost,
      port: settings.storePort,
      database: settings.storeDatabase,
      user: settings.storeUser,
      directory: storeDirectory,
      tlsMode,
      ca: tlsCaFile === undefined ? undefined : readFileSync(tlsCaFile, "utf8"),
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    problems.push(
      code === "ENOENT" || code === "EACCES" || code === "EISDIR"
        ? `${SETTINGS.tlsCaFile.env} cannot be read: ${message}`
        : `${(storeUrl === undefined ? SETTINGS.storeDirectory : SETTINGS.storeUrl).env}: ${message}`,
    );
    return undefined;
  }
}

/** The table of settings as the command's help. */
export function settingsHelp(): string {
  return ROWS.map(([, { env, flag, help, default: fallback }]) => {
    const names = flag === undefined ? env : `${flag}, ${env}`;
    return `  ${names}\n      ${help}${fallback === undefined ? "" : ` (default ${fallback})`}`;
  }).join("\n");
}
