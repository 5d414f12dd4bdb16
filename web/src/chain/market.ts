/** What everybody shares: rounds, tokens and their terms, the rate of loans. */
import { readContract } from "viem/actions";
import {
  accountsAbi,
  lensAbi,
  liquidityRangeAbi,
  oracleAbi,
  perpMarketAbi,
  scenarioBookAbi,
  sourceBookAbi,
  vaultAbi,
} from "./abi.ts";
import type { AtBlock, Context } from "./client.ts";
import type { TokenRecord } from "./deployment.ts";
import { WAD } from "./units.ts";

/** One expiry of a round: forward, rate and raw SVI of total variance. */
export interface Surface {
  readonly expiryTs: number;
  readonly forwardWad: bigint;
  readonly rateWad: bigint;
  readonly aWad: bigint;
  readonly bWad: bigint;
  readonly rhoWad: bigint;
  readonly mWad: bigint;
  readonly sWad: bigint;
}

/** One underlying at its last round; surfaces are empty when that is too old to count. */
export interface Underlying {
  readonly id: number;
  readonly symbol: string;
  readonly spotWad: bigint;
  readonly perpWad: bigint;
  readonly roundTs: number;
  readonly surfaces: readonly Surface[];
  /** Cash that one unit of a long perpetual pays a day. */
  readonly fundingWad: bigint;
}

export interface Token extends TokenRecord {
  /** Price of one token, wad: its own, its share of an underlying's spot, or what its source says at the spot. */
  readonly priceWad: bigint;
  readonly priceTs: number;
  readonly haircutWad: bigint;
  /** Underlying whose scenarios the token's price risk is part of; 0 for none. */
  readonly linkedId: number;
  readonly capRaw: bigint;
  readonly heldRaw: bigint;
}

export interface Lending {
  readonly debtWad: bigint;
  readonly positiveCashWad: bigint;
  /** What a debt pays a year, in steps of 1e-6. */
  readonly borrowE6: number;
  /** What positive cash earns a year, in steps of 1e-6. */
  readonly earnE6: number;
  readonly maxUtilisationE6: number;
}

export interface Market {
  readonly blockNumber: bigint;
  readonly blockTs: number;
  readonly heartbeatSec: number;
  readonly underlyings: readonly Underlying[];
  readonly tokens: readonly Token[];
  readonly lending: Lending;
}

async function underlyingOf(at: AtBlock, id: number, symbol: string): Promise<Underlying> {
  const { client, blockNumber, deployment } = at;
  const { Oracle, Lens, Accounts } = deployment.contracts;
  const [[spotWad, roundTs], round, [, fundingWad]] = await Promise.all([
    readContract(client, { address: Oracle, abi: oracleAbi, functionName: "lastSpotOf", args: [id], blockNumber }),
    // A round that is stale or missing is a state of the market and no failure of this page.
    readContract(client, { address: Lens, abi: lensAbi, functionName: "latestRound", args: [id], blockNumber }).catch(
      refusedOnly,
    ),
    readContract(client, { address: Accounts, abi: accountsAbi, functionName: "fundingOf", args: [id], blockNumber }),
  ]);
  return {
    id,
    symbol,
    spotWad,
    perpWad: round?.[0].perpWad ?? 0n,
    roundTs,
    surfaces: round?.[1] ?? [],
    fundingWad,
  };
}

/** Null for a call that a contract refused; anything else is thrown on. */
export function refusedOnly(thrown: unknown): null {
  if (thrown instanceof Error && thrown.name === "ContractFunctionExecutionError") {
    const cause = thrown.cause as { name?: string } | undefined;
    if (cause?.name === "ContractFunctionRevertedError") return null;
  }
  throw thrown;
}

/** What a token is worth that is no share of its underlying; nothing where its source does not answer. */
async function worthOf(at: AtBlock, tokenId: bigint, spotWad: bigint): Promise<bigint> {
  const { client, blockNumber, deployment } = at;
  const { source } = await readContract(client, {
    address: deployment.contracts.SourceBook,
    abi: sourceBookAbi,
    functionName: "termsOf",
    args: [tokenId],
    blockNumber,
  });
  if (BigInt(source) === 0n) return 0n;
  const answer = await readContract(client, {
    address: source,
    abi: liquidityRangeAbi,
    functionName: "valuesAt",
    args: [WAD, [spotWad]],
    blockNumber,
  }).catch(refusedOnly);
  return answer?.[2][0] ?? 0n;
}

async function tokenOf(at: AtBlock, record: TokenRecord, underlyings: readonly Underlying[]): Promise<Token> {
  const { client, blockNumber, deployment } = at;
  const { Vault, ScenarioBook, Oracle } = deployment.contracts;
  const args = [BigInt(record.tokenId)] as const;
  const [custody, terms, [ownWad, ownTs]] = await Promise.all([
    readContract(client, { address: Vault, abi: vaultAbi, functionName: "tokenOf", args, blockNumber }),
    readContract(client, {
      address: ScenarioBook,
      abi: scenarioBookAbi,
      functionName: "collateralOf",
      args,
      blockNumber,
    }),
    readContract(client, { address: Oracle, abi: oracleAbi, functionName: "lastTokenPriceOf", args, blockNumber }),
  ]);
  const linked = underlyings.find((entry) => entry.id === terms.linkedUnderlying);
  const isCash = record.tokenId === 0;
  const linkedWad =
    linked && terms.ratioWad === 0n
      ? await worthOf(at, args[0], linked.spotWad)
      : ((linked?.spotWad ?? 0n) * terms.ratioWad) / WAD;
  return {
    ...record,
    priceWad: isCash ? WAD : linked ? linkedWad : ownWad,
    priceTs: linked ? linked.roundTs : ownTs,
    haircutWad: isCash ? 0n : linked ? terms.linkedHaircutWad : terms.haircutWad,
    linkedId: terms.linkedUnderlying,
    capRaw: custody.capRaw,
    heldRaw: custody.heldRaw,
  };
}

async function lendingOf(at: AtBlock): Promise<Lending> {
  const { client, blockNumber, deployment } = at;
  const address = deployment.contracts.Accounts;
  const [[loan, curve], positiveCashWad] = await Promise.all([
    readContract(client, { address, abi: accountsAbi, functionName: "lendingOf", blockNumber }),
    readContract(client, { address, abi: accountsAbi, functionName: "positiveCashWad", blockNumber }),
  ]);
  const borrowE6 = Number(loan.rateE6);
  const used = positiveCashWad === 0n ? 0 : Number((loan.debtWad * 10n ** 6n) / positiveCashWad) / 1e6;
  return {
    debtWad: loan.debtWad,
    positiveCashWad,
    borrowE6,
    earnE6: borrowE6 * used * (1 - curve.reserveBps / 1e4),
    maxUtilisationE6: curve.maxUtilisationE6,
  };
}

/** Everything that does not depend on the wallet, at one block. */
export async function readMarket(at: AtBlock, blockTs: number): Promise<Market> {
  const { client, blockNumber, deployment } = at;
  const [heartbeat, lending, underlyings] = await Promise.all([
    readContract(client, {
      address: deployment.contracts.Oracle,
      abi: oracleAbi,
      functionName: "heartbeatSec",
      blockNumber,
    }),
    lendingOf(at),
    Promise.all([...deployment.underlyings].map(([id, symbol]) => underlyingOf(at, id, symbol))),
  ]);
  const tokens = await Promise.all(deployment.tokens.map((record) => tokenOf(at, record, underlyings)));
  return { blockNumber, blockTs, heartbeatSec: Number(heartbeat), underlyings, tokens, lending };
}

/** Terms of funding of an underlying: largest premium and over what time one is paid. */
export async function readFundingTerms(context: Context, underlyingId: number) {
  const [terms] = await readContract(context.client, {
    address: context.deployment.contracts.PerpMarket,
    abi: perpMarketAbi,
    functionName: "termsOf",
    args: [underlyingId],
  });
  return terms;
}
