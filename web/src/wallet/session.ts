/** Who acts: a connected wallet, or an address that is only looked at. */
import { type Address, type Chain, type EIP1193Provider, getAddress, isAddress, numberToHex } from "viem";
import { Store } from "../state/store.ts";
import type { WalletInfo } from "./discovery.ts";
import { problem, problemOf, WalletProblem, withTimeout } from "./problems.ts";

export interface Connection {
  readonly wallet: WalletInfo;
  readonly address: Address;
  /** Every address that the wallet shows this page, the current one first. */
  readonly addresses: readonly Address[];
  readonly chainId: number;
}

export type Session =
  | { readonly kind: "nobody" }
  | { readonly kind: "watching"; readonly address: Address }
  | { readonly kind: "connected"; readonly connection: Connection };

/** People read what they sign; a minute and a half is patience, not delay. */
export const ANSWER_MS = 90_000;
/** What does not ask a person must answer at once. */
const QUICK_MS = 10_000;
/** Which wallet to ask silently after a reload; its name, nothing else. */
const REMEMBERED = "plimsoll.wallet";

export const session = new Store<Session>({ kind: "nobody" });

export const addressOf = (now: Session): Address | null =>
  now.kind === "connected" ? now.connection.address : now.kind === "watching" ? now.address : null;

type Request = { method: string; params?: unknown };

/** One request to a wallet; whatever goes wrong is a problem with a sentence. */
export async function ask<T>(provider: EIP1193Provider, request: Request, limitMs = ANSWER_MS): Promise<T> {
  try {
    return (await withTimeout(provider.request(request as never) as Promise<T>, limitMs, "the request")) as T;
  } catch (thrown) {
    throw problemOf(thrown);
  }
}

function addressesIn(answer: unknown): Address[] {
  if (!Array.isArray(answer)) return [];
  return answer
    .filter((entry): entry is string => typeof entry === "string" && isAddress(entry))
    .map((a) => getAddress(a));
}

let forget: (() => void) | null = null;

async function establish(wallet: WalletInfo, addresses: readonly Address[]): Promise<void> {
  const [address] = addresses;
  if (!address) throw problem("locked");
  const chainId = Number(await ask<string>(wallet.provider, { method: "eth_chainId" }, QUICK_MS));
  forget?.();
  session.set({ kind: "connected", connection: { wallet, address, addresses, chainId } });
  forget = follow(wallet);
  localStorage.setItem(REMEMBERED, wallet.id);
}

/** Asks a wallet for its accounts. */
export async function connectWallet(wallet: WalletInfo): Promise<void> {
  await establish(wallet, addressesIn(await ask(wallet.provider, { method: "eth_requestAccounts" })));
}

/** After a reload: the wallet of last time, when it still shows an account without asking. */
export async function reconnect(known: readonly WalletInfo[]): Promise<void> {
  const id = localStorage.getItem(REMEMBERED);
  const wallet = known.find((entry) => entry.id === id);
  if (!wallet || session.get().kind !== "nobody") return;
  const addresses = addressesIn(await ask(wallet.provider, { method: "eth_accounts" }, QUICK_MS));
  if (addresses.length) await establish(wallet, addresses);
}

function follow(wallet: WalletInfo): () => void {
  const { provider } = wallet;
  const onAccounts = (answer: unknown) => {
    const addresses = addressesIn(answer);
    const [address] = addresses;
    if (!address) return leave();
    session.update((now) =>
      now.kind === "connected" ? { kind: "connected", connection: { ...now.connection, address, addresses } } : now,
    );
  };
  const onChain = (answer: unknown) => {
    session.update((now) =>
      now.kind === "connected"
        ? { kind: "connected", connection: { ...now.connection, chainId: Number(answer) } }
        : now,
    );
  };
  provider.on?.("accountsChanged", onAccounts);
  provider.on?.("chainChanged", onChain);
  return () => {
    provider.removeListener?.("accountsChanged", onAccounts);
    provider.removeListener?.("chainChanged", onChain);
  };
}

/** Looks at an address without a wallet. */
export function watch(text: string): void {
  const trimmed = text.trim();
  if (!isAddress(trimmed, { strict: false })) {
    throw new WalletProblem("unknown", "That is no address: it starts with 0x and has 40 more digits.");
  }
  leave();
  session.set({ kind: "watching", address: getAddress(trimmed) });
}

/** Forgets the wallet; the wallet itself may go on showing its account to this page. */
export function leave(): void {
  forget?.();
  forget = null;
  localStorage.removeItem(REMEMBERED);
  session.set({ kind: "nobody" });
}

/** Brings the wallet to the chain of the deployment, adding it where the wallet does not know it. */
export async function switchChain(connection: Connection, chain: Chain): Promise<void> {
  const chainId = numberToHex(chain.id);
  const { provider } = connection.wallet;
  try {
    await ask(provider, { method: "wallet_switchEthereumChain", params: [{ chainId }] });
  } catch (thrown) {
    const cause = (thrown as WalletProblem).cause as { code?: number; data?: { originalError?: { code?: number } } };
    if (cause?.code !== 4902 && cause?.data?.originalError?.code !== 4902) throw thrown;
    await ask(provider, { method: "wallet_addEthereumChain", params: [addition(chain)] });
  }
  const now = Number(await ask<string>(provider, { method: "eth_chainId" }, QUICK_MS));
  if (now !== chain.id) {
    throw new WalletProblem(
      "wrong chain",
      `The wallet stayed on chain ${now}; this deployment is on chain ${chain.id}.`,
    );
  }
  session.update((before) =>
    before.kind === "connected" ? { kind: "connected", connection: { ...before.connection, chainId: now } } : before,
  );
}

const addition = (chain: Chain) => ({
  chainId: numberToHex(chain.id),
  chainName: chain.name,
  nativeCurrency: chain.nativeCurrency,
  rpcUrls: chain.rpcUrls.default.http,
});

/**
 * Makes sure, just before something is signed or sent, that the wallet still has the account and the chain that the
 * page showed: both can change while a person reads.
 */
export async function confirmSame(connection: Connection, chainId: number): Promise<void> {
  const { provider } = connection.wallet;
  const addresses = addressesIn(await ask(provider, { method: "eth_accounts" }, QUICK_MS));
  if (!addresses.length) throw problem("locked");
  const now = session.get();
  const shown = now.kind === "connected" ? now.connection.address : null;
  if (!addresses.includes(connection.address) || shown !== connection.address) {
    throw new WalletProblem(
      "switched",
      "The wallet switched to another account meanwhile. Nothing was signed; look at the figures again, they are now of the new account.",
    );
  }
  const chain = Number(await ask<string>(provider, { method: "eth_chainId" }, QUICK_MS));
  if (chain !== chainId) {
    throw new WalletProblem(
      "wrong chain",
      `The wallet is on chain ${chain}, and this deployment is on chain ${chainId}. Switch the chain first.`,
    );
  }
}
