/** What if: a hedge that the page proposes is judged by the contracts, and goes into the draft. */
import { connected, expect, test } from "./fixtures.ts";

const amount = (text: string | null): number =>
  Number((text ?? "").replaceAll(",", "").replace("−", "-").replace("+", ""));

test("a suggested hedge frees as much as it says, once it is in the draft", async ({ page, host, bob }) => {
  await connected(page, host, bob, "try");
  const left = page.getByRole("row", { name: /^Left to use/ });
  await expect(left).toBeVisible();
  const before = amount(await left.getByRole("cell").nth(1).textContent());
  await page.getByRole("button", { name: "Look for a hedge" }).click();
  const first = page.getByRole("table", { name: "Suggested hedges" }).getByRole("row").nth(1);
  await expect(first).toBeVisible();
  const frees = amount(await first.getByRole("cell").first().textContent());
  expect(frees).toBeGreaterThan(0);
  await first.getByRole("button", { name: /^Add .* to the draft/ }).click();
  await expect(page.getByRole("table", { name: "Draft" }).getByRole("row")).toHaveCount(1);
  await expect
    .poll(async () => Math.abs(amount(await left.getByRole("cell").nth(1).textContent()) - before - frees))
    .toBeLessThan(0.05);
});

test("the largest safe withdrawal goes into the draft and leaves the initial margin", async ({ page, host, bob }) => {
  await connected(page, host, bob, "try");
  await page.getByRole("button", { name: "Money", exact: true }).click();
  await page.getByRole("button", { name: "Withdraw", exact: true }).click();
  await expect(page.getByText(/Largest safe withdrawal of the account as it is: [\d,.]+ USDC/)).toBeVisible();
  await page.getByRole("button", { name: "Take it" }).click();
  await page.getByRole("button", { name: "Add to the draft" }).click();
  const left = page
    .getByRole("row", { name: /^Left to use/ })
    .getByRole("cell")
    .nth(1);
  await expect(left).toHaveText("0.00");
});
