/** Every view at 380 and 1280 pixels, light and dark, kept under reports/ to be looked at. */
import { connected, expect, test } from "./fixtures.ts";

const VIEWS = ["account", "trade", "try", "money", "auctions", "control", "history"] as const;
const FOLDER = "../reports/web";

for (const width of [380, 1280] as const) {
  for (const scheme of ["light", "dark"] as const) {
    test(`pictures at ${width} px, ${scheme}`, async ({ page, host, bob, chain }) => {
      await chain.tell({ do: "sleep", seconds: 1800 });
      await chain.tell({ do: "round", underlying: "ETH", spot: 1560 });
      await chain.tell({ do: "auction", account: chain.facts.accounts.carol });
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: scheme });
      await connected(page, host, bob);
      for (const view of VIEWS) {
        await page.goto(`${host.url}#/${view}`);
        await expect(page.getByText(/Loading…|Reading|Asking/)).toHaveCount(0);
        await page.waitForTimeout(400);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(wide, `${view} is wider than the screen`).toBeLessThanOrEqual(width);
        await page.screenshot({ path: `${FOLDER}/${view}-${width}-${scheme}.png`, fullPage: true });
      }
    });
  }
}

/** The picture of the README; whoever changes how the page looks copies it to docs/operate/wallet-page.png. */
test("picture for the README", async ({ page, host, bob, chain }) => {
  await chain.tell({ do: "sleep", seconds: 1800 });
  await chain.tell({ do: "round", underlying: "ETH", spot: 1720 });
  await page.setViewportSize({ width: 1120, height: 800 });
  await connected(page, host, bob);
  await expect(page.getByText(/Loading…|Reading|Asking/)).toHaveCount(0);
  await expect(page.getByRole("heading", { name: "ETH scenarios" })).toBeVisible();
  await page.screenshot({ path: `${FOLDER}/readme.png` });
});
