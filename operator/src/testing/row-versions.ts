import type { Database } from "@jobqueue/store";

/**
 * Which versions of rows there are in each table of a store: any write makes another one, and so does a row lock. What is the
 * same before and after was not written in between, exactly and at once, unlike what the server's statistics say.
 */
export async function rowVersions(store: Database): Promise<Readonly<Record<string, string>>> {
  const tables = await store.query<{ name: string }>(
    `select c.relname as name from pg_class c where c.relnamespace = 'jobqueue'::regnamespace and c.relkind in ('r', 'p')
       and not c.relispartition order by 1`,
  );
  const versions: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await store.query<{ versions: string }>(
      `select coalesce(string_agg(format('%s:%s:%s', t.ctid, t.xmin, t.xmax), ' ' order by t.ctid), '') as versions
       from jobqueue.${name} t`,
    );
    versions[name] = row?.versions ?? "";
  }
  return versions;
}
