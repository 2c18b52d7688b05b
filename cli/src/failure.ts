import { EXIT_CODES, type ExitName } from "./exit-codes.ts";

/**
 * What a person did or met that ends the command: one sentence that says what is wrong and, in `remedy`, what to do.
 * Anything else that is thrown is a defect of ours and is shown as such.
 */
export class Failure extends Error {
  readonly exit: ExitName;
  /** What to do about it; printed on a line of its own. */
  readonly remedy: string | undefined;

  constructor(exit: ExitName, message: string, options: { remedy?: string | undefined; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "Failure";
    this.exit = exit;
    this.remedy = options.remedy;
  }

  get code(): number {
    return EXIT_CODES[this.exit].code;
  }
}

/** A command line that cannot be understood. */
export function usageFailure(message: string, remedy?: string): Failure {
  return new Failure("usage", message, { remedy });
}
