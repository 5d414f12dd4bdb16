/** Every kind of order, from the ticket to the real order service: amended, waiting, in pairs, pulled, and as intents. */
import type { Page } from "@playwright/test";
import { enter, expect, signIn, skipWithoutVenue, test } from "./town.ts";

skipWithoutVenue();

const orders = (page: Page) => page.getByRole("region", { name: "Your orders" });
const row = (page: Page, text: RegExp) => orders(page).getByRole("row", { name: text });

/** Signs a buy of the perpetual that nobody meets. */
async function bid(page: Page, price: string, way = "limit", size = "1"): Promise<void> {
  await page.getByLabel("Quantity", { exact: true }).fill(size);
  await page.getByLabel("Highest price", { exact: true }).fill(price);
  await page.getByLabel("Way").selectOption(way);
  await page.getByRole("button", { name: "Sign buy order" }).click();
}

async function clear(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Cancel all" }).click();
  await expect(page.getByText("No open orders.")).toBeVisible();
}

test("the ticket says what an order costs before it is signed", async ({ page, town, bob }) => {
  await enter(page, town.url, bob);
  const ticket = page.getByRole("region", { name: "Order", exact: true });
  await expect(ticket.getByText("gains and losses settle in cash")).toBeVisible();
  await page.getByRole("button", { name: /^Buy at the ask of 2,000 call/ }).click();
  await ticket.getByLabel("Quantity", { exact: true }).fill("2");
  await ticket.getByLabel("Highest price", { exact: true }).fill("60");
  await expect(ticket.getByText("You pay")).toBeVisible();
  await expect(ticket.locator("dd").first()).toHaveText(/^120\.00/);
  await ticket.getByRole("button", { name: "Sell", exact: true }).click();
  await expect(ticket.getByText("You receive")).toBeVisible();
  await ticket.getByLabel("Way").selectOption("post");
  await expect(ticket.getByText("of a whole fill", { exact: true })).toBeVisible();
});

test("a price that was typed for one instrument is not offered for another", async ({ page, town, bob }) => {
  await enter(page, town.url, bob);
  await page.getByLabel("Highest price", { exact: true }).fill("1899");
  await page.getByLabel(/^one cancels other/).check();
  await page.getByRole("button", { name: /^Sell at the bid of 1,100 put/ }).click();
  await expect(page.getByLabel("Lowest price", { exact: true })).toHaveValue("");
  await expect(page.getByLabel(/^one cancels other/)).not.toBeChecked();
  await expect(page.getByRole("button", { name: "Sign sell order" })).toBeDisabled();
  await page.getByLabel("Lowest price", { exact: true }).fill("0.4");
  await page.getByRole("button", { name: "Buy", exact: true }).click();
  await expect(page.getByLabel("Highest price", { exact: true })).toHaveValue("0.4");
});

test("an order is amended in one step, and a replacement that is refused leaves it alone", async ({
  page,
  town,
  bob,
}) => {
  await enter(page, town.url, bob);
  await signIn(page);
  await bid(page, "1500", "post");
  await row(page, /1,500\.00/)
    .getByRole("button", { name: /^Amend/ })
    .click();
  const ticket = page.getByRole("region", { name: "Amend an order" });
  await expect(ticket.getByText(/Takes the place of buy 1 at 1,500\.00/)).toBeVisible();
  await ticket.getByLabel("Quantity").fill("900");
  await ticket.getByRole("button", { name: "Sign the amended order" }).click();
  await expect(ticket.getByRole("alert")).toHaveText(/margin/);
  await expect(row(page, /1,500\.00/)).toBeVisible();
  await ticket.getByLabel("Highest price").fill("1510");
  await ticket.getByLabel("Quantity").fill("2");
  await ticket.getByRole("button", { name: "Sign the amended order" }).click();
  await expect(row(page, /post only.*1,510\.00 2 /)).toBeVisible();
  await expect(row(page, /1,500\.00/)).toBeHidden();
  await expect(page.getByText("The order is in the book.")).toBeVisible();
  await clear(page);
});

test("fill or kill, immediate or cancel and reduce only do what they say", async ({ page, town, bob }) => {
  await enter(page, town.url, bob);
  await signIn(page);
  await bid(page, "1400", "fok");
  await expect(page.getByRole("alert")).toHaveText(/fill or kill and no single order of the book fills it whole/);
  await bid(page, "1400", "ioc");
  await expect(page.getByText(/The order is cancelled\. immediate or cancel/)).toBeVisible();
  await page.getByLabel(/^reduce only/).check();
  await bid(page, "1420", "limit");
  await expect(row(page, /reduce only/)).toBeVisible();
  await clear(page);
});

test("an order waits for its trigger, outside of the book, and enters when a round shows it", async ({
  page,
  town,
  bob,
}) => {
  await enter(page, town.url, bob);
  await signIn(page);
  await page.getByLabel("Enters the book").selectOption("atOrBelow");
  await page.getByLabel("ETH spot").fill("9000");
  await expect(page.getByText(/ETH is at [\d,.]+: the order enters the book with the next round/)).toBeVisible();
  await page.getByLabel("Enters the book").selectOption("atOrAbove");
  await page.getByLabel("ETH spot").fill("1900.5");
  await page.getByText("What is signed", { exact: true }).click();
  await expect(page.getByText(/a round after .* with ETH at or above 1,900\.50/)).toBeVisible();
  await bid(page, "1450");
  await expect(page.getByText("The order waits for its trigger; it is not in the book yet.")).toBeVisible();
  await expect(row(page, /waits for ETH at or above 1,900\.50/)).toBeVisible();
  const book = page.getByRole("table", { name: "Open orders in ETH perpetual" });
  await expect(book.getByText("1,450.00")).toBeHidden();
  await town.scene.tell({ do: "sleep", seconds: 60 });
  await town.scene.tell({ do: "round", underlying: "ETH", spot: 1901 });
  await expect(book.getByText("1,450.00")).toBeVisible();
  await expect(row(page, /waits for/)).toBeHidden();
  await clear(page);
});

test("of a pair the first that trades cancels the other", async ({ page, town, bob }) => {
  await enter(page, town.url, bob);
  await signIn(page);
  await page.getByLabel(/^one cancels other/).check();
  await page.getByLabel("Other highest price").fill("2400");
  await page.getByLabel("The other enters").selectOption("atOrAbove");
  await page.getByLabel("ETH spot").fill("2300");
  await page.getByLabel("Quantity", { exact: true }).fill("1");
  // Better than the maker's own bid, so that the maker's sale meets it first.
  await page.getByLabel("Highest price", { exact: true }).fill("1899.3");
  await expect(page.getByText(/With both orders filled at the worst/)).toBeVisible();
  await page.getByText("What is signed", { exact: true }).click();
  const second = page.getByRole("table", { name: "Signature 2 of 2" });
  await expect(second.getByText("the chain fills at most one such order of its nonce")).toBeVisible();
  await page.getByRole("button", { name: "Sign buy orders" }).click();
  await expect(
    page.getByText("Both orders are with the service; the first that trades cancels the other."),
  ).toBeVisible();
  await expect(row(page, /one of a pair.*1,899\.30/)).toBeVisible();
  await expect(row(page, /waits for ETH at or above 2,300\.00, one of a pair/)).toBeVisible();
  expect(bob.asked.filter((request) => request.method === "eth_signTypedData_v4")).toHaveLength(3);
  await town.scene.tell({ do: "hit", instrument: "ETH-PERP", units: -1, price: 1899.3 });
  await expect(page.getByText("No open orders.")).toBeVisible();
  await expect(orders(page).getByRole("row", { name: /Bought ETH perpetual 1,899\.30/ })).toBeVisible();
});

test("one side is cancelled, and a transaction makes every signature worthless", async ({ page, town, bob }) => {
  await enter(page, town.url, bob);
  await signIn(page);
  await bid(page, "1430");
  await expect(row(page, /1,430\.00/)).toBeVisible();
  await page.getByRole("button", { name: "Sell", exact: true }).click();
  await page.getByLabel("Lowest price", { exact: true }).fill("2600");
  await page.getByRole("button", { name: "Sign sell order" }).click();
  await expect(row(page, /2,600\.00/)).toBeVisible();
  await page.getByRole("button", { name: "Cancel buys" }).click();
  await expect(row(page, /1,430\.00/)).toBeHidden();
  await expect(row(page, /2,600\.00/)).toBeVisible();
  await page.getByRole("button", { name: "Revoke everything signed until now" }).click();
  await expect(page.getByText(/Make everything signed until now worthless: on chain/)).toBeVisible();
  await expect(row(page, /2,600\.00/)).toBeHidden();
  // What is signed afterwards counts again.
  await page.getByRole("button", { name: "Buy", exact: true }).click();
  await bid(page, "1431");
  await expect(row(page, /1,431\.00/)).toBeVisible();
  await clear(page);
});

test("the protection of quotes is set, trips, and pulls what is left", async ({ page, town, bob }) => {
  await enter(page, town.url, bob);
  await signIn(page);
  const panel = page.getByRole("region", { name: "Protection of quotes" });
  await expect(panel.getByText("none", { exact: true })).toBeVisible();
  await panel.getByLabel("Most fills").fill("1");
  await panel.getByLabel("Most vega a point").fill("12.5");
  await expect(panel.getByText(/After more than 1 fills or a vega beyond 12\.50 a point within 10 s/)).toBeVisible();
  await panel.getByLabel("Window, seconds").fill("600");
  await panel.getByRole("button", { name: "Set the protection" }).click();
  await expect(panel.getByText("on", { exact: true })).toBeVisible();
  for (const cents of ["40", "30", "20"]) {
    await bid(page, `1899.${cents}`);
    await expect(row(page, new RegExp(`1,899\\.${cents}`))).toBeVisible();
  }
  await town.scene.tell({ do: "hit", instrument: "ETH-PERP", units: -2, price: 1899.3 });
  await expect(panel.getByText(/The protection has tripped .* 2 fills within 600000 ms, limit 1/)).toBeVisible();
  await expect(page.getByText("No open orders.")).toBeVisible();
  await bid(page, "1452");
  await expect(page.getByRole("alert").first()).toHaveText(/the protection of account 3 has tripped/);
  await panel.getByLabel("Most fills").fill("100");
  await panel.getByRole("button", { name: "Set the protection" }).click();
  await expect(panel.getByText("on", { exact: true })).toBeVisible();
});

test("an intent is shown with what it changes, signed, listed and revoked", async ({ page, town, bob }) => {
  await enter(page, town.url, bob);
  await signIn(page);
  const panel = page.getByRole("region", { name: "Intents for solvers" });
  await expect(panel.getByText("not approved")).toBeVisible();
  await panel.getByRole("button", { name: /^Approve it for account/ }).click();
  await expect(panel.getByText("may be filled")).toBeVisible();
  await panel.getByLabel("From", { exact: true }).fill("-2");
  await panel.getByLabel("To", { exact: true }).fill("-3");
  await expect(panel.getByText("Below the other bound.")).toBeVisible();
  await panel.getByLabel("To", { exact: true }).fill("-1.5");
  await expect(panel.getByText(/Delta of ETH is [−\d,.]+ now; a trade of [−\d,.]+ perpetuals/)).toBeVisible();
  await expect(panel.getByRole("row", { name: /^Initial margin/ })).toBeVisible();
  await panel.getByText("What is signed as an intent").click();
  await expect(panel.getByRole("row", { name: "Wish Delta of ETH between −2 and −1.5" })).toBeVisible();
  await panel.getByRole("button", { name: "Sign the intent" }).click();
  await expect(panel.getByText(/Solvers can see the intent now/)).toBeVisible();
  const list = panel.getByRole("table", { name: "Open intents" });
  await expect(list.getByRole("row", { name: /Delta of ETH between −2 and −1\.5 for at most 50\.00/ })).toBeVisible();
  await panel.getByRole("button", { name: "Close before a margin call" }).click();
  await panel.getByLabel("When less is left to use than").fill("750");
  await expect(panel.getByText(/nothing is closed before [\d,.]+ of it is gone/)).toBeVisible();
  await panel.getByRole("button", { name: "Sign the intent" }).click();
  await expect(list.getByRole("row", { name: /Close when less than 750\.00 is left to use/ })).toBeVisible();
  await list.getByRole("button", { name: /^Revoke the intent Delta/ }).click();
  await expect(page.getByText(/Make the intent worthless on chain: on chain/)).toBeVisible();
  await expect(list.getByRole("row", { name: /Delta of ETH/ })).toBeHidden();
});
