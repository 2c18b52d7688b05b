import { readFileSync } from "node:fs";

/** The user a program runs as. */
export interface ProgramUser {
  readonly uid: number;
  readonly gid: number;
  /** Its name, or its number when it has none: what the run record shows as `run_as`. */
  readonly name: string;
  /** Its home, when the user database knows one. */
  readonly home: string | undefined;
}

/** What is known of users and of this process's rights; an argument so that rules can be tested without being root. */
export interface UserDatabase {
  /** Text of `/etc/passwd`. */
  readonly passwd: string;
  /** Text of `/etc/group`. */
  readonly group: string;
  /** Effective user and group of the worker. */
  readonly uid: number;
  readonly gid: number;
  /** Effective capabilities of the worker as a bit set; `undefined` where the system has none: then root may do all. */
  readonly capabilities: bigint | undefined;
}

/** What the worker needs to give a program to another user, stop it and read its result, by number of the capability. */
const NEEDED_CAPABILITIES = { CHOWN: 0, DAC_OVERRIDE: 1, KILL: 5, SETGID: 6, SETUID: 7 } as const;

const NUMBER = /^\d{1,9}$/;

/**
 * Reads `runAs` of a manifest: `user` or `user:group`, each a name or a number, as in `USER` of a container image. Without
 * a group the user's own. Returns words that say what is wrong when the program could not be run so.
 */
export function resolveRunAs(text: string, database: UserDatabase): ProgramUser | string {
  const [userText = "", groupText, ...more] = text.split(":");
  if (userText === "" || groupText === "" || more.length > 0) return "must be user or user:group";
  const entry = entryOf(database.passwd, userText, 2);
  if (entry === undefined && !NUMBER.test(userText)) return `there is no user ${userText} in /etc/passwd`;
  let gidText = entry?.[3];
  if (groupText !== undefined) {
    gidText = NUMBER.test(groupText) ? groupText : entryOf(database.group, groupText, 2)?.[2];
    if (gidText === undefined) return `there is no group ${groupText} in /etc/group`;
  }
  if (gidText === undefined) {
    return `the user ${userText} is not in /etc/passwd, so say the group too, for example ${userText}:${userText}`;
  }
  const user: ProgramUser = {
    uid: Number(entry?.[2] ?? userText),
    gid: Number(gidText),
    name: entry?.[0] ?? userText,
    home: entry?.[5],
  };
  return rightsProblem(user, database) ?? user;
}

function rightsProblem(user: ProgramUser, { uid, gid, capabilities }: UserDatabase): string | undefined {
  if (user.uid === uid && user.gid === gid) return undefined;
  if (capabilities === undefined) {
    return uid === 0 ? undefined : `only root can start programs as ${user.name}: this worker runs as user ${uid}`;
  }
  const missing = Object.entries(NEEDED_CAPABILITIES)
    .filter(([, bit]) => (capabilities & (1n << BigInt(bit))) === 0n)
    .map(([name]) => name);
  if (missing.length === 0) return undefined;
  return `only root can start programs as ${user.name}: this worker runs as user ${uid} and lacks the capabilities ${missing.join(", ")}`;
}

/** The line of a user or group: by name, else by number. */
function entryOf(text: string, wanted: string, numberAt: number): string[] | undefined {
  const lines = text.split("\n").map((line) => line.split(":"));
  return (
    lines.find(([name]) => name === wanted) ??
    (NUMBER.test(wanted)
      ? lines.find((fields) => Number(fields[numberAt]) === Number(wanted) && fields.length > 2)
      : undefined)
  );
}

/** The user database of this machine and the rights of this process. */
export function systemUsers(): UserDatabase {
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(textOf("/proc/self/status"))?.[1];
  return {
    passwd: textOf("/etc/passwd"),
    group: textOf("/etc/group"),
    uid: process.geteuid?.() ?? -1,
    gid: process.getegid?.() ?? -1,
    capabilities: capabilities === undefined ? undefined : BigInt(`0x${capabilities}`),
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
