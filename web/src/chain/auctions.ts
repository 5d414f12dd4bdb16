/** Auctions that are running, and what a bid in one would do. */
import { encodeEventTopics, type Hex } from "viem";
import { readContract } from "viem/actions";
import { actionPreviewAbi, auctionAbi } from "./abi.ts";
import type { Context } from "./client.ts";
import { readLogs } from "./logs.ts";

export interface Running {
  readonly accountId: bigint;
  readonly solventTs: number;
  readonly insolventTs: number;
  readonly lossWad: bigint;
  readonly reserveWad: bigint;
}

/** Every auction that was ever started and is still open. */
export async function readAuctions(context: Context): Promise<Running[]> {
  const { Auction } = context.deployment.contracts;
  const [topic] = encodeEventTopics({ abi: auctionAbi, eventName: "AuctionStarted" }) as [Hex];
  const logs = await readLogs(context, { address: [Auction], topics: [topic] });
  const ids = [...new Set(logs.map((log) => BigInt(log.topics[1] ?? "0x0")))];
  const states = await Promise.all(
    ids.map(async (accountId) => {
      const args = [accountId] as const;
      const state = await readContract(context.client, {
        address: Auction,
        abi: auctionAbi,
        functionName: "auctionOf",
        args,
      });
      return { accountId, ...state };
    }),
  );
  return states.filter((state) => state.isOpen);
}

/** What a bid would do to both accounts, to the wei of this block. */
export async function previewBid(context: Context, accountId: bigint, bidderId: bigint, fractionWad: bigint) {
  return readContract(context.client, {
    address: context.deployment.contracts.ActionPreview,
    abi: actionPreviewAbi,
    functionName: "previewLiquidation",
    args: [accountId, bidderId, fractionWad],
  });
}

/** The same without an account to bid with. */
export async function quoteBid(context: Context, accountId: bigint, fractionWad: bigint) {
  return readContract(context.client, {
    address: context.deployment.contracts.Auction,
    abi: auctionAbi,
    functionName: "previewBid",
    args: [accountId, fractionWad],
  });
}
