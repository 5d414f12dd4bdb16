/** A passkey of the device as a trader key: made, granted, and signing orders that the chain fills. */
import type { CDPSession, Page } from "@playwright/test";
import { enter, expect, signIn, skipWithoutVenue, test } from "./town.ts";

skipWithoutVenue();

/** Passkeys belong to names: the service is asked for by this machine's. */
const named = (url: string): string => url.replace("127.0.0.1", "localhost");
const keys = (page: Page) => page.getByRole("region", { name: "Trader keys" });
const view = (page: Page, name: string) => page.getByRole("link", { name, exact: true }).click();

/** Puts a fingerprint reader into the browser. */
async function addDevice(page: Page): Promise<{ cdp: CDPSession; authenticatorId: string }> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { cdp, authenticatorId };
}

test("a passkey is made, granted, and signs an order that the chain fills", async ({ page, town, bob }) => {
  const { cdp, authenticatorId } = await addDevice(page);
  await enter(page, named(town.url), bob);
  await signIn(page);
  await view(page, "Control");
  await keys(page).getByRole("button", { name: "Make a passkey" }).click();
  await expect(keys(page).getByText(/The passkey is 0x\w{4}…\w{4}\. Set its limits and let it trade\./)).toBeVisible();
  await keys(page).getByLabel("May lose at most").fill("750");
  await keys(page).getByRole("button", { name: "Let the key trade" }).click();
  await expect(keys(page).getByText(/lost 0\.00 of at most 750\.00/)).toBeVisible();
  const signed = () => bob.asked.filter((request) => request.method === "eth_signTypedData_v4").length;
  const before = signed();
  await view(page, "Trade");
  await page.getByLabel("Signed by").selectOption({ label: await passkeyOf(page) });
  await page.getByLabel("Quantity", { exact: true }).fill("1");
  await page.getByLabel("Highest price", { exact: true }).fill("1899.4");
  // A device that does not know its user signs nothing.
  await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await page.getByRole("button", { name: "Sign buy order" }).click();
  await expect(page.getByRole("alert")).toHaveText(/The device did not confirm in time, or you declined/);
  await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
  await page.getByRole("button", { name: "Sign buy order" }).click();
  await expect(page.getByText("The order is in the book.")).toBeVisible();
  const orders = page.getByRole("region", { name: "Your orders" });
  await expect(orders.getByRole("row", { name: /signed by 0x\w{4}…\w{4}.* 1,899\.40/ })).toBeVisible();
  await expect(orders.getByRole("button", { name: /^Revoke ETH perpetual on chain/ })).toBeHidden();
  await town.scene.tell({ do: "hit", instrument: "ETH-PERP", units: -1, price: 1899.4 });
  await expect(orders.getByRole("row", { name: /Bought ETH perpetual 1,899\.40 .*(on chain|final)/ })).toBeVisible();
  expect(signed()).toBe(before);
  await view(page, "Control");
  await keys(page).getByRole("button", { name: "Revoke" }).first().click();
  await expect(keys(page).getByText(/of at most 750\.00/)).toBeHidden();
  await view(page, "Trade");
  await expect(page.getByLabel("Signed by")).toBeHidden();
});

/** What the ticket calls the only passkey. */
const passkeyOf = async (page: Page): Promise<string> =>
  (await page.getByLabel("Signed by").locator("option").nth(1).textContent()) ?? "";

test("a page that was opened by a number says how passkeys work there", async ({ page, town, bob }) => {
  await addDevice(page);
  await enter(page, town.url, bob);
  await view(page, "Control");
  await keys(page).getByRole("button", { name: "Make a passkey" }).click();
  await expect(keys(page).getByRole("alert")).toHaveText(
    /A passkey belongs to a host name.* On this machine open http:\/\/localhost:\d+ instead/,
  );
});
