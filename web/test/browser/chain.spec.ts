/** What chains do to a page: a node that is down, stale rounds, refusals, reorganisations, reloads, two tabs. */
import { connected, expect, open, test } from "./fixtures.ts";
import { startHost } from "./host.ts";

test("a node that goes away is said, and its return mends it", async ({ page, host, bob, chain }) => {
  await connected(page, host, bob);
  await expect(page.getByRole("heading", { name: `Account ${chain.facts.accounts.bob}` })).toBeVisible();
  // Whatever was asked for at the start is answered by then: what fails is the look for the next block.
  await page.waitForTimeout(2_000);
  await page.route(chain.facts.rpc, (route) => route.abort());
  await expect(page.getByRole("alert")).toHaveText(/The node does not answer/);
  await expect(page.getByRole("heading", { name: `Account ${chain.facts.accounts.bob}` })).toBeVisible();
  await page.unroute(chain.facts.rpc);
  await expect(page.getByRole("alert")).toBeHidden();
});

test("a page that is not set up says what is missing", async ({ page, scene }) => {
  const bare = await startHost({ "config.json": JSON.stringify({ rpc: scene.facts.rpc }) });
  await page.goto(bare.url);
  await expect(page.getByRole("alert")).toHaveText(/deployment.json is missing beside the page/);
  await bare.stop();
});

test("stale rounds are said with their age, and margins wait", async ({ page, host, bob, chain }) => {
  await connected(page, host, bob);
  await chain.tell({ do: "sleep", seconds: 8000 });
  await expect(page.getByText(/Prices are out of date: ETH is 2 h 13 min old/)).toBeVisible();
  const missing = page.getByRole("status").filter({ hasText: "No margin now." });
  await expect(missing).toContainText("The latest prices are of");
  await page.goto(`${host.url}#/money`);
  await expect(page.getByRole("status").filter({ hasText: "The latest prices are of" })).toBeVisible();
});

test("a refusal is one sentence with both numbers, before anything is signed", async ({ page, host, bob, chain }) => {
  await connected(page, host, bob, "money");
  await page.getByRole("button", { name: "Borrow cash" }).click();
  await page.getByLabel("USDC to take out").fill("16000");
  await page.getByRole("button", { name: "Borrow", exact: true }).click();
  await expect(page.getByRole("alert")).toHaveText(
    /This would leave an equity of [\d,.]+, below the initial margin of [\d,.]+\./,
  );
  expect(bob.asked.some((request) => request.method === "eth_sendTransaction")).toBe(false);
  expect(chain.facts.accounts.bob).toBe(3);
});

test("more than can leave is refused at the field with the limit", async ({ page, host, bob }) => {
  await connected(page, host, bob, "money");
  await expect(page.getByText(/Largest safe withdrawal now/)).toBeVisible();
  await page.getByLabel("Amount to withdraw").fill("99999");
  await expect(page.getByText(/At most [\d,.]+ USDC can leave now/)).toBeVisible();
  await page.getByLabel("Amount to withdraw").fill("1,5");
  await expect(page.getByText("Write the amount with a point and without commas.")).toBeVisible();
});

test("a reorganised deposit is said to be undone, and found again when it is mined anew", async ({
  page,
  host,
  alice,
  chain,
}) => {
  await connected(page, host, alice, "money");
  await page.getByLabel("Amount to deposit").fill("100");
  const state = await chain.rpc<string>("evm_snapshot");
  await page.getByRole("button", { name: "Open an account and deposit" }).click();
  await expect(page.getByText(/Open an account with 100 USDC: on chain/)).toBeVisible();
  const [hash] = await page.evaluate(() =>
    (JSON.parse(sessionStorage.getItem("plimsoll.pending") ?? "[]") as { hash: string }[]).map((entry) => entry.hash),
  );
  const raw = await chain.rpc<string>("eth_getRawTransactionByHash", hash);
  await chain.rpc("evm_revert", state);
  await chain.rpc("evm_mine");
  await expect(page.getByText(/given back by the chain/)).toContainText("The chain was reorganised");
  await page.goto(`${host.url}#/account`);
  await expect(page.getByText("No account yet")).toBeVisible();
  await chain.rpc("eth_sendRawTransaction", raw);
  await expect(page.getByText(/the transaction is in again/)).toBeVisible();
  await expect(page.getByRole("heading", { name: "Account 5" })).toBeVisible();
});

test("a reload in the middle of a transaction loses nothing", async ({ page, host, alice, chain }) => {
  await connected(page, host, alice, "money");
  await page.getByLabel("Amount to deposit").fill("100");
  await expect(page.getByText("The wallet will ask for")).toBeVisible();
  await chain.rpc("evm_setAutomine", false);
  await page.getByRole("button", { name: "Open an account and deposit" }).click();
  await expect(page.getByText(/waiting for a block/)).toBeVisible();
  await page.reload();
  await expect(page.getByText(/Open an account with 100 USDC: waiting for a block/)).toBeVisible();
  await chain.rpc("evm_mine");
  await chain.rpc("evm_setAutomine", true);
  await expect(page.getByText(/Open an account with 100 USDC: on chain/)).toBeVisible();
});

test("two tabs show the same account, and one follows what the other does", async ({
  page,
  context,
  host,
  bob,
  chain,
}) => {
  await chain.tell({ do: "pocket", key: "bob" });
  await connected(page, host, bob, "money");
  const other = await context.newPage();
  await open(other, host);
  await other.getByRole("button", { name: "Connect" }).click();
  await other.getByLabel(/Or look at an address/).fill(chain.facts.addresses.bob);
  await other.getByRole("button", { name: "Watch" }).click();
  const usdc = other.getByRole("row", { name: /^USDC/ });
  await expect(usdc).toBeVisible();
  const before = await usdc.textContent();
  await page.getByLabel("Amount to deposit").fill("1000");
  await page.getByRole("button", { name: "Deposit", exact: true }).click();
  await expect(page.getByText(/Deposit 1,000 USDC: on chain/)).toBeVisible();
  await expect.poll(() => usdc.textContent()).not.toBe(before);
});

test("a transaction that fails on chain says why", async ({ page, host, bob, chain }) => {
  await connected(page, host, bob, "money");
  await page.getByRole("button", { name: "Largest" }).click();
  await chain.rpc("evm_setAutomine", false);
  await page.getByRole("button", { name: "Withdraw", exact: true }).last().click();
  await expect(page.getByText(/waiting for a block/)).toBeVisible();
  // The clock passes the heartbeat before the block: the round is stale by then.
  await chain.rpc("evm_increaseTime", 8000);
  await chain.rpc("evm_mine");
  await chain.rpc("evm_setAutomine", true);
  await expect(page.getByText(/: failed/)).toContainText(/The latest prices are of .* Only the fee was spent/);
});

test("a chain whose clock runs ahead of this computer's is told, with how far", async ({ page, scene }) => {
  // The time of the local chain is moved on purpose, so that the page says nothing of it there.
  const record = { ...JSON.parse(scene.record), network: "elsewhere", chain_id: 31338 };
  const elsewhere = await startHost({
    "config.json": JSON.stringify({ rpc: scene.facts.rpc, venue: null }),
    "deployment.json": JSON.stringify(record),
  });
  await page.clock.install({ time: Date.now() - 40 * 60 * 1000 });
  await page.goto(elsewhere.url);
  await expect(page.getByText(/The chain's clock is \d+ min ahead of this computer's/)).toBeVisible();
  await elsewhere.stop();
});
