/** One account as the contracts see it: holdings, margin, every scenario row, greeks, auction. */
import { type Address, type Hex, isAddressEqual } from "viem";
import { readContract } from "viem/actions";
import { accountsAbi, auctionAbi, guaranteesAbi, marginEngineAbi, riskEngineAbi, scenarioBookAbi } from "./abi.ts";
import type { AtBlock, Context } from "./client.ts";
import { readLogs } from "./logs.ts";
import { refusedOnly } from "./market.ts";
import { type Position, unpack } from "./words.ts";

export const STATES = ["healthy", "margin call", "liquidatable", "insolvent"] as const;
export const MODES = ["SINGLE", "STANDARD", "CROSS"] as const;
export const KEEP_MODE = 255;

export interface UnderlyingRisk {
  readonly underlyingId: number;
  readonly scanWad: bigint;
  readonly certifiedScanWad: bigint;
  readonly basisWad: bigint;
  readonly vegaTermWad: bigint;
  readonly skewTermWad: bigint;
  readonly shortMinWad: bigint;
  readonly concentrationWad: bigint;
  readonly requirementWad: bigint;
  readonly worstRow: bigint;
  readonly spotWad: bigint;
  readonly grossNotionalWad: bigint;
}

export interface ExpiryGreeks {
  readonly expiryTs: number;
  readonly deltaWad: bigint;
  readonly gammaWad: bigint;
  readonly vegaWad: bigint;
  readonly thetaWad: bigint;
}

export interface UnderlyingDetail extends Omit<ExpiryGreeks, "expiryTs"> {
  readonly rowPnlWad: readonly bigint[];
  readonly expiries: readonly ExpiryGreeks[];
}

export interface Margin {
  /** Index into STATES. */
  readonly state: number;
  readonly equityWad: bigint;
  readonly marketEquityWad: bigint;
  readonly markToMarketWad: bigint;
  readonly initialWad: bigint;
  readonly maintenanceWad: bigint;
  readonly debtChargeWad: bigint;
  readonly underlyings: readonly UnderlyingRisk[];
  readonly details: readonly UnderlyingDetail[];
}

export interface Holding {
  readonly tokenId: number;
  readonly amountWad: bigint;
}

/** A position with its value at the mark of the round: of an option its price, of a linear one its profit. */
export interface ValuedPosition extends Position {
  readonly valueWad: bigint | null;
}

export interface Account {
  readonly id: bigint;
  readonly owner: Address;
  readonly mode: number;
  readonly cashWad: bigint;
  /** Cash as stored: what is missing to `cashWad` is interest, funding and losses that are not booked yet. */
  readonly storedCashWad: bigint;
  readonly holdings: readonly Holding[];
  readonly positions: readonly ValuedPosition[];
  /** What guarantee lines add to the equity of `margin`: what it lacks of its initial margin, at most their credit. */
  readonly guaranteedWad: bigint;
  /** Null when a price that is needed is stale; `marginProblem` then holds what was thrown. */
  readonly margin: Margin | null;
  readonly marginProblem: unknown;
  readonly isUnderAuction: boolean;
  readonly calledTs: number;
}

interface RawState extends Omit<Margin, "details"> {}

export const marginFrom = (state: RawState, details: readonly UnderlyingDetail[]): Margin => ({ ...state, details });

/** A margin with what guarantee lines can give it, as the contracts count it. */
export function filledUp(margin: Margin, creditWad: bigint): { margin: Margin; guaranteedWad: bigint } {
  const lackWad = margin.initialWad - margin.equityWad;
  const guaranteedWad = lackWad <= 0n ? 0n : lackWad < creditWad ? lackWad : creditWad;
  if (guaranteedWad === 0n) return { margin, guaranteedWad };
  const equityWad = margin.equityWad + guaranteedWad;
  const state =
    margin.marketEquityWad + guaranteedWad < 0n
      ? 3
      : equityWad < margin.maintenanceWad
        ? 2
        : equityWad < margin.initialWad
          ? 1
          : 0;
  return { margin: { ...margin, equityWad, state }, guaranteedWad };
}

async function valued(at: AtBlock, position: Position): Promise<ValuedPosition> {
  const risk = await readContract(at.client, {
    address: at.deployment.contracts.RiskEngine,
    abi: riskEngineAbi,
    functionName: "riskOf",
    args: [position.underlyingId, [position.word], 0n],
    blockNumber: at.blockNumber,
  }).catch(refusedOnly);
  return { ...position, valueWad: risk ? risk.markWad : null };
}

/** The account at one block; null when it does not exist. */
export async function readAccount(at: AtBlock, id: bigint): Promise<Account | null> {
  const { client, blockNumber, deployment } = at;
  const { Accounts, Auction, Guarantees, MarginEngine } = deployment.contracts;
  const owner = await readContract(client, {
    address: Accounts,
    abi: accountsAbi,
    functionName: "ownerOf",
    args: [id],
    blockNumber,
  }).catch(refusedOnly);
  if (owner === null) return null;
  const [snapshot, storedCashWad, auction, calledTs, creditWad] = await Promise.all([
    readContract(client, { address: Accounts, abi: accountsAbi, functionName: "snapshotOf", args: [id], blockNumber }),
    readContract(client, {
      address: Accounts,
      abi: accountsAbi,
      functionName: "storedCashOf",
      args: [id],
      blockNumber,
    }),
    readContract(client, { address: Auction, abi: auctionAbi, functionName: "auctionOf", args: [id], blockNumber }),
    readContract(client, {
      address: Auction,
      abi: auctionAbi,
      functionName: "marginCallTsOf",
      args: [id],
      blockNumber,
    }),
    readContract(client, {
      address: Guarantees,
      abi: guaranteesAbi,
      functionName: "creditOf",
      args: [id],
      blockNumber,
    }),
  ]);
  let marginProblem: unknown = null;
  const [found, positions] = await Promise.all([
    readContract(client, {
      address: MarginEngine,
      abi: marginEngineAbi,
      functionName: "evaluateDetailed",
      args: [snapshot],
      blockNumber,
    })
      .then(([state, details]) => filledUp(marginFrom(state, details), creditWad))
      .catch((thrown: unknown) => {
        marginProblem = thrown;
        return refusedOnly(thrown);
      }),
    Promise.all(snapshot.positions.map((word) => valued(at, unpack(word)))),
  ]);
  return {
    id,
    owner,
    mode: snapshot.mode,
    cashWad: snapshot.cashWad,
    storedCashWad,
    holdings: snapshot.tokenIds.map((tokenId, index) => ({
      tokenId: Number(tokenId),
      amountWad: snapshot.amountsWad[index] ?? 0n,
    })),
    positions,
    margin: found?.margin ?? null,
    guaranteedWad: found?.guaranteedWad ?? 0n,
    marginProblem,
    isUnderAuction: auction.isOpen,
    calledTs,
  };
}

const TRANSFER: Hex = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const topicOf = (address: Address): Hex => `0x${address.slice(2).toLowerCase().padStart(64, "0")}`;

/** Ids of the accounts that an address owns now, ascending: those that were ever sent to it and still are. */
export async function readAccountIds(context: Context, owner: Address): Promise<bigint[]> {
  const { Accounts } = context.deployment.contracts;
  const logs = await readLogs(context, { address: [Accounts], topics: [TRANSFER, null, topicOf(owner)] });
  const ids = [...new Set(logs.map((log) => BigInt(log.topics[3] ?? "0x0")))];
  const owners = await Promise.all(
    ids.map((id) =>
      readContract(context.client, { address: Accounts, abi: accountsAbi, functionName: "ownerOf", args: [id] }).catch(
        refusedOnly,
      ),
    ),
  );
  const owned = ids.filter((_, index) => {
    const now = owners[index];
    return now != null && isAddressEqual(now, owner);
  });
  return owned.sort((a, b) => (a < b ? -1 : 1));
}

/** Scenario rows of an underlying, and its price range. */
export async function readBook(context: Context, underlyingId: number) {
  const book = await readContract(context.client, {
    address: context.deployment.contracts.ScenarioBook,
    abi: scenarioBookAbi,
    functionName: "bookOf",
    args: [underlyingId],
  });
  return { rows: book.rows, priceRangeWad: book.params.priceRangeWad };
}

export interface Changes {
  readonly mode: number;
  readonly cashDeltaWad: bigint;
  readonly tokenIds: readonly bigint[];
  readonly amountDeltasWad: readonly bigint[];
  readonly positions: readonly bigint[];
}

export interface Holdings {
  readonly mode: number;
  readonly cashWad: bigint;
  readonly tokenIds: readonly bigint[];
  readonly amountsWad: readonly bigint[];
  readonly positions: readonly bigint[];
}

/** Margin of an account that does not exist yet, as opening it would be judged by. */
export async function evaluate(context: Context, snapshot: Holdings): Promise<Margin> {
  const [state, details] = await readContract(context.client, {
    address: context.deployment.contracts.MarginEngine,
    abi: marginEngineAbi,
    functionName: "evaluateOwnDetailed",
    args: [snapshot],
  });
  return marginFrom(state, details);
}

export interface Comparison {
  readonly before: Margin;
  readonly after: Margin;
}

/** What the contracts say an account's margin would be after hypothetical changes. */
export async function previewChanges(context: Context, id: bigint, changes: Changes): Promise<Comparison> {
  const [before, after, detailsBefore, detailsAfter] = await readContract(context.client, {
    address: context.deployment.contracts.MarginEngine,
    abi: marginEngineAbi,
    functionName: "preview",
    args: [id, changes],
  });
  return { before: marginFrom(before, detailsBefore), after: marginFrom(after, detailsAfter) };
}
