/** Trading when the chain takes a block back, in two tabs at once, and from a wallet that is a contract. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { type Address, encodeFunctionData, parseUnits } from "viem";
import { localTokenAbi } from "../../src/chain/abi.ts";
import { parseDeployment } from "../../src/chain/deployment.ts";
import type { Scene } from "./scene.ts";
import { enter, expect, signIn, skipWithoutVenue, test } from "./town.ts";
import { TestWallet } from "./wallet.ts";

skipWithoutVenue();

const NO_MOCKS = !existsSync(join(import.meta.dirname, "../../../build/mocks"));
const orders = (page: Page) => page.getByRole("region", { name: "Your orders" });

async function bid(page: Page, price: string): Promise<void> {
  await page.getByLabel("Quantity", { exact: true }).fill("1");
  await page.getByLabel("Highest price", { exact: true }).fill(price);
  await page.getByRole("button", { name: "Sign buy order" }).click();
}

/** Gives a contract tokens. */
async function mint(scene: Scene, to: Address, amount: bigint): Promise<void> {
  const usdc = parseDeployment(JSON.parse(scene.record)).tokens.find(({ symbol }) => symbol === "USDC");
  await scene.rpc("anvil_impersonateAccount", to);
  await scene.rpc("anvil_setBalance", to, "0x56bc75e2d63100000");
  const data = encodeFunctionData({ abi: localTokenAbi, functionName: "mint", args: [to, amount] });
  await scene.rpc("eth_sendTransaction", { from: to, to: usdc?.address, data });
}

test("a fill whose block is taken back is on its way again, and counts once", async ({ page, town, bob }) => {
  await enter(page, town.url, bob);
  await signIn(page);
  await bid(page, "1899.35");
  await expect(page.getByText("The order is in the book.")).toBeVisible();
  await town.scene.tell({ do: "hit", instrument: "ETH-PERP", units: -1, price: 1899.35 });
  const fill = orders(page).getByRole("row", { name: /Bought ETH perpetual 1,899\.35/ });
  await expect(fill.getByText("on chain")).toBeVisible();
  // A block that the page has not seen cannot be taken back from it: it looks once a second.
  await page.waitForTimeout(2_500);
  await town.scene.rpc("evm_setAutomine", false);
  await town.scene.rpc("anvil_reorg", 1, []);
  await expect(fill.getByText("on its way to the chain")).toBeVisible();
  await expect(page.getByText(/The chain was reorganised/)).toBeVisible();
  await town.scene.rpc("evm_setAutomine", true);
  await town.scene.rpc("evm_mine");
  await expect(fill.getByText("on chain")).toBeVisible();
  await expect(fill).toHaveCount(1);
});

test("two tabs of one trader show the same orders, and what one cancels the other loses", async ({
  page,
  context,
  town,
  bob,
}) => {
  await enter(page, town.url, bob);
  await signIn(page);
  const other = await context.newPage();
  await enter(other, town.url, new TestWallet(town.scene, town.scene.facts.keys.bob));
  await signIn(other);
  await bid(page, "1466");
  const here = orders(page).getByRole("row", { name: /Buy ETH perpetual.* 1,466\.00 1 / });
  const there = orders(other).getByRole("row", { name: /Buy ETH perpetual.* 1,466\.00 1 / });
  await expect(here).toBeVisible();
  await expect(there).toBeVisible();
  await there.getByRole("button", { name: /^Cancel/ }).click();
  await expect(there).toBeHidden();
  await expect(here).toBeHidden();
  await expect(page.getByText("No open orders.")).toBeVisible();
});

test("a contract wallet deposits, signs in, and its order is filled by the chain", async ({ page, town }) => {
  test.skip(NO_MOCKS, "make build compiles the contract wallet");
  const { scene, url } = town;
  const { address } = (await scene.tell({ do: "contract wallet", key: "dora" })) as { address: Address };
  await mint(scene, address, parseUnits("5000", 6));
  const safe = new TestWallet(scene, scene.facts.keys.dora);
  safe.contractAddress = address;
  await enter(page, url, safe);
  await page.getByRole("link", { name: "Deposit and withdraw" }).click();
  await page.getByLabel("Amount to deposit").fill("5000");
  await page.getByRole("button", { name: "Open an account and deposit", exact: true }).click();
  await expect(page.getByText(/Open an account with 5,000 USDC: on chain/)).toBeVisible();
  await page.getByRole("link", { name: "Trade", exact: true }).click();
  await signIn(page);
  await bid(page, "1899.45");
  await expect(page.getByText("The order is in the book.")).toBeVisible();
  await scene.tell({ do: "hit", instrument: "ETH-PERP", units: -1, price: 1899.45 });
  await expect(
    orders(page).getByRole("row", { name: /Bought ETH perpetual 1,899\.45 .*(on chain|final)/ }),
  ).toBeVisible();
});
