/** A unit of Grafana: a number, seconds, or a rate per second. */
export type Unit = "short" | "s" | "ops";

/** A panel without its place. */
export interface Panel {
  /** Of 24 columns. */
  readonly width: number;
  /** Rows of the grid. */
  readonly height: number;
  readonly json: Readonly<Record<string, unknown>>;
}

/** One query and what its series are called. */
interface Series {
  readonly expr: string;
  /** Labels in braces: `{{queue}}`. */
  readonly legend: string;
}

/**
 * As often as the chart has things scraped. Grafana makes `$__rate_interval` four times as long, so that a rate survives a scrape that
 * fails; without it, it takes the 15 s of its data source for granted, and two scrapes of ours are all that fits in.
 */
const MIN_STEP = "30s";

const DATASOURCE = { type: "prometheus", uid: "${datasource}" };
const targets = (series: readonly Series[]) =>
  series.map(({ expr, legend }, index) => ({
    refId: String.fromCodePoint(65 + index),
    datasource: DATASOURCE,
    expr,
    legendFormat: legend,
    interval: MIN_STEP,
  }));

/** A graph over time, a third of the page wide. */
export function graph(of: {
  readonly title: string;
  /** What it shows, for the one who reads it at night. */
  readonly about: string;
  readonly unit: Unit;
  readonly series: readonly Series[];
}): Panel {
  return {
    width: 8,
    height: 8,
    json: {
      type: "timeseries",
      title: of.title,
      description: of.about,
      datasource: DATASOURCE,
      fieldConfig: {
        defaults: { unit: of.unit, min: 0, custom: { fillOpacity: 10, showPoints: "never" } },
        overrides: [],
      },
      options: { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi", sort: "desc" } },
      targets: targets(of.series),
    },
  };
}

/** One number, of now, that changes colour from `warn` and `alarm` on. */
export function gauge(
  title: string,
  expr: string,
  unit: Unit,
  { warn, alarm }: { readonly warn?: number; readonly alarm?: number },
): Panel {
  const steps = [
    { color: "green", value: null },
    ...(warn === undefined ? [] : [{ color: "orange", value: warn }]),
    ...(alarm === undefined ? [] : [{ color: "red", value: alarm }]),
  ];
  return {
    width: 4,
    height: 4,
    json: {
      type: "stat",
      title,
      datasource: DATASOURCE,
      fieldConfig: { defaults: { unit, thresholds: { mode: "absolute", steps } }, overrides: [] },
      options: { colorMode: "value", graphMode: "none", reduceOptions: { calcs: ["lastNotNull"] } },
      // Of a range, the last number would stand there for hours after the operator has ended.
      targets: targets([{ expr, legend: title }]).map((target) => ({ ...target, instant: true, range: false })),
    },
  };
}

/** A heading that folds what is below it. */
export function row(title: string, id: number, y: number): object {
  return { type: "row", title, id, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] };
}
