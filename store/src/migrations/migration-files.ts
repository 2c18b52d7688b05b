import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One step of the schema. */
export interface Migration {
  readonly version: number;
  /** What the file is called after its number. */
  readonly name: string;
  readonly sql: string;
}

const FILE_NAME = /^(\d{6})_([a-z0-9-]+)\.sql$/;

/** The folder of the steps: beside a bundle, or two levels up from this source file. */
function folder(): string {
  const candidates = [join(import.meta.dirname, "migrations"), join(import.meta.dirname, "../../migrations")];
  const found = candidates.find((candidate) => existsSync(join(candidate, "000001_tables.sql")));
  if (found === undefined)
    throw new Error(`the store's migrations are missing: none of ${candidates.join(", ")} has them`);
  return found;
}

/** Reads the steps in order; their numbers must have no gap. */
export function readMigrations(): Migration[] {
  const directory = folder();
  const migrations = readdirSync(directory)
    .map((file) => ({ file, match: FILE_NAME.exec(file) }))
    .filter(({ file }) => file.endsWith(".sql"))
    .map(({ file, match }) => {
      if (!match) throw new TypeError(`${file} is no name of a migration: write 000001_what-it-does.sql`);
      return {
        version: Number(match[1]),
        name: match[2] as string,
        sql: readFileSync(join(directory, file), "utf8"),
      };
    })
    .toSorted((a, b) => a.version - b.version);
  migrations.forEach(({ version, name }, index) => {
    if (version !== index + 1) throw new TypeError(`migration ${version}_${name} should have the number ${index + 1}`);
  });
  return migrations;
}
