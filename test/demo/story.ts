/** How the demo talks: numbered steps with their times, commands shown before they run, facts checked and said. */

const colour = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;
const paint = (code: string, text: string): string => (colour ? `\u001B[${code}m${text}\u001B[0m` : text);

/** Tells what a run does, as it does it, and remembers what did not hold. */
export class Story {
  readonly #started = performance.now();
  readonly #total: number;
  #step = 0;
  #broken = 0;

  constructor(steps: number) {
    this.#total = steps;
  }

  /** A step of the demo: a headline, the work, and how long it took. */
  async step<T>(title: string, work: () => Promise<T>): Promise<T> {
    this.#step += 1;
    console.log(`\n${paint("1", `[${this.#step}/${this.#total}] ${title}`)}`);
    const started = performance.now();
    const result = await work();
    console.log(paint("2", `    took ${((performance.now() - started) / 1000).toFixed(1)} s`));
    return result;
  }

  /** A sentence about what is going on. */
  say(text: string): void {
    console.log(`    ${text.replaceAll("\n", "\n    ")}`);
  }

  /** A command that a person could type, before its output. */
  command(line: string): void {
    console.log(`    ${paint("36", `$ ${line}`)}`);
  }

  /** Says whether something the product promises held; a demo in which one did not hold exits non-zero. */
  check(promise: string, held: boolean, seen: string): void {
    if (!held) this.#broken += 1;
    console.log(`    ${held ? paint("32", "✓") : paint("31", "✗ DID NOT HOLD:")} ${promise} (${seen})`);
  }

  /** Prints the end and sets the exit code. */
  end(): void {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(0);
    if (this.#broken > 0) {
      console.log(`\n${paint("31", `${this.#broken} of the promises above did not hold`)} (${seconds} s)`);
      process.exitCode = 1;
    } else {
      console.log(`\n${paint("32", "Everything above held")} (${seconds} s)`);
    }
  }
}
