import { join } from "node:path";
import { CACHE } from "../cache.ts";

/** Socket, process ids and state of our own engine. Machine-wide: two engines would fight over the same packet filter. */
export const RUN = "/run/jobqueue-operator";
export const SOCKET = join(RUN, "docker.sock");
export const DOCKER_HOST = `unix://${SOCKET}`;

/** Debian's packages, unpacked. Whatever runs from here was started by our engine. */
export const ENGINE_PACKAGES = join(CACHE, "engine");

/** Images and containers of our own engine. */
export const ENGINE_DATA = join(CACHE, "docker");

/** Control group that every container of our engine is below; its own name, so that it can be cleared without doubt. */
export const CGROUP = "jobqueue-operator";

/** The PATH that finds the programs of our engine first. */
export const ENGINE_PATH = [
  join(ENGINE_PACKAGES, "usr/bin"),
  join(ENGINE_PACKAGES, "usr/sbin"),
  process.env["PATH"],
].join(":");
