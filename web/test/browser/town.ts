/** What every test of trading begins with: a chain of its own, a real order service on it, and a maker who quotes. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test as base, expect, type Page } from "@playwright/test";
import { Scene } from "./scene.ts";
import { TestWallet } from "./wallet.ts";

const HAS_VENUE = existsSync(join(import.meta.dirname, "../../../offchain/plimsoll/venue/venue.py"));

interface Once {
  /** A chain of its own: the service must not see the chain taken back between tests. */
  readonly town: { scene: Scene; url: string };
}

export const test = base.extend<{ bob: TestWallet }, Once>({
  town: [
    // biome-ignore lint/correctness/noEmptyPattern: the runner reads the pattern
    async ({}, use) => {
      const scene = await Scene.start();
      const { url } = (await scene.tell({ do: "venue" })) as { url: string };
      await scene.tell({ do: "quotes", underlying: "ETH" });
      await use({ scene, url });
      await scene.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  bob: async ({ town }, use) => use(new TestWallet(town.scene, town.scene.facts.keys.bob)),
});

/** Leaves the tests of a file out where the order service is not in the checkout. */
export const skipWithoutVenue = (): void => test.skip(!HAS_VENUE, "the order service is not in this checkout");

/** Opens the trade view of the page that the service serves, with the only wallet connected. */
export async function enter(page: Page, url: string, wallet: TestWallet): Promise<void> {
  await wallet.enter(page);
  await page.goto(`${url}/#/trade`);
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Test wallet" }).click();
  await expect(page.getByRole("heading", { name: "Options" })).toBeVisible();
}

export const signIn = async (page: Page): Promise<void> => {
  await page.getByRole("button", { name: "Sign in to your orders" }).click();
  await expect(page.getByText("No open orders.")).toBeVisible();
};

export { expect };
