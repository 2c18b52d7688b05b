import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";
import { SQLSTATE_RULES } from "../sqlstate.ts";
import { PROTOCOL } from "./worker-protocol.ts";

/** Where each public function belongs in the reference; one that is missing here fails the generator. */
const GROUPS: readonly { readonly title: string; readonly functions: readonly string[] }[] = [
  {
    title: "Enqueue",
    functions: ["enqueue", "enqueue_many", "notify_queue", "hint_interval_ms", "hint_channel", "ensure_queue"],
  },
  { title: "Workers and their leases", functions: ["register_worker", "heartbeat", "deregister_worker"] },
  { title: "Claim", functions: ["claim", "claim_batch", "due_work"] },
  {
    title: "End an attempt",
    functions: ["complete", "fail", "snooze", "return_unstarted", "cancel_requests", "acknowledge_cancel"],
  },
  { title: "While a job runs", functions: ["progress", "record_process"] },
  { title: "Pause", functions: ["hold", "release"] },
  { title: "Recovery", functions: ["recover_stale", "workers_gone", "release_deferred"] },
  { title: "Shrink a pool", functions: ["drain_idle_workers", "release_drained_workers"] },
  {
    title: "What people do to jobs",
    functions: ["retry_job", "retry_jobs", "cancel_job", "cancel_jobs", "delete_job", "delete_jobs", "delete_queue"],
  },
  {
    title: "Policies and settings",
    functions: ["configure_queue", "delete_queue", "configure_store", "configure_pool"],
  },
  { title: "Restarts of workers", functions: ["open_restart", "advance_restart"] },
  {
    title: "Schedules",
    functions: [
      "put_schedule",
      "pause_schedule",
      "trigger_schedule",
      "delete_schedule",
      "due_schedules",
      "fire_schedule",
    ],
  },
  { title: "Look", functions: ["queue_stats", "job_counts", "why_queue", "why_job", "reveal", "reveal_schedules"] },
  { title: "Leaders", functions: ["take_term", "assert_term", "beat_canary"] },
  { title: "Keys of the admin API", functions: ["create_api_key", "revoke_api_key", "use_api_key"] },
  { title: "Housekeeping and roles", functions: ["maintain", "grant_role", "revoke_role"] },
];

interface FunctionRow {
  name: string;
  arguments: string;
  result: string;
  comment: string;
  roles: string[] | null;
}

interface RelationRow {
  name: string;
  view: boolean;
  comment: string | null;
  columns: { name: string; type: string; comment: string | null }[];
}

/** The reference of the SQL contract, from the catalogue of a server that has the store: what the comments say. Markdown. */
export async function renderSqlReference(session: Session): Promise<string> {
  const functions = await readFunctions(session);
  const relations = await readRelations(session);
  const grouped = new Set(GROUPS.flatMap((group) => group.functions));
  const missing = functions.filter(({ name }) => !grouped.has(name)).map(({ name }) => name);
  if (missing.length > 0) throw new Error(`sql-reference.ts has no group for ${missing.join(", ")}`);
  return [
    PROTOCOL,
    renderErrors(),
    "## Functions",
    "Arguments are given by position or by name (`name => value`); those with a default may be left out. In brackets: the roles that may call it; the owner of the store always may.",
    ...GROUPS.flatMap(({ title, functions: names }) => [
      `### ${title}`,
      ...names.flatMap((name) => functions.filter((row) => row.name === name).map(renderFunction)),
    ]),
    "## Views",
    "The way to look. Columns without words mean what their name says.",
    ...relations.filter(({ view }) => view).map(renderRelation),
    "## Tables",
    "Where it is kept. Nobody but the functions writes them, and they may change between versions: read the views instead.",
    ...relations.filter(({ view }) => !view).map(renderRelation),
  ].join("\n\n");
}

function renderErrors(): string {
  const rows = SQLSTATE_RULES.filter(({ match }) => /^(?!E)[0-9A-Z]{2,5}$/.test(match)).map(
    ({ match, code, retry, advice }) =>
      `| \`${match}${match.length === 2 ? "xxx" : ""}\` | ${code} | ${ADVICE[retry] ?? retry} | ${advice ?? MEANING[match] ?? ""} |`,
  );
  return [
    "## Errors",
    "Errors carry a SQLSTATE; the longest match counts. Messages say what to do, mostly in the hint.",
    ["| SQLSTATE | what | then | words |", "| --- | --- | --- | --- |", ...rows].join("\n"),
  ].join("\n\n");
}

const ADVICE: Readonly<Record<string, string>> = {
  never: "do not repeat as it is",
  backoff: "wait, then repeat",
  reconnect: "connect again; whether it took effect is unknown, and repeating is safe",
  transaction: "repeat the whole transaction",
};

const MEANING: Readonly<Record<string, string>> = {
  JQ001: "the worker's lease has lapsed, or it is gone: stop its work, register again",
  JQ002: "claim was called outside READ COMMITTED",
  JQ003: "another operator leads now: drop what was decided under the term",
  "22": "the input cannot be stored; the message names it (22023)",
};

function renderFunction({ name, arguments: args, result, comment, roles }: FunctionRow): string {
  const signature = args === "" ? `${name}()` : `${name}(\n  ${args.split(", ").join(",\n  ")}\n)`;
  return [
    `#### \`${name}\``,
    `\`\`\`\n${signature} returns ${result}\n\`\`\``,
    `${escape(comment)} [${roles === null ? "only the owner" : roles.join(", ")}]`,
  ].join("\n\n");
}

function renderRelation({ name, comment, columns }: RelationRow): string {
  return [
    `### \`${name}\``,
    escape(comment ?? ""),
    [
      "| column | type | |",
      "| --- | --- | --- |",
      ...columns.map((column) => `| ${column.name} | ${column.type} | ${escape(column.comment ?? "")} |`),
    ].join("\n"),
  ].join("\n\n");
}

/** Comments are plain text: what Markdown would take for markup stays text. */
function escape(text: string): string {
  return text.replaceAll(/[*|<>[\]]/g, (character) => `\\${character}`);
}

async function readFunctions(session: Session): Promise<FunctionRow[]> {
  return session.query<FunctionRow>(
    `select p.proname as name, regexp_replace(pg_get_function_arguments(p.oid), '::[a-z ]+(\\[\\])?', '', 'g') as arguments,
       pg_get_function_result(p.oid) as result, obj_description(p.oid, 'pg_proc') as comment,
       (select array_agg(r.role order by r.at) from unnest('{producer,worker,operator,reader,admin}'::text[]) with ordinality r(role, at)
        where exists (select from ${quoteIdentifier(session.schema)}.role_rights(r.role) g
          where g.kind = 'function' and g.object = p.proname)) as roles
     from pg_proc p where p.pronamespace = $1::regnamespace and obj_description(p.oid, 'pg_proc') not like 'Internal.%'
     order by p.proname`,
    [quoteIdentifier(session.schema)],
  );
}

async function readRelations(session: Session): Promise<RelationRow[]> {
  return session.query<RelationRow>(
    `select c.relname as name, c.relkind = 'v' as view, obj_description(c.oid, 'pg_class') as comment,
       (select jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
            'comment', col_description(c.oid, a.attnum)) order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
     from pg_class c where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p', 'v') and not c.relispartition
     order by c.relname`,
    [quoteIdentifier(session.schema)],
  );
}
