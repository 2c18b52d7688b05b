import { usageFailure } from "./failure.ts";

/** Whether a text can be the id of a job. 18 digits always fit a bigint, and no store gets that far. */
export function isJobId(text: string): boolean {
  return /^\d{1,18}$/.test(text);
}

/** The id of a job as given, or a failure that says what ids are. */
export function parseJobId(text: string): string {
  if (isJobId(text)) return text;
  throw usageFailure(
    `'${text}' is no id of a job: ids are whole numbers`,
    "`jobqueue jobs` lists jobs with their ids.",
  );
}

/** The id of a worker as given, or a failure that says what ids are. */
export function parseWorkerId(text: string): string {
  if (isJobId(text)) return text;
  throw usageFailure(
    `'${text}' is no id of a worker: ids are whole numbers`,
    "`jobqueue workers` lists workers with their ids.",
  );
}
