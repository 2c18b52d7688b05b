/** A JobQueue out of a file, as kubectl would read it. */
import { API_VERSION, GROUP } from "@jobqueue/crds";
import { parseAllDocuments } from "yaml";
import { ExplainProblem } from "./problem.ts";

/** A manifest as a person wrote it: its kind is checked, nothing else. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

/** The JobQueue in a text; `name` chooses one of several. `file` is for messages. @throws ExplainProblem `manifest` */
export function jobQueueIn(text: string, file: string, name: string | undefined): Manifest {
  const documents = documentsOf(text, file);
  const queues = documents.filter(isJobQueue);
  if (queues.length === 0) throw refuse(`${file} holds no JobQueue${whatElse(documents)}`, ONLY_QUEUES);
  for (const queue of queues) checkVersion(queue, file);
  const named = name === undefined ? queues : queues.filter(({ metadata }) => metadata.name === name);
  const [found, ...others] = named;
  if (!found) throw refuse(`${file} holds no JobQueue ${name}`, `It holds ${list(queues)}.`);
  if (others.length > 0) {
    const remedy =
      name === undefined
        ? `Name the one to explain: jobqueue explain ${found.metadata.name} -f ${file}`
        : "The last one would count for kubectl; remove the others.";
    throw refuse(`${file} holds ${named.length} JobQueues: ${list(named)}`, remedy);
  }
  return found;
}

const ONLY_QUEUES = "JobQueues are explained; what the operator does about a JobStore is in its status.";

const list = (queues: readonly Manifest[]): string => queues.map(({ metadata }) => metadata.name).join(", ");

const refuse = (message: string, remedy?: string): ExplainProblem =>
  new ExplainProblem("manifest", message, remedy === undefined ? {} : { remedy });

function documentsOf(text: string, file: string): readonly unknown[] {
  // YAML 1.1, as kubectl reads it: there, Off is false.
  const parsed = parseAllDocuments(text, { version: "1.1" });
  const documents: unknown[] = [];
  for (const document of Array.isArray(parsed) ? parsed : []) {
    const [error] = document.errors;
    if (error) {
      const at = error.linePos?.[0];
      const where = at ? `, line ${at.line}, column ${at.col}` : "";
      throw refuse(`${file}${where}: ${error.message.split("\n")[0]?.replace(/ at line \d+.*$/, "")}`);
    }
    const value: unknown = document.toJS();
    if (value !== null) documents.push(value); // an empty one, as after a closing "---"
  }
  return documents.flatMap((one) => (isList(one) ? one.items : [one]));
}

const isList = (value: unknown): value is { readonly items: readonly unknown[] } =>
  typeof value === "object" && value !== null && "items" in value && Array.isArray(value.items);

function isJobQueue(value: unknown): value is Manifest {
  if (typeof value !== "object" || value === null) return false;
  const { apiVersion, kind, metadata } = value as Partial<Manifest>;
  return (
    kind === "JobQueue" &&
    typeof apiVersion === "string" &&
    apiVersion.startsWith(`${GROUP}/`) &&
    typeof metadata === "object" &&
    typeof metadata?.name === "string"
  );
}

function checkVersion({ apiVersion, metadata }: Manifest, file: string): void {
  if (apiVersion === API_VERSION) return;
  throw refuse(`${file}: JobQueue ${metadata.name} has apiVersion ${apiVersion}`, `Write apiVersion: ${API_VERSION}.`);
}

/** What a text has instead of a JobQueue, for the message. */
function whatElse(documents: readonly unknown[]): string {
  if (documents.length === 0) return ": it is empty";
  const kinds = documents.map((value) => {
    if (typeof value !== "object" || value === null) return "something that is no object";
    const { apiVersion, kind, metadata } = value as Partial<Manifest>;
    if (kind === "JobQueue" && apiVersion === API_VERSION) return "a JobQueue without metadata.name";
    if (typeof kind !== "string") return "an object without a kind";
    return `${kind}${typeof metadata?.name === "string" ? ` ${metadata.name}` : ""} of ${String(apiVersion)}`;
  });
  return `, but ${[...new Set(kinds)].join(", ")}`;
}
