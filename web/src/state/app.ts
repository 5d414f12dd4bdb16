/** What the page knows: the head of the chain, the market, the accounts of who looks, and the one that is looked at. */
import type { Address, Hex } from "viem";
import { type Account, readAccount, readAccountIds } from "../chain/account.ts";
import { type Context, connect } from "../chain/client.ts";
import { LOCAL_CHAIN_ID, type Settings } from "../chain/deployment.ts";
import { type Market, readMarket } from "../chain/market.ts";
import { readTradedIds } from "../chain/permissions.ts";
import { readProblem } from "../chain/refusal.ts";
import { addressOf, session } from "../wallet/session.ts";
import { follow, resume, sent } from "../wallet/transactions.ts";
import { wallTs } from "./clocks.ts";
import { type Block, extend, REORG_NOTE } from "./head.ts";
import { Store } from "./store.ts";

export interface Loaded {
  /** Accounts that the address trades as a key, then those that it owns. */
  readonly ids: readonly bigint[];
  readonly account: Account | null;
}

export const head = new Store<Block | null>(null);
export const market = new Store<Market | null>(null);
/** Null until the accounts of the address have been read. */
export const loaded = new Store<Loaded | null>(null);
export const selectedId = new Store<bigint | null>(null);
/** Why what is shown may be old; empty when it is not. */
export const outage = new Store("");
/** What everybody should know once, such as a reorganisation; empty for nothing. */
export const notice = new Store("");
/** The clock of the page, unix seconds, for ages. */
export const clock = new Store(wallTs());

const POLL_MS = { local: 1_000, public: 4_000 } as const;

export class App {
  readonly context: Context;
  readonly settings: Settings;
  readonly isLocal: boolean;
  #blocks: readonly Block[] = [];
  #pass = 0;
  #shownOwner: Address | null = null;

  constructor(settings: Settings) {
    this.settings = settings;
    this.context = { client: connect(settings), deployment: settings.deployment };
    this.isLocal = settings.deployment.chainId === LOCAL_CHAIN_ID;
  }

  /** Starts to follow chain and wallet; never returns anything to wait for, and never throws. */
  start(): void {
    resume(this.context.deployment.chainId);
    session.subscribe(() => this.#ownerChanged());
    selectedId.subscribe(() => void this.refresh());
    setInterval(() => clock.set(wallTs()), 1_000);
    void this.#loop();
  }

  #ownerChanged(): void {
    if (addressOf(session.get()) === this.#shownOwner) return;
    loaded.set(null);
    selectedId.set(null);
    void this.refresh();
  }

  async #loop(): Promise<never> {
    const pause = this.isLocal ? POLL_MS.local : POLL_MS.public;
    for (;;) {
      await this.#look();
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  async #look(): Promise<void> {
    try {
      const block = await this.#latest();
      outage.set("");
      const { blocks, isReorganised } = extend(this.#blocks, block);
      const isNew = blocks !== this.#blocks;
      this.#blocks = blocks;
      if (isReorganised) notice.set(REORG_NOTE);
      const moved = sent.get().length > 0 && (await follow(this.context, block.number, this.isLocal));
      if (isNew || moved) await this.refresh();
    } catch (thrown) {
      outage.set(await readProblem(thrown, this.context));
    }
  }

  async #latest(): Promise<Block> {
    const raw = await this.context.client.request({ method: "eth_getBlockByNumber", params: ["latest", false] });
    if (!raw?.hash || raw.number === null) throw new Error("the node has no latest block");
    return { number: BigInt(raw.number), hash: raw.hash, parent: raw.parentHash, ts: Number(raw.timestamp) };
  }

  /** Reads everything that is shown again, at one block. */
  async refresh(): Promise<void> {
    const pass = ++this.#pass;
    try {
      const block = await this.#latest();
      const at = { ...this.context, blockNumber: block.number };
      const owner = addressOf(session.get());
      const [marketNow, owned, traded] = await Promise.all([
        readMarket(at, block.ts),
        owner ? readAccountIds(this.context, owner) : Promise.resolve<bigint[]>([]),
        owner ? readTradedIds(this.context, owner) : Promise.resolve<bigint[]>([]),
      ]);
      const ids = [...traded.filter((id) => !owned.includes(id)), ...owned];
      const wanted = selectedId.get();
      const id = wanted !== null && ids.includes(wanted) ? wanted : (ids.at(-1) ?? null);
      const account = id === null ? null : await readAccount(at, id);
      // Whatever was asked for meanwhile is newer.
      if (pass !== this.#pass || addressOf(session.get()) !== owner) return;
      this.#shownOwner = owner;
      head.set(block);
      market.set(marketNow);
      loaded.set({ ids, account });
      if (id !== wanted) selectedId.set(id);
    } catch (thrown) {
      if (pass === this.#pass) outage.set(await readProblem(thrown, this.context));
    }
  }

  /** Resolves when a transaction is on chain; rejects when it failed. */
  mined(hash: Hex): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const entry = sent.get().find((other) => other.hash === hash);
        if (entry?.stage === "failed") finish(() => reject(new Error(entry.note)));
        if (entry?.stage === "mined" || entry?.stage === "settled") finish(resolve);
      };
      const finish = (then: () => void) => {
        stop();
        then();
      };
      const stop = sent.subscribe(check);
      check();
    });
  }
}
