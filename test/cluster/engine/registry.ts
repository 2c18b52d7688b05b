import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "../cache.ts";
import { CommandError } from "../command.ts";
import { step } from "../progress.ts";
import { docker, type Engine } from "./engine.ts";

/** A pull that has not ended by then will not: on a slow line a node image takes some minutes. */
const PULL_TIMEOUT_MS = 15 * 60_000;

/** How long a failed pull is remembered: asking a registry that cannot be reached takes its time at every step. */
const REMEMBER_MS = 24 * 60 * 60_000;

/** Touched when a pull failed. Delete it, or set `REGISTRY=ask`, after the machine got a way to its registry. */
const failureFile = () => join(cacheDirectory(), "no-registry");

/** Whether the engine has an image, by name or digest. */
export async function hasImage(engine: Engine, image: string): Promise<boolean> {
  try {
    await docker(engine, ["image", "inspect", "--format", "{{.Id}}", image]);
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}

/**
 * Whether the image is there, after pulling it if need be. `REGISTRY=none` asks nobody and `REGISTRY=ask` always asks;
 * without it, a day passes between a failure and the next attempt.
 */
export async function obtainImage(engine: Engine, image: string): Promise<boolean> {
  if (await hasImage(engine, image)) return true;
  if (!mayAsk()) return false;
  const refusal = await step(
    `asking for ${image}`,
    () => pull(engine, image),
    (why) => (why === undefined ? `pulled ${image}` : `${image} cannot be pulled, so it is made here (${why})`),
  );
  if (refusal === undefined) rmSync(failureFile(), { force: true });
  else writeFileSync(failureFile(), `${refusal}\n`);
  return refusal === undefined;
}

/** Pulls an image; the reason when that is not possible. */
async function pull(engine: Engine, image: string): Promise<string | undefined> {
  try {
    await docker(engine, ["pull", "--quiet", image], { timeoutMs: PULL_TIMEOUT_MS });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return error.stderr.trim().split("\n").at(-1) || error.message;
  }
}

function mayAsk(): boolean {
  const wanted = process.env["REGISTRY"];
  if (wanted === "none") return false;
  const failed = statSync(failureFile(), { throwIfNoEntry: false });
  return wanted === "ask" || failed === undefined || Date.now() - failed.mtimeMs > REMEMBER_MS;
}
