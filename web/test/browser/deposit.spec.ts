/** Every way of a deposit: as one batch, by permit, by Permit2, by approval, out of an allowance; and by a contract. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { type Address, createClient, encodeFunctionData, type Hex, http, maxUint256, parseUnits } from "viem";
import { readContract } from "viem/actions";
import { localTokenAbi } from "../../src/chain/abi.ts";
import { parseDeployment } from "../../src/chain/deployment.ts";
import { PERMIT2 } from "../../src/wallet/deposit.ts";
import { connected, expect, test } from "./fixtures.ts";
import type { Scene } from "./scene.ts";
import type { TestWallet } from "./wallet.ts";

const recordOf = (chain: Scene) => parseDeployment(JSON.parse(chain.record));

function usdcOf(chain: Scene): Address {
  const found = recordOf(chain).tokens.find((token) => token.symbol === "USDC");
  if (!found) throw new Error("there is no USDC");
  return found.address;
}

const heldBy = (chain: Scene, owner: Address): Promise<bigint> =>
  readContract(createClient({ transport: http(chain.facts.rpc) }), {
    address: usdcOf(chain),
    abi: localTokenAbi,
    functionName: "balanceOf",
    args: [owner],
  });

const confirmations = (wallet: TestWallet): string[] =>
  wallet.asked.map((request) => request.method).filter((method) => /^eth_sign|^eth_send|^wallet_send/.test(method));

async function depositUsdc(page: Page, amount: string, button: string): Promise<void> {
  await page.getByLabel("Amount to deposit").fill(amount);
  await expect(page.getByText("The wallet will ask for")).toBeVisible();
  await page.getByRole("button", { name: button, exact: true }).click();
  await expect(page.getByText(/: on chain/).first()).toBeVisible();
}

test("as one confirmation where the wallet batches", async ({ page, host, chain, alice }) => {
  alice.batches = true;
  await connected(page, host, alice, "money");
  await depositUsdc(page, "500", "Open an account and deposit");
  expect(confirmations(alice)).toEqual(["wallet_sendCalls"]);
  expect(await heldBy(chain, chain.facts.addresses.alice)).toBe(parseUnits("59500", 6));
});

test("by a permit into the account that there is", async ({ page, host, chain, bob }) => {
  await chain.tell({ do: "pocket", key: "bob" });
  await connected(page, host, bob, "money");
  await depositUsdc(page, "250.5", "Deposit");
  expect(confirmations(bob)).toEqual(["eth_signTypedData_v4", "eth_sendTransaction"]);
  expect(await heldBy(chain, chain.facts.addresses.bob)).toBe(parseUnits("59749.5", 6));
});

test("out of an allowance without asking for another", async ({ page, host, chain, alice }) => {
  await act(
    chain,
    chain.facts.addresses.alice,
    usdcOf(chain),
    approval(recordOf(chain).contracts.Vault, parseUnits("700", 6)),
  );
  await connected(page, host, alice, "money");
  await depositUsdc(page, "700", "Open an account and deposit");
  expect(confirmations(alice)).toEqual(["eth_sendTransaction"]);
});

/** Mocks are compiled by `make build`; without them there is no Permit2 to deposit by. */
const NO_MOCKS = !existsSync(join(import.meta.dirname, "../../../build/mocks/MockPermit2.json"));

/** Has an address do something without asking its key, as a chain for tests lets one. */
async function act(chain: Scene, from: Address, to: Address, data: Hex): Promise<void> {
  await chain.rpc("anvil_impersonateAccount", from);
  await chain.rpc("anvil_setBalance", from, "0xde0b6b3a7640000");
  await chain.rpc("eth_sendTransaction", { from, to, data, gas: "0x989680" });
  await chain.rpc("anvil_stopImpersonatingAccount", from);
}

const approval = (spender: Address, amount: bigint): Hex =>
  encodeFunctionData({ abi: localTokenAbi, functionName: "approve", args: [spender, amount] });

test("by Permit2 where a token has no permit", async ({ page, host, chain, bob }) => {
  test.skip(NO_MOCKS, "make build compiles the mock of Permit2");
  await chain.tell({ do: "pocket", key: "bob" });
  await chain.tell({ do: "permit2" });
  await act(chain, chain.facts.addresses.bob, usdcOf(chain), approval(PERMIT2, maxUint256));
  await page.route(chain.facts.rpc, async (route) => {
    // nonces(address): a token that does not answer it has no permit.
    const body = route.request().postData() ?? "";
    if (!body.includes("0x7ecebe00")) return route.continue();
    const calls = JSON.parse(body) as { id: number; params: [{ data?: string }] }[];
    const response = await route.fetch();
    const answers = (await response.json()) as { id: number; result?: string }[];
    const hidden = new Set(
      calls.filter((call) => call.params[0]?.data?.startsWith("0x7ecebe00")).map((call) => call.id),
    );
    await route.fulfill({
      response,
      json: answers.map((answer) => (hidden.has(answer.id) ? { ...answer, result: "0x" } : answer)),
    });
  });
  await connected(page, host, bob, "money");
  await depositUsdc(page, "40", "Deposit");
  expect(confirmations(bob)).toEqual(["eth_signTypedData_v4", "eth_sendTransaction"]);
  expect(await heldBy(chain, chain.facts.addresses.bob)).toBe(parseUnits("59960", 6));
});

test("a contract wallet approves and deposits, then deposits by what its key signed", async ({
  page,
  host,
  chain,
  alice,
}) => {
  test.skip(NO_MOCKS, "make build compiles the contract wallet");
  const { address } = (await chain.tell({ do: "contract wallet", key: "alice" })) as { address: Address };
  const mint = encodeFunctionData({ abi: localTokenAbi, functionName: "mint", args: [address, parseUnits("900", 6)] });
  await act(chain, address, usdcOf(chain), mint);
  alice.contractAddress = address;
  await connected(page, host, alice, "money");
  await depositUsdc(page, "600", "Open an account and deposit");
  await expect.poll(() => heldBy(chain, address)).toBe(parseUnits("300", 6));
  expect(confirmations(alice)).toEqual(["eth_sendTransaction", "eth_sendTransaction"]);
  await chain.tell({ do: "permit2" });
  await act(chain, address, usdcOf(chain), approval(PERMIT2, maxUint256));
  await depositUsdc(page, "300", "Deposit");
  await expect.poll(() => heldBy(chain, address)).toBe(0n);
  expect(confirmations(alice).slice(2)).toEqual(["eth_signTypedData_v4", "eth_sendTransaction"]);
});
