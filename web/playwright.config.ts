import { defineConfig } from "@playwright/test";

/** Debian's Chromium, or the one that the environment names. */
const executablePath = process.env.PLIMSOLL_CHROMIUM ?? "/usr/bin/chromium";

export default defineConfig({
  testDir: "test/browser",
  outputDir: "../reports/web/failures",
  // One chain, which every test takes back to where it found it.
  workers: 1,
  fullyParallel: false,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: {
    headless: true,
    viewport: { width: 1280, height: 900 },
    launchOptions: {
      executablePath,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
