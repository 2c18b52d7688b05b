/**
 * Global setup of the levels that test the store and the worker beside other people's programs: installs those that are
 * missing. Elsewhere than on Debian as root it says which ones they are.
 */
import { ensurePackages } from "../cluster/debian.ts";

export default async function setup(): Promise<void> {
  await ensurePackages(["pgbouncer"], "tests behind a pooler");
  await ensurePackages(["libfaketime"], "tests with clocks that are wrong");
  await ensurePackages(["python3", "python3-psycopg", "postgresql-client"], "tests of the workers in Python and bash");
  await ensurePackages(["openssl"], "tests that serve metrics to an API server");
  await ensurePackages(["prometheus"], "tests of alert rules and of the dashboard's queries");
  await ensurePackages(["zsh", "fish"], "tests of completion");
  await ensurePackages(["curl", "jq", "python3-requests"], "tests of other systems' clients");
}
