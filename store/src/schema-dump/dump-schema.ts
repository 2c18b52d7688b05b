import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** Partitions are made by the day; what they look like is said by their parent. */
const NO_PARTITION = "not c.relispartition";

/**
 * Each query gives the statements of one part, from the catalogue, in an order of its own choosing. Only what all
 * supported servers say in the same words: not-null is said by the columns, since PostgreSQL 18 also says it by a
 * constraint.
 */
const PARTS: readonly { readonly title: string; readonly sql: string }[] = [
  {
    title: "Sequences",
    sql: `select format('create sequence %I as %s;', c.relname, format_type(s.seqtypid, null)) as statement
      from pg_class c join pg_sequence s on s.seqrelid = c.oid
      where c.relnamespace = $1::regnamespace
        and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'i') order by c.relname`,
  },
  {
    title: "Tables",
    sql: `select format(E'create table %I (\\n%s\\n)%s%s;', c.relname,
        (select string_agg(format('  %I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
            case when a.attcollation <> t.typcollation then ' collate "' || co.collname || '"' else '' end,
            case when a.attidentity = 'a' then ' generated always as identity'
              when d.oid is not null then ' default ' || pg_get_expr(d.adbin, d.adrelid) else '' end,
            case when a.attnotnull then ' not null' else '' end), E',\\n' order by a.attnum)
          from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_collation co on co.oid = a.attcollation
            left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
        case when c.relkind = 'p' then ' partition by ' || pg_get_partkeydef(c.oid) else '' end,
        case when c.reloptions is not null then ' with (' || array_to_string(c.reloptions, ', ') || ')' else '' end) as statement
      from pg_class c where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p') and ${NO_PARTITION} order by c.relname`,
  },
  {
    title: "Constraints",
    sql: `select format('alter table %I add constraint %I %s;', c.relname, k.conname, pg_get_constraintdef(k.oid)) as statement
      from pg_constraint k join pg_class c on c.oid = k.conrelid
      where c.relnamespace = $1::regnamespace and k.contype <> 'n' and ${NO_PARTITION} order by c.relname, k.conname`,
  },
  {
    title: "Indexes",
    sql: `select replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') || ';' as statement
      from pg_index i join pg_class c on c.oid = i.indrelid
      where c.relnamespace = $1::regnamespace and ${NO_PARTITION}
        and not exists (select from pg_constraint k where k.conindid = i.indexrelid) order by 1`,
  },
  {
    title: "Views (their columns; the queries are in the migrations)",
    sql: `select format(E'-- view %I\\n%s', c.relname, (select string_agg(format('--   %I %s', a.attname,
          format_type(a.atttypid, a.atttypmod)), E'\\n' order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0)) as statement
      from pg_class c where c.relnamespace = $1::regnamespace and c.relkind = 'v' order by c.relname`,
  },
  {
    title: "Functions",
    sql: `select rtrim(pg_get_functiondef(p.oid), E'\\n') || ';' as statement
      from pg_proc p where p.pronamespace = $1::regnamespace order by p.proname, pg_get_function_identity_arguments(p.oid)`,
  },
  {
    title: "Comments",
    sql: `select format('comment on %s is %L;', what, words) as statement from (
        select case c.relkind when 'v' then 'view ' when 'S' then 'sequence ' when 'i' then 'index ' else 'table ' end || c.relname
            as what, d.description as words
          from pg_class c join pg_description d on d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = 0
          where c.relnamespace = $1::regnamespace
        union all select 'column ' || c.relname || '.' || a.attname, d.description
          from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
            join pg_description d on d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = a.attnum
          where c.relnamespace = $1::regnamespace and ${NO_PARTITION}
        union all select 'function ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', d.description
          from pg_proc p join pg_description d on d.objoid = p.oid and d.classoid = 'pg_proc'::regclass
          where p.pronamespace = $1::regnamespace) commented
      order by what`,
  },
];

/**
 * The schema of a store as text, from the catalogue of the server: what the migrations amount to. For reviewers, who see
 * in one diff what a migration changes, and for the test that holds `schema.sql` to it; not for restoring.
 */
export async function dumpSchema(session: Session): Promise<string> {
  const schema = quoteIdentifier(session.schema);
  const parts: string[] = [];
  for (const { title, sql } of PARTS) {
    const rows = await session.query<{ statement: string }>(sql, [schema]);
    parts.push([`-- ${title}`, ...rows.map((row) => row.statement)].join("\n\n"));
  }
  // Where the search path does not hold the schema, the server qualifies names with it.
  return `${parts.join("\n\n\n").replaceAll(`${session.schema}.`, "")}\n`;
}
