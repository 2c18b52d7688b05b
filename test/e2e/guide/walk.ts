import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { CommandError, run } from "../../cluster/command.ts";
import { waitFor } from "../../cluster/wait-for.ts";
import { REPOSITORY } from "../../support/kubernetes/installation.ts";
import type { Playground } from "../../support/kubernetes/playground.ts";
import { mask, saysTheSame } from "./mask.ts";
import type { Command, Scene } from "./page.ts";

/** How long what a page shows may take to come about. Hung workers take half a minute, lost nodes a minute and more. */
const PATIENCE_MS = 240_000;

/** What a command printed when a page was recorded. */
export interface Recorded {
  readonly command: Command;
  readonly output: string;
}

/** A namespace and a directory in which a person walks through a scene of a guide. */
export class Walk {
  readonly ground: Playground;
  readonly #directory = mkdtempSync(join(tmpdir(), "jobqueue-walk-"));
  readonly #env: Readonly<Record<string, string>>;

  private constructor(ground: Playground) {
    this.ground = ground;
    const kubeconfig = join(this.#directory, "kubeconfig");
    copyFileSync(ground.access.kubeconfig, kubeconfig);
    const path = [this.#directory, dirname(ground.access.kubectl), process.env["PATH"] ?? ""].join(delimiter);
    this.#env = { KUBECONFIG: kubeconfig, PATH: path, NO_COLOR: "1" };
    const command = join(this.#directory, "jobqueue");
    writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" "${join(REPOSITORY, "cli/src/main.ts")}" "$@"\n`);
    chmodSync(command, 0o755);
  }

  /** A command that fails is not recorded. */
  #mayFail = true;

  /** Begins in the namespace of a playground, with the files of the page at hand. */
  static async begin(
    ground: Playground,
    files: readonly { readonly name: string; readonly text: string }[],
  ): Promise<Walk> {
    const walk = new Walk(ground);
    for (const { name, text } of files) writeFileSync(join(walk.#directory, name), text);
    await walk.#run(`kubectl config set-context --current --namespace ${ground.kubectl.namespace}`);
    return walk;
  }

  /**
   * Does what a scene says and compares what is printed with what it shows; returns what was printed. With `record` nothing
   * is compared. `faults` are what the page names and nobody types.
   */
  async through(
    scene: Scene,
    faults: Readonly<Record<string, () => Promise<void>>>,
    { record = false } = {},
  ): Promise<Recorded[]> {
    const recorded: Recorded[] = [];
    this.#mayFail = !record;
    for (const step of scene.steps) {
      if (step.do === "command") {
        recorded.push({ command: step, output: await this.#command(step, record) });
        continue;
      }
      const fault = faults[step.name];
      if (fault === undefined) throw new Error(`nobody knows how to bring about "${step.name}"`);
      await fault();
    }
    return recorded;
  }

  /** Removes the directory. */
  end(): void {
    rmSync(this.#directory, { recursive: true });
  }

  async #command(command: Command, record: boolean): Promise<string> {
    const { line, shown, until } = command;
    const isAsShown = (output: string): boolean =>
      (until === undefined || until.test(output)) && (record || saysTheSame(shown, output));
    let last = await this.#run(line);
    if (isAsShown(last)) return last;
    if (until === undefined) throw new Error(difference(command, last));
    await waitFor(
      "",
      async () => {
        last = await this.#run(line);
        return isAsShown(last);
      },
      { timeoutMs: PATIENCE_MS, everyMs: 500, explain: () => difference(command, last) },
    );
    return last;
  }

  /** What a terminal would show, with names as on the page. What a failing command says on standard error is shown too. */
  async #run(line: string): Promise<string> {
    return asOnPage(await this.#output(line), this.ground.kubectl.namespace);
  }

  async #output(line: string): Promise<string> {
    try {
      return await run("bash", ["-c", `{ ${line}\n} 2>&1`], { cwd: this.#directory, env: this.#env });
    } catch (error) {
      if (error instanceof CommandError && this.#mayFail) return error.stderr;
      throw error;
    }
  }
}

/** The namespace is `shop` and nodes are `node-1` and so on, wherever that was tried. Columns stay where they are. */
function asOnPage(output: string, namespace: string): string {
  const named = (text: string, name: RegExp, replacement: (number: string) => string): string =>
    text.replace(name, (all: string, number: string, rest: string, gap: string | undefined) => {
      const short = `${replacement(number)}${rest}`;
      return gap === undefined ? short : short.padEnd(all.length);
    });
  const shop = named(output, new RegExp(`\\b(${namespace})(\\S*)( {2,})?`, "g"), () => "shop");
  return named(shop, /\bjobqueue-[0-9a-f]{6}-worker(\d*)(\S*)( {2,})?/g, (number) => `node-${number || "1"}`);
}

function difference({ line, shown, until }: Command, output: string): string {
  const condition = until === undefined ? "" : `\nit should match ${String(until)}`;
  return `$ ${line}${condition}\nthe page shows, masked:\n${mask(shown).join("\n")}\nit printed, masked:\n${mask(output).join("\n")}\nas it was:\n${output}`;
}
