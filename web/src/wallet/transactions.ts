/** Transactions from the wallet's prompt until the chain will not give them back; kept over a reload of the page. */
import { type Hex, hexToBigInt, type RpcTransactionReceipt } from "viem";
import { call, getTransaction } from "viem/actions";
import type { Context } from "../chain/client.ts";
import { decodeRefusal, revertData, type Wording } from "../chain/refusal.ts";
import { Store } from "../state/store.ts";

export type Stage = "waiting" | "mined" | "settled" | "failed" | "returned";

export interface Sent {
  readonly hash: Hex;
  /** What it does, in words. */
  readonly label: string;
  readonly stage: Stage;
  /** Block that holds it, while one does. */
  readonly blockHash: Hex | null;
  readonly blockNumber: bigint | null;
  /** A sentence for `failed` and `returned`. */
  readonly note: string;
}

export const sent = new Store<readonly Sent[]>([]);

/** Blocks on top of a transaction after which the page stops looking whether it is still there. */
export const DEPTH = { local: 2n, public: 12n } as const;
const KEPT = "plimsoll.pending";

/** Hash and label, of this tab alone: what is needed to find a transaction again after a reload, and no secret. */
function keep(chainId: number): void {
  const open = sent.get().filter((entry) => entry.stage !== "settled" && entry.stage !== "failed");
  const kept = open.map(({ hash, label }) => ({ hash, label, chainId }));
  if (kept.length) sessionStorage.setItem(KEPT, JSON.stringify(kept));
  else sessionStorage.removeItem(KEPT);
}

const fresh = (hash: Hex, label: string): Sent => ({
  hash,
  label,
  stage: "waiting",
  blockHash: null,
  blockNumber: null,
  note: "",
});

export function track(hash: Hex, label: string, chainId: number): void {
  sent.update((list) => [fresh(hash, label), ...list.filter((entry) => entry.hash !== hash)]);
  keep(chainId);
}

/** Takes up what was open before a reload. */
export function resume(chainId: number): void {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]") as { hash: Hex; label: string; chainId: number }[];
    sent.set(kept.filter((entry) => entry.chainId === chainId).map(({ hash, label }) => fresh(hash, label)));
  } catch {
    sessionStorage.removeItem(KEPT);
  }
}

export const dismiss = (hash: Hex): void => sent.update((list) => list.filter((entry) => entry.hash !== hash));

interface Receipt {
  readonly blockHash: Hex;
  readonly blockNumber: bigint;
  readonly succeeded: boolean;
}

/** What becomes of a transaction, given what the chain says now; the same entry when nothing changed. */
export function advance(entry: Sent, receipt: Receipt | null, head: bigint, depth: bigint): Sent {
  if (receipt === null) {
    if (entry.blockHash === null) return entry;
    const note =
      "The chain was reorganised and gave the block with this transaction back. It waits again, and what it did is undone until it is mined anew.";
    return { ...entry, stage: "returned", blockHash: null, blockNumber: null, note };
  }
  if (!receipt.succeeded) {
    return { ...entry, stage: "failed", blockHash: receipt.blockHash, blockNumber: receipt.blockNumber };
  }
  const stage: Stage = head >= receipt.blockNumber + depth ? "settled" : "mined";
  const moved = entry.blockHash !== null && entry.blockHash !== receipt.blockHash;
  const note =
    moved || entry.stage === "returned" ? "The chain was reorganised; the transaction is in again." : entry.note;
  if (stage === entry.stage && receipt.blockHash === entry.blockHash && note === entry.note) return entry;
  return { ...entry, stage, blockHash: receipt.blockHash, blockNumber: receipt.blockNumber, note };
}

async function receiptOf(context: Context, hash: Hex): Promise<Receipt | null> {
  const raw = (await context.client.request({
    method: "eth_getTransactionReceipt",
    params: [hash],
  })) as RpcTransactionReceipt | null;
  if (!raw?.blockHash) return null;
  return { blockHash: raw.blockHash, blockNumber: hexToBigInt(raw.blockNumber), succeeded: raw.status === "0x1" };
}

const UNEXPLAINED =
  "It failed on chain, and the same call passes before and after its block: something in the block changed. Only the fee was spent.";

/**
 * Why a mined transaction failed: the same call once more, at its own block, whose time it met, and at the one before,
 * whose state it may have met.
 */
async function failureOf(context: Context, entry: Sent, wording: Wording): Promise<string> {
  const block = entry.blockNumber ?? 1n;
  for (const blockNumber of [block, block - 1n]) {
    try {
      const { from, to, input, value } = await getTransaction(context.client, { hash: entry.hash });
      await call(context.client, { account: from, to, data: input, value, blockNumber });
    } catch (thrown) {
      const data = revertData(thrown);
      if (data) return `${(await decodeRefusal(data, wording)).sentence} Only the fee was spent.`;
    }
  }
  return UNEXPLAINED;
}

/** Looks at every open transaction once; returns whether any changed. */
export async function follow(context: Context, head: bigint, isLocal: boolean): Promise<boolean> {
  const depth = isLocal ? DEPTH.local : DEPTH.public;
  let changed = false;
  for (const entry of sent.get()) {
    if (entry.stage === "settled" || entry.stage === "failed") continue;
    let next = advance(entry, await receiptOf(context, entry.hash), head, depth);
    if (next === entry) continue;
    if (next.stage === "failed") {
      next = { ...next, note: await failureOf(context, next, { deployment: context.deployment }) };
    }
    changed = true;
    sent.update((list) => list.map((other) => (other.hash === entry.hash ? next : other)));
  }
  if (changed) keep(context.deployment.chainId);
  return changed;
}
