import { cpSync, globSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { postgresBinaries } from "../test/support/postgres/server.ts";
import { bundle } from "./bundle.ts";

const ROOT = join(import.meta.dirname, "..");

/** The user our images run as, with a name: some programs (initdb, os.userInfo) fail without one. */
const PASSWD = `root:x:0:0:root:/root:/usr/sbin/nologin
_apt:x:42:65534::/nonexistent:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
jobqueue:x:65532:65532:JobQueue Operator:/tmp:/usr/sbin/nologin
`;
const GROUP = `root:x:0:
shadow:x:42:
nogroup:x:65534:
jobqueue:x:65532:
`;

/** Documents shorter than this say nothing. */
const MIN_DOCUMENT_BYTES = 1000;

function writeUsers(context: string): void {
  mkdirSync(join(context, "etc"), { recursive: true });
  writeFileSync(join(context, "etc/passwd"), PASSWD);
  writeFileSync(join(context, "etc/group"), GROUP);
}

/** Fills the build context of our image: bundle, command, library, users. */
export async function productContext(context: string): Promise<void> {
  await bundle(context);
  writeUsers(context);
}

/** Fills the build context of the demo's workers: handlers, and the texts that npm packages come with as documents. */
export async function demoWorkerContext(context: string): Promise<void> {
  fresh(context);
  cpSync(join(import.meta.dirname, "demo-worker/handlers"), join(context, "handlers"), { recursive: true });
  const documents = join(context, "documents");
  mkdirSync(documents);
  cpSync(join(ROOT, "LICENSE"), join(documents, "LICENSE.txt"));
  for (const file of globSync("node_modules/{*,@*/*}/{README,readme}.md", { cwd: ROOT }).toSorted()) {
    const name = dirname(file).replace("node_modules/", "").replace("/", "-");
    // Binaries of a platform are not the same packages on every machine, and ours are links to this repository.
    if (/linux|darwin|win32|@jobqueue/.test(file) || statSync(join(ROOT, file)).size < MIN_DOCUMENT_BYTES) continue;
    cpSync(join(ROOT, file), join(documents, `${name}.md`));
  }
}

/** Fills the build context of the demo's database: the binaries that npm brings for Linux, and the program around them. */
export async function demoPostgresContext(context: string): Promise<void> {
  fresh(context);
  if (process.platform !== "linux") {
    throw new Error(
      "The demo's database image is made of the Linux binaries that npm installs, and npm installed another platform's. Build it on Linux.",
    );
  }
  const binaries = postgresBinaries(18);
  cpSync(binaries, join(context, "postgres"), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !/\.a$|\/pkgconfig$|\/include$/.test(path),
  });
  for (const file of ["server.ts", "package.json"])
    cpSync(join(import.meta.dirname, "demo-postgres", file), join(context, file));
  writeUsers(context);
}

function fresh(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
}
