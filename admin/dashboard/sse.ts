/** One event of a stream. */
export interface StreamEvent {
  readonly name: string;
  readonly data: unknown;
}

/**
 * Cuts a stream of text into server-sent events. The browser's own EventSource cannot send a header, and a key in the URL would
 * end up in logs; so the stream is fetched, and read here.
 */
export class EventReader {
  #rest = "";

  /** Takes the next piece; returns the events that it completes. Comments (heartbeats) are none. */
  push(piece: string): StreamEvent[] {
    this.#rest += piece;
    const frames = this.#rest.split("\n\n");
    this.#rest = frames.pop() ?? "";
    return frames.flatMap((frame) => {
      const lines = frame.split("\n");
      const field = (name: string): string | undefined =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const [name, data] = [field("event"), field("data")];
      return name === undefined || data === undefined ? [] : [{ name, data: JSON.parse(data) as unknown }];
    });
  }
}
