/** Global setup of the level that drives a browser: installs Chromium where it is missing. CHROMIUM names another one. */
import { ensurePackages } from "../../cluster/debian.ts";

export default async function setup(): Promise<void> {
  if (process.env["CHROMIUM"] !== undefined) return;
  await ensurePackages(["chromium", "fonts-liberation"], "tests of the dashboard in a browser");
}
