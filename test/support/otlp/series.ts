/** Values of metrics by series: a name with its labels in the order of the alphabet, whoever wrote them. */
export type Series = ReadonlyMap<string, number>;

/** Makes series of points. */
export function seriesOf(
  points: readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, unknown>>;
    readonly value: number;
  }[],
): Series {
  return new Map(
    points.map(({ name, labels, value }) => {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${String(text)}"`);
      return [`${name}{${pairs.sort().join()}}`, value];
    }),
  );
}

/** What a scrape in the text format of Prometheus says; label values without quotes and commas. */
export function scraped(text: string): Series {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const [, name = "", labels = "", value = ""] = /^([^{ ]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      return [`${name}{${labels.split(",").sort().join()}}`, Number(value)];
    }),
  );
}
