import { describe, expect, it } from "vitest";
import { resolveRunAs, type UserDatabase } from "./run-as.ts";

const root: UserDatabase = {
  passwd: "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1001:Alice:/home/alice:/bin/sh\n",
  group: "root:x:0:\nstaff:x:50:alice\n",
  uid: 0,
  gid: 0,
  capabilities: undefined,
};
/** CHOWN, DAC_OVERRIDE, KILL, SETGID, SETUID. */
const NEEDED = 0b1110_0011n;

describe("runAs", () => {
  it.each([
    { text: "alice", user: { uid: 1000, gid: 1001, name: "alice", home: "/home/alice" } },
    { text: "1000", user: { uid: 1000, gid: 1001, name: "alice", home: "/home/alice" } },
    { text: "alice:staff", user: { uid: 1000, gid: 50, name: "alice", home: "/home/alice" } },
    { text: "alice:7", user: { uid: 1000, gid: 7, name: "alice", home: "/home/alice" } },
    { text: "4711:4712", user: { uid: 4711, gid: 4712, name: "4711", home: undefined } },
  ])("$text is found", ({ text, user }) => {
    expect(resolveRunAs(text, root)).toEqual(user);
  });

  it.each([
    { text: "bob", problem: "there is no user bob in /etc/passwd" },
    { text: "alice:wheel", problem: "there is no group wheel in /etc/group" },
    { text: "4711", problem: "the user 4711 is not in /etc/passwd, so say the group too, for example 4711:4711" },
    { text: "alice:", problem: "must be user or user:group" },
    { text: "a:b:c", problem: "must be user or user:group" },
    { text: "", problem: "must be user or user:group" },
  ])("$text is refused in words: $problem", ({ text, problem }) => {
    expect(resolveRunAs(text, root)).toBe(problem);
  });

  it("needs root, or the capabilities that a container may have taken from root", () => {
    expect(resolveRunAs("alice", { ...root, uid: 65532, gid: 65532 })).toBe(
      "only root can start programs as alice: this worker runs as user 65532",
    );
    expect(resolveRunAs("alice", { ...root, capabilities: NEEDED })).toMatchObject({ uid: 1000 });
    expect(resolveRunAs("alice", { ...root, capabilities: NEEDED & ~(1n << 5n) })).toBe(
      "only root can start programs as alice: this worker runs as user 0 and lacks the capabilities KILL",
    );
  });

  it("needs nothing to be what the worker is already", () => {
    expect(resolveRunAs("alice", { ...root, uid: 1000, gid: 1001, capabilities: 0n })).toMatchObject({ uid: 1000 });
  });
});
