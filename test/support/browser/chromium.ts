import { type Browser, chromium } from "playwright-core";

/** Starts a real Chromium: that of the system, or the one that CHROMIUM names. */
export async function startChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    // Chromium does not start as root otherwise; it sees only our own pages.
    chromiumSandbox: process.getuid?.() !== 0,
    args: ["--disable-dev-shm-usage"],
    timeout: 60_000,
  });
}
