/** Draws an answer when it is there, or what went wrong; neither when nobody waits for it any more. */
export async function showAnswer<T>(
  asking: Promise<T>,
  signal: AbortSignal,
  draw: (answer: T) => void,
  fail: (error: unknown) => void,
): Promise<void> {
  let answer: T;
  try {
    answer = await asking;
  } catch (error) {
    if (!signal.aborted) fail(error);
    return;
  }
  if (!signal.aborted) draw(answer);
}
