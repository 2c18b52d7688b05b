import { freePort } from "../test/support/free-port.ts";
import type { Contender, Settings } from "./contenders.ts";
import { cpuSeconds } from "./cpu.ts";
import { Program, type ProgramSource } from "./program.ts";
import type { BenchServer } from "./server.ts";

/** What a contender is cast with. */
export interface CastPlan {
  readonly contender: Contender;
  readonly settings: Settings;
  /** Whether it listens for hints; as it is by default when absent. */
  readonly listen?: boolean;
}

/** A contender at work: a new database with its schema, the program that controls it, and its workers. */
export class Cast {
  readonly #server: BenchServer;
  readonly #plan: CastPlan;
  readonly #database: { readonly name: string; readonly url: string };
  readonly #programs: Program[] = [];
  readonly control: Program;
  readonly workers: Program[] = [];

  private constructor(server: BenchServer, plan: CastPlan, database: { name: string; url: string }) {
    this.#server = server;
    this.#plan = plan;
    this.#database = database;
    this.control = this.#start(plan.contender.control);
  }

  static async open(server: BenchServer, plan: CastPlan): Promise<Cast> {
    const cast = new Cast(server, plan, await server.createDatabase());
    try {
      await cast.control.ask("install", { listen: plan.listen });
    } catch (error) {
      await cast.end();
      throw error;
    }
    return cast;
  }

  get databaseName(): string {
    return this.#database.name;
  }

  /** The same state for everybody before anything is measured: statistics made, nothing left to write. */
  async settle(): Promise<void> {
    await this.#server.settle(this.#database.url);
  }

  /** Starts workers and waits until they are connected. They do nothing before `go`. */
  async addWorkers(count: number): Promise<void> {
    const { contender, settings, listen } = this.#plan;
    if (contender.startsByItself) await this.control.ask("hold");
    const added = Array.from({ length: count }, () => this.#start(contender.worker));
    await Promise.all(added.map((worker) => worker.ready));
    if (!contender.startsByItself) {
      await Promise.all(added.map((worker) => worker.ask("start", { settings: settings.name, listen })));
    }
    this.workers.push(...added);
  }

  /** Lets the workers begin. */
  async go(): Promise<void> {
    const { contender, settings } = this.#plan;
    if (contender.startsByItself) await this.control.ask("go");
    else await Promise.all(this.workers.map((worker) => worker.ask("go", { settings: settings.name })));
  }

  /** Starts a worker that is not one of those measured. */
  async addExtra(env: Readonly<Record<string, string>>): Promise<void> {
    await this.#start({ ...this.#plan.contender.worker, env: { ...this.#plan.contender.worker.env, ...env } }).ready;
  }

  /** Starts our admin server as a person does on his own machine; returns its address once it answers. */
  async addAdmin(): Promise<string> {
    const address = `127.0.0.1:${await freePort()}`;
    const { command } = this.#plan.contender.worker;
    const args = ["admin", "--listen", address, "--anonymous", "operator"];
    await this.#start({ command, args, readyLine: address }).ready;
    return `http://${address}`;
  }

  /** Ends the workers; others may be added. */
  async endWorkers(): Promise<void> {
    await Promise.all(this.workers.splice(0).map((worker) => worker.end()));
  }

  /** CPU seconds of the workers so far. */
  cpuSeconds(): number | undefined {
    return cpuSeconds(this.workers.map((worker) => worker.pid));
  }

  /** Ends all programs and removes the database. */
  async end(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.end()));
    await this.#server.dropDatabase(this.#database.name);
  }

  #start(source: ProgramSource): Program {
    const env = { ...this.#plan.settings.env, ...source.env };
    const program = new Program({ ...source, env }, this.#database.url);
    this.#programs.push(program);
    return program;
  }
}
