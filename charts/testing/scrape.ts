/** What one scrape told, by series as Prometheus keeps it: name and labels, those of the target included. */
export type Scrape = ReadonlyMap<string, number>;

/** Labels that a Prometheus operator gives to what it scrapes. */
interface Target {
  readonly job: string;
  readonly namespace: string;
  readonly pod: string;
}

const SERIES = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** The text of a series: labels in order of their names, so that equal series are equal texts. */
const seriesOf = (name: string, labels: Readonly<Record<string, string>>): string => {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return `${name}{${pairs.toSorted().join(",")}}`;
};

/**
 * Scrapes a real endpoint as the chart's ServiceMonitor has it scraped: what the target says of itself stays where a series has
 * a label of that name (`honorLabels`).
 */
export async function scrape(
  url: string,
  target: Target,
  headers: Readonly<Record<string, string>> = {},
): Promise<Scrape> {
  const response = await fetch(url, { headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${text}`);
  const seen = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [, name, own = "", value] = SERIES.exec(line) ?? [];
    if (name === undefined) throw new Error(`this is no line of metrics: ${line}`);
    const labels = Object.fromEntries([...own.matchAll(LABEL)].map(([, label = "", of = ""]) => [label, of]));
    seen.set(seriesOf(name, { ...target, instance: `${target.pod}:8080`, ...labels }), Number(value));
  }
  return seen;
}

/** The values of the series of a metric that have these labels. */
export function valuesOf(seen: Scrape, name: string, labels: Readonly<Record<string, string>> = {}): number[] {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return [...seen]
    .filter(([series]) => series.startsWith(`${name}{`) && wanted.every((pair) => series.includes(pair)))
    .map(([, value]) => value);
}
