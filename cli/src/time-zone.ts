/** An instant as the clocks of a time zone show it, with the offset: `Sat 2026-08-01 02:30:00 UTC+2`. */
export function inZone(instant: Date, timeZone: string): string {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    weekday: "short",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZoneName: "shortOffset",
  });
  const part = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
  const offset = part["timeZoneName"]?.replace(/^GMT\+0$/, "UTC").replace(/^GMT/, "UTC");
  const date = `${part["year"]}-${part["month"]}-${part["day"]}`;
  return `${part["weekday"]} ${date} ${part["hour"]}:${part["minute"]}:${part["second"]} ${offset}`;
}
