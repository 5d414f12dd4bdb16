/** axe-core finds nothing serious in any view, light or dark; the page works by keyboard. */
import { AxeBuilder } from "@axe-core/playwright";
import { connected, expect, open, test } from "./fixtures.ts";

const VIEWS = ["account", "trade", "try", "money", "auctions", "control", "history"] as const;

for (const scheme of ["light", "dark"] as const) {
  test(`axe-core, ${scheme}`, async ({ page, host, bob, chain }) => {
    // Seven views in one go: a minute is short where other work keeps the machine busy.
    test.slow();
    await chain.tell({ do: "sleep", seconds: 1800 });
    await chain.tell({ do: "round", underlying: "ETH", spot: 1560 });
    await chain.tell({ do: "auction", account: chain.facts.accounts.carol });
    await page.emulateMedia({ colorScheme: scheme });
    await connected(page, host, bob);
    for (const view of VIEWS) {
      await page.goto(`${host.url}#/${view}`);
      await expect(page.getByText(/Loading…|Reading|Asking/)).toHaveCount(0);
      const { violations } = await new AxeBuilder({ page }).analyze();
      const found = violations.map((entry) => `${view}: ${entry.id} (${entry.impact}) ${entry.nodes[0]?.html}`);
      expect(found).toEqual([]);
    }
  });
}

test("a deposit by keyboard alone", async ({ page, host, alice }) => {
  await alice.enter(page);
  await open(page, host, "money");
  await expect(page.getByRole("heading", { name: "Deposit", exact: true })).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Skip to the content" })).toBeFocused();
  await page.getByRole("button", { name: "Connect" }).focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await expect(dialog).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "Test wallet" }).focus();
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  await page.getByLabel("Amount to deposit").focus();
  await page.keyboard.type("12.5");
  const button = page.getByRole("button", { name: "Open an account and deposit" });
  await expect(button).toBeEnabled();
  await button.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByText(/Open an account with 12.5 USDC: on chain/)).toBeVisible();
});
