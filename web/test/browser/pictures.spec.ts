/** Every view at 380 and 1280 pixels, light and dark, kept under reports/ to be looked at. */
import type { Page } from "@playwright/test";
import { connected, expect, open, test } from "./fixtures.ts";

const VIEWS = ["account", "trade", "try", "money", "auctions", "control", "history"] as const;
const FOLDER = "../reports/web";

/** A draft as somebody would try it: a sale of options, a hedge that the page proposes, and its answer. */
async function fillDraft(page: Page): Promise<void> {
  await page.getByLabel("Kind").selectOption("put");
  await page.getByLabel("Strike").fill("1500");
  await page.getByLabel("Quantity").fill("12");
  await page.getByRole("button", { name: "Sell", exact: true }).click();
  await expect(page.getByText(/Price \(mark/)).toBeVisible();
  await page.getByRole("button", { name: /^Add ETH/ }).click();
  await page.getByRole("button", { name: "Look for a hedge" }).click();
  await expect(page.getByRole("table", { name: "Suggested hedges" })).toBeVisible();
  await expect(page.getByText(/Loading…|Reading|Asking|asking/)).toHaveCount(0);
}

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
        if (view === "try") await fillDraft(page);
        if (view === "money") await page.getByLabel("Amount to withdraw").fill("2500");
        await page.waitForTimeout(400);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(wide, `${view} is wider than the screen`).toBeLessThanOrEqual(width);
        await page.screenshot({ path: `${FOLDER}/${view}-${width}-${scheme}.png`, fullPage: true });
      }
    });
  }
}

for (const width of [380, 1280] as const) {
  test(`pictures of an empty page at ${width} px`, async ({ page, host, alice }) => {
    await page.setViewportSize({ width, height: 900 });
    await alice.enter(page);
    await open(page, host);
    await expect(page.getByText("How much load is safe")).toBeVisible();
    await expect(page.getByRole("row", { name: /^ETH 1,900\.00/ })).toBeVisible();
    await page.screenshot({ path: `${FOLDER}/welcome-${width}-light.png`, fullPage: true });
    await page.getByRole("button", { name: "Connect" }).click();
    await page.waitForTimeout(200);
    await page.screenshot({ path: `${FOLDER}/connect-${width}-light.png` });
    await page.getByRole("dialog").getByRole("button", { name: "Test wallet" }).click();
    await expect(page.getByText("No account yet")).toBeVisible();
    await page.goto(`${host.url}#/trade`);
    await expect(page.getByRole("heading", { name: "Options" })).toBeVisible();
    await page.goto(`${host.url}#/money`);
    await page.getByLabel("Amount to deposit").fill("1000");
    await expect(page.getByText("The wallet will ask for")).toBeVisible();
    await page.screenshot({ path: `${FOLDER}/first-deposit-${width}-light.png`, fullPage: true });
    await page.goto(`${host.url}#/auctions`);
    await expect(page.getByText("No account is being liquidated.")).toBeVisible();
    await page.screenshot({ path: `${FOLDER}/no-auction-${width}-light.png`, fullPage: true });
  });
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
