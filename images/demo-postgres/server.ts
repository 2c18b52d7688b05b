/**
 * Entry of the image. Without arguments: makes the data directory on the first start, then becomes the server. With
 * `ready`: exits with 0 when the server answers, which is more than listening: it does that while it recovers, too.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";

const DATA = process.env["PGDATA"] ?? "/data/postgres";
const PORT = 5432;
/** The server finds the rest of the package by the path it was started with. */
const POSTGRES = "/postgres/bin/postgres";

/** Settings beside PostgreSQL's own; arguments of the container come after them and win. */
const SETTINGS = {
  listen_addresses: "*",
  unix_socket_directories: "", // the root file system is read-only, and nobody is here to use one
  max_connections: "200",
  shared_buffers: "128MB",
  password_encryption: "scram-sha-256",
  log_destination: "stderr",
};

/** Variables of the server: its libraries are those of the package, not of the image. */
const ENVIRONMENT = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC", LD_LIBRARY_PATH: "/postgres/lib" };

function serve(): void {
  if (!existsSync(join(DATA, "PG_VERSION"))) initialise();
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  // Replaces this process, so that the server itself gets the signals of Kubernetes, and its exit code counts.
  process.execve?.(POSTGRES, [POSTGRES, "-D", DATA, ...settings, ...process.argv.slice(2)], ENVIRONMENT);
}

/** Makes a data directory beside the final one and renames it: a start that was cut short leaves nothing half made. */
function initialise(): void {
  const password = process.env["POSTGRES_PASSWORD"];
  if (!password) {
    process.stderr.write("POSTGRES_PASSWORD is empty: set it to the password that the user postgres shall have\n");
    process.exit(1);
  }
  const parent = dirname(DATA);
  mkdirSync(parent, { recursive: true });
  for (const half of readdirSync(parent).filter((name) => name.startsWith(".new-")))
    rmSync(join(parent, half), { recursive: true });
  const fresh = join(parent, `.new-${process.pid}`);
  const passwordFile = `${fresh}.password`;
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const made = spawnSync(
    "/postgres/bin/initdb",
    ["-D", fresh, "-U", "postgres", "--pwfile", passwordFile, "-E", "UTF8", "--locale=C", "--auth=scram-sha-256"],
    { env: ENVIRONMENT, stdio: ["ignore", "inherit", "inherit"] },
  );
  rmSync(passwordFile);
  if (made.status !== 0) {
    process.stderr.write(`initdb ended with ${made.status ?? made.signal ?? made.error?.message}\n`);
    process.exit(1);
  }
  writeFileSync(join(fresh, "pg_hba.conf"), "host all all all scram-sha-256\n");
  renameSync(fresh, DATA);
}

/** Asks as a client would: a server that starts or stops answers with an error, one that is ready asks for a password. */
function ready(): void {
  const parameters = Buffer.from("\0\u0003\0\0user\0postgres\0database\0postgres\0\0", "latin1");
  const message = Buffer.alloc(4 + parameters.length);
  message.writeInt32BE(message.length);
  parameters.copy(message, 4);
  const socket = connect(PORT, "127.0.0.1", () => socket.write(message));
  socket.setTimeout(2000, () => process.exit(1));
  socket.once("error", () => process.exit(1));
  socket.once("end", () => process.exit(1));
  socket.once("data", (answer) => process.exit(answer.toString("latin1", 0, 1) === "R" ? 0 : 1));
}

if (process.argv[2] === "ready") ready();
else serve();
