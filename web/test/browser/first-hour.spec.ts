/** The first hour of a user: connect, deposit by permit, look, try, be called for margin, be liquidated, withdraw. */

import { createClient, http } from "viem";
import { readContract } from "viem/actions";
import { accountsAbi } from "../../src/chain/abi.ts";
import { parseDeployment } from "../../src/chain/deployment.ts";
import { connected, expect, test } from "./fixtures.ts";
import type { Scene } from "./scene.ts";

const cashOf = (chain: Scene, id: bigint): Promise<bigint> =>
  readContract(createClient({ transport: http(chain.facts.rpc) }), {
    address: parseDeployment(JSON.parse(chain.record)).contracts.Accounts,
    abi: accountsAbi,
    functionName: "storedCashOf",
    args: [id],
  });

test("a new user deposits by permit, trades, is called, is liquidated and takes the rest home", async ({
  page,
  host,
  chain,
  alice,
}) => {
  await connected(page, host, alice, "money");
  await test.step("one signature and one transaction open the account", async () => {
    await page.getByLabel("Amount to deposit").fill("9000");
    await expect(page.getByText("A signature that lets the vault take exactly this amount")).toBeVisible();
    await page.getByRole("button", { name: "Open an account and deposit" }).click();
    await expect(page.getByText("Open an account with 9,000 USDC")).toBeVisible();
    await expect(page.getByText(/on chain/).first()).toBeVisible();
    const asked = alice.asked.map((request) => request.method).filter((method) => /sign|send/.test(method));
    expect(asked).toEqual(["eth_signTypedData_v4", "eth_sendTransaction"]);
  });
  const id = 5;
  await test.step("the account shows what the chain has", async () => {
    await page.goto(`${host.url}#/account`);
    await expect(page.getByRole("heading", { name: `Account ${id}` })).toBeVisible();
    await expect(page.getByText("9,000.00").first()).toBeVisible();
    expect(await cashOf(chain, BigInt(id))).toBe(9_000n * 10n ** 18n);
  });
  await test.step("a draft is answered by the contracts, before and after", async () => {
    await page.getByRole("link", { name: "What if" }).click();
    await page.getByLabel("Strike").fill("1700");
    await page.getByLabel("Kind").selectOption("put");
    await page.getByLabel("Quantity").fill("8");
    await page.getByRole("button", { name: "Sell", exact: true }).click();
    await expect(page.getByText(/Price \(mark/)).toBeVisible();
    await page.getByRole("button", { name: /^Add ETH/ }).click();
    await expect(page.getByRole("row", { name: /^Sell 8 ETH .* 1,700 put/ })).toBeVisible();
    await expect(page.getByRole("row", { name: /^Initial margin 0\.00/ })).toContainText("+");
  });
  await test.step("a fill appears as a position with its profit", async () => {
    await chain.tell({ do: "trade", taker: id, key: "alice", instrument: `ETH-${chain.facts.far}-1700-P`, units: -8 });
    await chain.tell({ do: "trade", taker: id, key: "alice", instrument: "ETH-PERP", units: 8 });
    await page.getByRole("link", { name: "Account", exact: true }).click();
    await expect(page.getByRole("row", { name: /1,700 put −8/ })).toBeVisible();
    await expect(page.getByRole("row", { name: /ETH perpetual 8/ })).toBeVisible();
    await expect(page.getByRole("row", { name: "Unrealised" })).toBeVisible();
  });
  await test.step("a fall calls for margin", async () => {
    await chain.tell({ do: "sleep", seconds: 1800 });
    await chain.tell({ do: "round", underlying: "ETH", spot: 1650 });
    await expect(page.getByText("Margin call.")).toBeVisible();
  });
  await test.step("a further fall leads into liquidation", async () => {
    await chain.tell({ do: "sleep", seconds: 1800 });
    await chain.tell({ do: "round", underlying: "ETH", spot: 1560 });
    await expect(page.getByText("Below the maintenance margin.")).toBeVisible();
    await chain.tell({ do: "auction", account: id });
    await expect(page.getByText("Its auction is running.")).toBeVisible();
    await chain.tell({ do: "bid", account: id });
    await page.getByRole("link", { name: "History" }).click();
    await expect(page.getByRole("row", { name: /A slice was liquidated/ })).toBeVisible();
  });
  await test.step("what is left comes home", async () => {
    await chain.tell({ do: "sleep", seconds: 3600 });
    await chain.tell({ do: "round", underlying: "ETH", spot: 1850 });
    await page.getByRole("link", { name: "Deposit and withdraw" }).click();
    await page.getByRole("button", { name: "Largest" }).click();
    await expect(page.getByRole("row", { name: /^Left to use/ })).toBeVisible();
    const before = await cashOf(chain, BigInt(id));
    await page.getByRole("button", { name: "Withdraw", exact: true }).last().click();
    await expect(page.getByText(/Withdraw [\d,.]+ USDC/).first()).toBeVisible();
    await expect.poll(async () => (await cashOf(chain, BigInt(id))) < before).toBe(true);
  });
});
