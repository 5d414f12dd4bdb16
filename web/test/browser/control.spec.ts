/** What an owner may do with an account: mode, isolation, trader keys, operators, loans, and bids for others'. */
import type { Page } from "@playwright/test";
import { connected, expect, test } from "./fixtures.ts";
import { TestWallet } from "./wallet.ts";

const KEY = "0x000000000000000000000000000000000000dEaD";

const onChain = (page: Page, label: string | RegExp) =>
  expect(page.getByRole("status").filter({ hasText: label }).filter({ hasText: "on chain" })).toBeVisible();

test("the mode is changed after its margin was shown", async ({ page, host, bob }) => {
  await connected(page, host, bob, "control");
  await page.getByRole("button", { name: "SINGLE" }).click();
  await expect(page.getByRole("region", { name: "Margin mode" }).getByRole("row", { name: /^Equity/ })).toBeVisible();
  await page.getByRole("button", { name: "Change the mode" }).click();
  await onChain(page, "Change the margin mode");
  await page.getByRole("link", { name: "Account", exact: true }).click();
  await expect(page.getByText("mode SINGLE")).toBeVisible();
});

test("a position is isolated with cash that covers it, and too little is said before", async ({ page, host, bob }) => {
  await connected(page, host, bob, "control");
  await page.getByLabel("Position", { exact: true }).selectOption({ label: "−3 ETH perpetual" });
  await expect(page.getByText("more has to go along")).toBeVisible();
  await page.getByRole("button", { name: "Isolate", exact: true }).click();
  await expect(page.getByRole("alert")).toHaveText(
    /an equity of 0\.00 would stand below an initial margin of [\d,.]+\./,
  );
  await page.getByLabel("Cash to go along").fill("3000");
  await expect(page.getByText("covered")).toBeVisible();
  await page.getByRole("button", { name: "Isolate", exact: true }).click();
  await onChain(page, "Isolate a position");
  await expect(page.getByLabel("Account", { exact: true })).toBeVisible();
  await page.getByLabel("Account", { exact: true }).selectOption("5");
  await page.getByRole("link", { name: "Account", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Account 5" })).toBeVisible();
  await expect(page.getByRole("row", { name: /ETH perpetual −3/ })).toBeVisible();
});

test("a trader key is let in within limits and revoked", async ({ page, host, bob }) => {
  await connected(page, host, bob, "control");
  const keys = page.getByRole("region", { name: "Trader keys" });
  await keys.getByLabel("Address of the key").fill("0x12");
  await expect(keys.getByText("That is no address.")).toBeVisible();
  await keys.getByLabel("Address of the key").fill(KEY);
  await keys.getByLabel("May lose at most").fill("250");
  await keys.getByLabel("Largest ETH delta").fill("20");
  await keys.getByLabel("BTC", { exact: true }).uncheck();
  await keys.getByRole("button", { name: "Let the key trade" }).click();
  await expect(keys.getByText(/lost 0\.00 of at most 250\.00; ETH delta ±20, any vega/)).toBeVisible();
  await keys.getByRole("button", { name: "Revoke" }).click();
  await expect(keys.getByText(/lost 0\.00 of at most/)).toBeHidden();
});

test("a trader key sees the account that it trades, and cannot take anything out", async ({
  page,
  host,
  chain,
  bob,
}) => {
  const { bob: id } = chain.facts.accounts;
  await chain.tell({ do: "key", account: id, owner: "bob", key: "dora" });
  await connected(page, host, new TestWallet(chain, chain.facts.keys.dora));
  await expect(page.getByText(/This wallet is a trader key of the account/)).toBeVisible();
  await page.getByRole("link", { name: "Deposit and withdraw" }).click();
  await page.getByRole("button", { name: "Largest" }).click();
  await page.getByRole("button", { name: "Withdraw", exact: true }).last().click();
  await expect(page.getByRole("alert")).toHaveText(/0x\w{4}…\w{4} may not act for account 3\./);
  expect(bob.asked).toEqual([]);
});

test("an operator gets a daily amount and loses it", async ({ page, host, bob }) => {
  await connected(page, host, bob, "control");
  const operators = page.getByRole("region", { name: "Operators" });
  await operators.getByRole("button", { name: "Approve the contract of operators" }).click();
  await expect(operators.getByText("Operators may act for your accounts.")).toBeVisible();
  await operators.getByLabel("Address of the operator").fill(KEY);
  await operators.getByLabel("withdraw to the owner").check();
  await operators.getByLabel("USDC a day").fill("100");
  await operators.getByRole("button", { name: "Give the roles" }).click();
  await expect(operators.getByText(/withdraw to the owner; 100 of 100 USDC left today/)).toBeVisible();
  await operators.getByRole("button", { name: "Revoke" }).click();
  await expect(operators.getByText(/left today/)).toBeHidden();
  await operators.getByRole("button", { name: "Stop every operator" }).click();
  await expect(operators.getByText("No operator may act until you approve their contract.")).toBeVisible();
});

test("a sponsor stands for an account that invited it, and gets back what is released", async ({
  page,
  browser,
  host,
  chain,
  alice,
  bob,
}) => {
  const sponsor = await (await browser.newContext()).newPage();
  await connected(sponsor, host, alice, "money");
  await sponsor.getByLabel("Amount to deposit").fill("1000");
  await sponsor.getByRole("button", { name: "Open an account and deposit" }).click();
  await onChain(sponsor, "Open an account with 1,000 USDC");
  await connected(page, host, bob, "control");
  const received = page.getByRole("region", { name: "Guarantee lines" });
  await received.getByLabel("Account that may give a line").fill("5");
  await received.getByRole("button", { name: "Invite a sponsor" }).click();
  await expect(received.getByText("Account 5 is invited now.")).toBeVisible();

  await sponsor.goto(`${host.url}#/control`);
  const given = sponsor.getByRole("region", { name: "Guarantee lines" });
  await given.getByLabel("Account to stand for").fill("5");
  await expect(given.getByText("An account cannot stand for itself.")).toBeVisible();
  await given.getByLabel("Account to stand for").fill(String(chain.facts.accounts.bob));
  await given.getByLabel("Cash to set aside").fill("1000.5");
  await expect(given.getByText("The account has 1,000.00 of cash.")).toBeVisible();
  await given.getByLabel("Cash to set aside").fill("400");
  await expect(given.getByRole("row", { name: /^Equity/ })).toContainText("600.00");
  await given.getByRole("button", { name: "Give the line" }).click();
  await expect(given.getByText("For account 3")).toBeVisible();
  await expect(given.getByText(/holds 400\.00, counts 400\.00, less from/)).toBeVisible();

  await expect(received.getByText("By account 5")).toBeVisible();
  await received.getByRole("button", { name: "Release" }).click();
  await expect(received.getByText("By account 5")).toBeHidden();
  await page.getByRole("link", { name: "History" }).click();
  await expect(page.getByRole("row", { name: /Guarantee line received/ })).toContainText("400.00 from account 5");
  await sponsor.getByRole("link", { name: "Account", exact: true }).click();
  await expect(sponsor.getByRole("row", { name: /^USDC/ })).toContainText("1,000");
  await sponsor.context().close();
});

test("cash is borrowed against collateral after its margin was shown", async ({ page, host, alice }) => {
  await connected(page, host, alice, "money");
  await page.getByLabel("Token", { exact: true }).selectOption("WETH");
  await page.getByLabel("Amount to deposit").fill("10");
  await page.getByRole("button", { name: "Open an account and deposit" }).click();
  await onChain(page, "Open an account with 10 WETH");
  await page.getByRole("button", { name: "Borrow cash" }).click();
  await page.getByLabel("USDC to take out").fill("5000.25");
  await expect(page.getByRole("row", { name: /^Equity/ })).toContainText("−5,000.25");
  await page.getByRole("button", { name: "Borrow", exact: true }).click();
  await onChain(page, "Borrow 5,000.25 USDC");
  await page.getByRole("link", { name: "Account", exact: true }).click();
  await expect(page.getByRole("row", { name: /^USDC −5,000.25/ })).toBeVisible();
  await expect(page.getByText("Interest paid a day")).toBeVisible();
});

test("a bid takes a slice of an account under auction", async ({ page, host, bob, chain }) => {
  await chain.tell({ do: "sleep", seconds: 1800 });
  await chain.tell({ do: "round", underlying: "ETH", spot: 1560 });
  await chain.tell({ do: "auction", account: chain.facts.accounts.carol });
  await connected(page, host, bob, "auctions");
  await expect(page.getByText("Gain at the mark")).toBeVisible();
  await expect(page.getByRole("img", { name: /^Price path: now 9\d\.\d % of the value/ })).toBeVisible();
  await page.getByLabel("Largest share to take, per cent").fill("101");
  await expect(page.getByText("At most 100.")).toBeVisible();
  await page.getByLabel("Largest share to take, per cent").fill("5");
  await expect(page.getByText("5.00 %")).toBeVisible();
  await page.getByRole("button", { name: "Bid", exact: true }).click();
  await onChain(page, `Bid for 5 % of account ${chain.facts.accounts.carol}`);
  await page.getByRole("link", { name: "History" }).click();
  await expect(page.getByRole("row", { name: `Bid filled in account ${chain.facts.accounts.carol}` })).toBeVisible();
});

test("a withdrawal beyond the bucket waits in the queue, and its place is given up", async ({
  page,
  host,
  chain,
  bob,
}) => {
  await chain.tell({ do: "outflow", token: "WETH", share: 0.01 });
  await connected(page, host, bob, "money");
  await page.getByRole("region", { name: "Withdraw or borrow" }).getByLabel("Token").selectOption("WETH");
  await page.getByLabel("Amount to withdraw").fill("1");
  await page.getByRole("button", { name: "Queue it" }).click();
  const queue = page.getByRole("region", { name: "Queued withdrawals" });
  await expect(queue.getByText("1 WETH")).toBeVisible();
  await expect(queue.getByText("next in the queue")).toBeVisible();
  await queue.getByRole("button", { name: "Give up" }).click();
  await expect(queue).toBeHidden();
});
