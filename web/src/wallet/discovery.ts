/** Wallets that announce themselves (EIP-6963), and the one that older wallets put into the page (EIP-1193). */
import type { EIP1193Provider } from "viem";
import { Store } from "../state/store.ts";

export interface WalletInfo {
  readonly id: string;
  readonly name: string;
  /** An image as a data address; empty for a wallet that has none. */
  readonly icon: string;
  readonly provider: EIP1193Provider;
}

interface Announcement {
  readonly info: { readonly uuid: string; readonly name: string; readonly icon: string; readonly rdns: string };
  readonly provider: EIP1193Provider;
}

export const INJECTED_ID = "injected";

export const wallets = new Store<readonly WalletInfo[]>([]);

function announced(event: Event): void {
  const { info, provider } = (event as CustomEvent<Announcement>).detail;
  const icon = info.icon.startsWith("data:image/") ? info.icon : "";
  const found = { id: info.rdns, name: info.name, icon, provider };
  wallets.update((known) => [...known.filter((wallet) => wallet.id !== found.id), found]);
}

/** Starts to listen and asks wallets to announce themselves. */
export function discover(): void {
  window.addEventListener("eip6963:announceProvider", announced);
  window.dispatchEvent(new Event("eip6963:requestProvider"));
}

/** Announced wallets; without any, the injected provider. */
export function available(known: readonly WalletInfo[]): readonly WalletInfo[] {
  const injected = (window as { ethereum?: EIP1193Provider }).ethereum;
  if (known.length || !injected) return known;
  return [{ id: INJECTED_ID, name: "Browser wallet", icon: "", provider: injected }];
}
