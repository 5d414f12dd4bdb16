/** What wallets do to a page: none, locked, rejecting, silent, on another chain, switching account half way. */
import { connected, expect, open, test } from "./fixtures.ts";
import { TestWallet } from "./wallet.ts";

const SENT = /^eth_sign|^eth_send/;

test("no wallet: says so, and an address can be looked at", async ({ page, host, chain }) => {
  await open(page, host);
  await page.getByRole("button", { name: "Connect" }).click();
  await expect(page.getByText("No wallet answers in this browser.")).toBeVisible();
  await page.getByLabel(/Or look at an address/).fill("0x12");
  await page.getByRole("button", { name: "Watch" }).click();
  await expect(page.getByRole("alert")).toContainText("That is no address");
  await page.getByLabel(/Or look at an address/).fill(chain.facts.addresses.bob);
  await page.getByRole("button", { name: "Watch" }).click();
  await expect(page.getByRole("button", { name: /^Watching 0x/ })).toBeVisible();
  await expect(page.getByRole("heading", { name: `Account ${chain.facts.accounts.bob}` })).toBeVisible();
  await page.goto(`${host.url}#/money`);
  await page.getByLabel("Amount to withdraw").fill("1");
  await expect(page.getByRole("button", { name: "Withdraw", exact: true }).last()).toBeDisabled();
});

test("an older wallet that is only window.ethereum", async ({ page, host, alice }) => {
  await alice.enter(page, { announces: false });
  await open(page, host);
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByRole("button", { name: "Browser wallet" }).click();
  await expect(page.getByText("No account yet")).toBeVisible();
});

test("a locked wallet", async ({ page, host, alice }) => {
  alice.locked = true;
  await alice.enter(page);
  await open(page, host);
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByRole("button", { name: "Test wallet" }).click();
  await expect(page.getByRole("alert")).toHaveText(/The wallet is locked/);
});

test("a rejected connection and a rejected deposit", async ({ page, host, alice }) => {
  alice.rejects = true;
  await alice.enter(page);
  await open(page, host, "money");
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByRole("button", { name: "Test wallet" }).click();
  await expect(page.getByRole("alert")).toHaveText(/You declined in the wallet/);
  alice.rejects = false;
  await page.getByRole("button", { name: "Test wallet" }).click();
  await expect(page.getByRole("dialog")).toBeHidden();
  alice.rejects = true;
  await page.getByLabel("Amount to deposit").fill("10");
  await page.getByRole("button", { name: "Open an account and deposit" }).click();
  await expect(page.getByRole("alert")).toHaveText(
    /You declined in the wallet. Nothing was signed and nothing was sent/,
  );
  expect(await page.getByLabel("Amount to deposit").inputValue()).toBe("10");
});

test("a wallet that never answers", async ({ page, host, alice }) => {
  await page.clock.install();
  alice.silent = true;
  await alice.enter(page);
  await open(page, host);
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByRole("button", { name: "Test wallet" }).click();
  await expect(page.getByText("Waiting for the wallet…")).toBeVisible();
  await page.clock.fastForward(91_000);
  await expect(page.getByRole("alert")).toHaveText(/did not answer the request within 90 seconds/);
});

test("another chain is switched, and added where the wallet does not know it", async ({ page, host, alice }) => {
  alice.chainId = 1;
  alice.knowsChain = false;
  await connected(page, host, alice, "money");
  await expect(page.getByText(/The wallet is on chain 1; this deployment is on chain 31337/)).toBeVisible();
  await page.getByLabel("Amount to deposit").fill("10");
  await page.getByRole("button", { name: "Open an account and deposit" }).click();
  await expect(page.getByRole("alert")).toHaveText(/Switch the chain first/);
  expect(alice.asked.some((request) => SENT.test(request.method))).toBe(false);
  await page.getByRole("button", { name: "Switch the wallet" }).click();
  await expect(page.getByText(/The wallet is on chain 1;/)).toBeHidden();
  expect(alice.asked.map((request) => request.method)).toContain("wallet_addEthereumChain");
});

test("an account that is switched half way signs nothing", async ({ page, host, chain }) => {
  const wallet = new TestWallet(chain, chain.facts.keys.alice, chain.facts.keys.dora);
  await connected(page, host, wallet, "money");
  await page.getByLabel("Amount to deposit").fill("10");
  await expect(page.getByText("The wallet will ask for")).toBeVisible();
  // The switch comes after the button and before the signature.
  wallet.before = async (method) => {
    if (method !== "wallet_getCapabilities") return;
    wallet.before = null;
    await wallet.switchTo(1);
  };
  await page.getByRole("button", { name: "Open an account and deposit" }).click();
  await expect(page.getByRole("alert")).toHaveText(/switched to another account meanwhile. Nothing was signed/);
  expect(wallet.asked.some((request) => SENT.test(request.method))).toBe(false);
});

test("a wallet that signs with another key than it shows", async ({ page, host, chain, alice }) => {
  const stranger = new TestWallet(chain, chain.facts.keys.dora);
  await connected(page, host, alice, "money");
  await page.getByLabel("Amount to deposit").fill("10");
  await expect(page.getByText("The wallet will ask for")).toBeVisible();
  alice.signsAs = stranger.accounts[0] ?? null;
  await page.getByRole("button", { name: "Open an account and deposit" }).click();
  await expect(page.getByRole("alert")).toHaveText(/signed with another account/);
});

test("the wallet of last time is back after a reload, and gone after leaving", async ({ page, host, bob, chain }) => {
  await connected(page, host, bob);
  await expect(page.getByRole("heading", { name: `Account ${chain.facts.accounts.bob}` })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("heading", { name: `Account ${chain.facts.accounts.bob}` })).toBeVisible();
  await page.getByRole("button", { name: /^0x/ }).click();
  await page.getByRole("button", { name: "Disconnect" }).click();
  await expect(page.getByRole("button", { name: "Connect" })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("button", { name: "Connect" })).toBeVisible();
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  expect(stored).toBe("[{},{}]");
});
