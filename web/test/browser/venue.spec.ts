/** Trading through a real order service: book, ticket, fill, own orders, requests for quote, gaps, and its end. */
import { AxeBuilder } from "@axe-core/playwright";
import { enter, expect, signIn, skipWithoutVenue, test } from "./town.ts";

skipWithoutVenue();

test("a taker sees the book, signs an order that says what it does, and the chain fills it", async ({
  page,
  town,
  bob,
}) => {
  await enter(page, town.url, bob);
  await page.getByRole("button", { name: /^Buy at the ask of 1,900 call, [\d.]+$/ }).click();
  await expect(page.getByText(/ETH .* 1,900 call/).first()).toBeVisible();
  await page.getByLabel("Quantity").fill("2");
  await page.getByLabel("Way").selectOption("ioc");
  const ticket = page.getByRole("region", { name: "Order", exact: true });
  await expect(ticket.getByRole("row", { name: /^Initial margin/ })).toBeVisible();
  await ticket.getByText("What is signed").click();
  await expect(page.getByRole("row", { name: /Order Buy at most 2 ETH .* 1,900 call/ })).toBeVisible();
  await page.getByRole("button", { name: "Sign buy order" }).click();
  await expect(page.getByText("Matched 2; it counts when the chain has it.")).toBeVisible();
  await page.getByRole("link", { name: "Account", exact: true }).click();
  await expect(page.getByRole("row", { name: /1,900 call 4/ })).toBeVisible();
});

test("own orders are shown after a signature, live, and cancelled", async ({ page, town, bob }) => {
  await enter(page, town.url, bob);
  await signIn(page);
  await page.getByLabel("Highest price").fill("1500");
  await page.getByLabel("Way").selectOption("post");
  await page.getByRole("button", { name: "Sign buy order" }).click();
  await expect(page.getByText("The order is in the book.")).toBeVisible();
  await expect(page.getByText(/With your 1 open order filled at the worst/)).toBeVisible();
  const row = page.getByRole("row", { name: /Buy ETH perpetual.* 1,500\.00 1 / });
  await expect(row).toBeVisible();
  await expect(page.getByRole("table", { name: "Open orders in ETH perpetual" }).getByText("1,500.00")).toBeVisible();
  await row.getByRole("button", { name: /^Cancel/ }).click();
  await expect(row).toBeHidden();
  await expect(page.getByRole("table", { name: "Open orders in ETH perpetual" }).getByText("1,500.00")).toBeHidden();
});

test("a refusal of the service is one sentence", async ({ page, town, bob }) => {
  await enter(page, town.url, bob);
  await page.getByLabel("Quantity").fill("900");
  await page.getByLabel("Highest price").fill("1800");
  await expect(page.getByText(/A whole fill would leave less than the initial margin/)).toBeVisible();
  await page.getByRole("button", { name: "Sign buy order" }).click();
  await expect(page.getByRole("alert")).toHaveText(/margin/);
});

test("a request for quote of two legs is answered and taken, all or nothing", async ({ page, town, bob }) => {
  await enter(page, town.url, bob);
  await signIn(page);
  for (const strike of ["1,900", "2,000"]) {
    await page.getByRole("button", { name: new RegExp(`^Mark of ${strike} put,`) }).click();
    await page.getByRole("button", { name: "Add to a request for quote" }).click();
  }
  await page.getByRole("button", { name: "Ask for quotes" }).click();
  await expect(page.getByText(/Best of 1:/)).toBeVisible();
  await page.getByRole("button", { name: "Take it" }).click();
  await expect(page.getByText(/Take a quote of 2 legs: on chain/)).toBeVisible();
  await page.getByRole("link", { name: "Account", exact: true }).click();
  await expect(page.getByRole("row", { name: /1,900 put 1/ })).toBeVisible();
  await expect(page.getByRole("row", { name: /2,000 put 1/ })).toBeVisible();
});

test("a message that is lost is noticed, and the book is asked for anew", async ({ page, town, bob }) => {
  let losing = false;
  let lost = 0;
  const asked: string[] = [];
  await page.routeWebSocket(/api\/stream/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((message) => {
      if (String(message).includes('"subscribe"') && String(message).includes("book:")) asked.push(String(message));
      server.send(message);
    });
    server.onMessage((message) => {
      if (losing && lost === 0 && String(message).includes('"bookChange"')) {
        lost += 1;
        return;
      }
      socket.send(message);
    });
  });
  await enter(page, town.url, bob);
  await signIn(page);
  const before = asked.length;
  losing = true;
  const book = page.getByRole("table", { name: "Open orders in ETH perpetual" });
  for (const price of ["1401", "1402"]) {
    await page.getByLabel("Highest price").fill(price);
    await page.getByLabel("Way").selectOption("post");
    await page.getByRole("button", { name: "Sign buy order" }).click();
    await expect(page.getByRole("row", { name: new RegExp(`1,${price.slice(1)}\\.00 1 `) })).toBeVisible();
  }
  await expect(book.getByText("1,401.00")).toBeVisible();
  await expect(book.getByText("1,402.00")).toBeVisible();
  expect(lost).toBe(1);
  await expect(page.getByText(/^Once a message of the stream was missing; its numbers said so/)).toBeVisible();
  expect(asked.length).toBeGreaterThan(before);
  await page.getByRole("button", { name: "Cancel all" }).click();
  await expect(page.getByText("No open orders.")).toBeVisible();
});

test("a stream that the service closed because it was flooded is opened again, and nothing is missed", async ({
  page,
  town,
  bob,
}) => {
  let sockets = 0;
  let flood: (() => void) | null = null;
  await page.routeWebSocket(/api\/stream/, (socket) => {
    sockets += 1;
    const server = socket.connectToServer();
    socket.onMessage((message) => server.send(message));
    server.onMessage((message) => socket.send(message));
    // What the service says and does when more messages wait than its limit.
    flood = () => {
      const problem = { code: "tooSlow", message: "more than 1000 messages waited to be read", limit: "1000" };
      socket.send(JSON.stringify({ type: "farewell", problem }));
      void socket.close({ code: 4008, reason: "too slow" });
    };
  });
  await enter(page, town.url, bob);
  await signIn(page);
  await expect(page.getByText("live", { exact: true })).toBeVisible();
  const before = sockets;
  (flood as (() => void) | null)?.();
  await expect(page.getByText(/The order service sent more than this page read in time/)).toBeVisible();
  await expect.poll(() => sockets).toBeGreaterThan(before);
  await expect(page.getByText("live", { exact: true })).toBeVisible();
  // The login goes with the new stream: own orders are live on it.
  await page.getByLabel("Highest price").fill("1403");
  await page.getByRole("button", { name: "Sign buy order" }).click();
  await expect(page.getByRole("row", { name: /1,403\.00 1 / })).toBeVisible();
  await page.getByRole("button", { name: "Cancel all" }).click();
  await expect(page.getByText("No open orders.")).toBeVisible();
});

test("a computer whose clock is apart from the service's is told, and its orders end when they should", async ({
  page,
  town,
  bob,
}) => {
  await page.clock.install({ time: Date.now() + 2 * 3600 * 1000 });
  await enter(page, town.url, bob);
  await expect(
    page.getByText(/The clock of this computer is (1 h 59 min|2 h 0 min) ahead of the order service's/),
  ).toBeVisible();
  await signIn(page);
  await page.getByLabel("Good for", { exact: true }).selectOption("600");
  await page.getByLabel("Highest price").fill("1404");
  await page.getByRole("button", { name: "Sign buy order" }).click();
  await expect(page.getByRole("row", { name: /1,404\.00 1 / })).toBeVisible();
  const signed = bob.asked.findLast((request) => request.method === "eth_signTypedData_v4");
  const { message } = JSON.parse(String(signed?.params?.[1])) as { message: { expiryTs: string } };
  const { timestamp } = await town.scene.rpc<{ timestamp: string }>("eth_getBlockByNumber", "latest", false);
  const lateTs = Math.max(Number(timestamp), Date.now() / 1000) + 600;
  expect(Number(message.expiryTs)).toBeLessThanOrEqual(lateTs + 5);
  await page.getByRole("button", { name: "Cancel all" }).click();
  await expect(page.getByText("No open orders.")).toBeVisible();
});

for (const width of [380, 1280] as const) {
  for (const scheme of ["light", "dark"] as const) {
    test(`pictures of trading at ${width} px, ${scheme}`, async ({ page, town, bob }) => {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: scheme });
      await enter(page, town.url, bob);
      await signIn(page);
      await page.getByLabel("Highest price").fill("1850");
      await page.getByLabel("Way").selectOption("post");
      await page.getByRole("button", { name: "Sign buy order" }).click();
      await expect(page.getByText("The order is in the book.")).toBeVisible();
      await page.getByRole("button", { name: /^Buy at the ask of 2,000 call/ }).click();
      await page.getByLabel("Way").selectOption("limit");
      await page.getByLabel(/^one cancels other/).check();
      await page.getByLabel("The other enters").selectOption("atOrAbove");
      await page.getByLabel("ETH spot").fill("2100");
      await page.getByText("What is signed", { exact: true }).click();
      await page.getByRole("button", { name: "Add to a request for quote" }).click();
      await expect(page.getByText(/Reading|Asking/)).toHaveCount(0);
      await page.waitForTimeout(400);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(wide).toBeLessThanOrEqual(width);
      await page.screenshot({ path: `../reports/web/venue-${width}-${scheme}.png`, fullPage: true });
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map((entry) => `${entry.id}: ${entry.nodes[0]?.html}`)).toEqual([]);
      await page.getByRole("button", { name: "Cancel all" }).click();
      await expect(page.getByText("No open orders.")).toBeVisible();
    });
  }
}

test("without the service money still moves, and the page says what is missing", async ({ page, town, bob }) => {
  await enter(page, town.url, bob);
  await expect(page.getByText("live", { exact: true })).toBeVisible();
  await town.scene.tell({ do: "stop venue" });
  await expect(page.getByText("connection lost")).toBeVisible();
  await expect(page.getByRole("alert").first()).toHaveText(/The order service does not answer/);
  await page.getByRole("link", { name: "Account", exact: true }).click();
  await expect(page.getByRole("heading", { name: /^Account \d/ })).toBeVisible();
});
