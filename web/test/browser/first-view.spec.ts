/** What a first visit really loads, as the browser asks for it. */
import { gzipSync } from "node:zlib";
import { expect, open, test } from "./fixtures.ts";

const BUDGET_BYTES = 150_000;

test("the first view is below its budget, and needs nothing from elsewhere", async ({ page, host, chain }) => {
  const loaded: { url: string; bytes: number }[] = [];
  page.on("response", async (response) => {
    const url = response.url();
    if (url.startsWith(host.url) && !url.endsWith(".json"))
      loaded.push({ url, bytes: gzipSync(await response.body()).length });
    else if (!url.startsWith(host.url) && !url.startsWith(chain.facts.rpc) && !url.startsWith("data:")) {
      throw new Error(`the page asked ${url}`);
    }
  });
  await open(page, host);
  await expect(page.getByRole("heading", { name: "How much load is safe" })).toBeVisible();
  await page.waitForLoadState("networkidle");
  const bytes = loaded.reduce((sum, file) => sum + file.bytes, 0);
  expect(loaded.length).toBeGreaterThan(3);
  expect(bytes).toBeLessThan(BUDGET_BYTES);
  // Views that nobody has opened are not loaded.
  expect(loaded.some((file) => /\/(trade|plot|errors|money|auctions)-/.test(file.url))).toBe(false);
});
