import { waitFor } from "../cluster/wait-for.ts";

/** Options of {@link eventually}. */
interface EventuallyOptions {
  /** How long to try, in milliseconds (default one minute). */
  readonly timeoutMs?: number;
  /** Pause between two looks, in milliseconds (default 100). */
  readonly everyMs?: number;
}

/**
 * Looks again and again until `look` returns something other than `undefined`, and returns that. Unlike with `waitFor` a look
 * may throw: for the state of other processes, which have no signal to wait on and may be away for a while. The error of
 * the last look ends the message.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined>,
  { timeoutMs = 60_000, everyMs = 100 }: EventuallyOptions = {},
): Promise<T> {
  let trouble = "";
  const lookWithCare = async (): Promise<{ readonly value: T } | undefined> => {
    try {
      trouble = "";
      const value = await look();
      return value === undefined ? undefined : { value };
    } catch (error) {
      trouble = error instanceof Error ? error.message : String(error);
      return undefined;
    }
  };
  return (await waitFor(what, lookWithCare, { timeoutMs, everyMs, explain: () => trouble })).value;
}
