/**
 * A MicroTime on the wire. The API server insists on exactly six digits after the point; a JavaScript date prints three, and
 * is answered with 400.
 *
 * @param wallMs milliseconds since the epoch
 */
export function microTime(wallMs: number): string {
  return new Date(wallMs).toISOString().replace("Z", "000Z");
}
