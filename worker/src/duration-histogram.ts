import type { Histogram, MetricObject, MetricValueWithName } from "prom-client";

/** One series: counts per bucket, not cumulated, and after them what is beyond the last bound. */
interface Series {
  readonly queue: string;
  readonly kind: string;
  readonly counts: number[];
  sum: number;
}

/**
 * A histogram by queue and kind for what happens with every job. To observe a value in the library's own costs more than
 * to run a trivial job: it makes a string of the labels each time. Here the series of the job before is looked at first,
 * and the rest is done when somebody scrapes.
 */
export class DurationHistogram implements Pick<Histogram, "get" | "reset"> {
  readonly name: string;
  readonly help: string;
  readonly type = "histogram";
  readonly aggregator = "sum";
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, Series>();
  #last: Series | undefined;

  /** `bounds`: of the buckets, ascending, seconds. */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name;
    this.help = help;
    this.#bounds = bounds;
  }

  observe(queue: string, kind: string, seconds: number): void {
    let series = this.#last;
    if (series === undefined || series.queue !== queue || series.kind !== kind) series = this.#seriesOf(queue, kind);
    let bucket = 0;
    while (bucket < this.#bounds.length && seconds > (this.#bounds[bucket] as number)) bucket++;
    (series.counts[bucket] as number)++;
    series.sum += seconds;
  }

  #seriesOf(queue: string, kind: string): Series {
    const key = `${queue}\n${kind}`;
    const series = this.#series.get(key) ?? {
      queue,
      kind,
      counts: Array.from({ length: this.#bounds.length + 1 }, () => 0),
      sum: 0,
    };
    this.#series.set(key, series);
    this.#last = series;
    return series;
  }

  /** What a scrape shows, as the registry of the library asks for it. */
  get(): Promise<MetricObject & { values: MetricValueWithName<string>[] }> {
    const values = [...this.#series.values()].flatMap((series) => this.#shown(series));
    const { name, help, type, aggregator } = this;
    return Promise.resolve({ name, help, type, aggregator, values } as unknown as Awaited<
      ReturnType<Histogram["get"]>
    >);
  }

  #shown({ queue, kind, counts, sum }: Series): MetricValueWithName<string>[] {
    let count = 0;
    const buckets = counts.map((counted, bucket) => {
      count += counted;
      const le = this.#bounds[bucket] ?? "+Inf";
      return { metricName: `${this.name}_bucket`, labels: { le, queue, kind }, value: count };
    });
    const labels = { queue, kind };
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: count },
    ];
  }

  reset(): void {
    this.#series.clear();
    this.#last = undefined;
  }
}
