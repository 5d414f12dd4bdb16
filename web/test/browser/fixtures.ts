/** What every test of the browser begins with: the chain as it was, the page's host, and a wallet. */
import { test as base, expect, type Page } from "@playwright/test";
import { type Host, startHost } from "./host.ts";
import { Scene } from "./scene.ts";
import { TestWallet } from "./wallet.ts";

interface Each {
  /** The chain, taken back to its beginning after the test. */
  readonly chain: Scene;
  readonly alice: TestWallet;
  readonly bob: TestWallet;
}

interface Once {
  readonly scene: Scene;
  readonly host: Host;
}

export const test = base.extend<Each, Once>({
  scene: [
    // biome-ignore lint/correctness/noEmptyPattern: the runner reads the pattern
    async ({}, use) => {
      const scene = await Scene.start();
      await use(scene);
      await scene.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  host: [
    async ({ scene }, use) => {
      const host = await startHost({
        "config.json": JSON.stringify({ rpc: scene.facts.rpc, venue: null }),
        "deployment.json": scene.record,
      });
      await use(host);
      await host.stop();
    },
    { scope: "worker" },
  ],
  chain: async ({ scene }, use) => {
    const state = await scene.rpc<string>("evm_snapshot");
    await use(scene);
    await scene.rpc("evm_revert", state);
  },
  alice: async ({ chain }, use) => use(new TestWallet(chain, chain.facts.keys.alice)),
  bob: async ({ chain }, use) => use(new TestWallet(chain, chain.facts.keys.bob)),
});

/** Opens a view without a wallet. */
export async function open(page: Page, host: Host, view = "account"): Promise<void> {
  await page.goto(`${host.url}#/${view}`);
}

/** Opens a view and connects the only wallet. */
export async function connected(page: Page, host: Host, wallet: TestWallet, view = "account"): Promise<void> {
  await wallet.enter(page);
  await open(page, host, view);
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Test wallet" }).click();
  await expect(page.getByRole("dialog")).toBeHidden();
}

export { expect };
