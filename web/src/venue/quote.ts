/** Quotes of several legs: whether one is for what was asked, and the call that takes it. */
import { encodeFunctionData, type Hex } from "viem";
import { exchangeAbi } from "../chain/abi.ts";
import { type Instrument, instrumentWord } from "../chain/words.ts";
import type { WireQuote } from "./order.ts";

export interface QuoteLeg {
  readonly instrument: Instrument;
  readonly isBuy: boolean;
  readonly quantityWad: bigint;
}

/** A taker accepts no fee above this share; the exchange's own rate is far below it. */
const MAX_FEE_WAD = 10n ** 16n;

/** Whether a quote is for what was asked: the same legs, seen from the maker's side. */
export function answersRequest(quote: WireQuote, legs: readonly QuoteLeg[], takerId: bigint): boolean {
  if (quote.legs.length !== legs.length || (quote.takerId !== 0 && BigInt(quote.takerId) !== takerId)) return false;
  return quote.legs.every((leg, index) => {
    const asked = legs[index];
    return (
      asked !== undefined &&
      BigInt(leg.instrument) === instrumentWord(asked.instrument) &&
      leg.isBuy !== asked.isBuy &&
      BigInt(leg.quantityWad) === asked.quantityWad
    );
  });
}

/** The call that takes a quote, built here from what is shown and not taken from the service. */
export function takeCall(quote: WireQuote, signature: Hex, takerId: bigint): Hex {
  const struct = {
    ...quote,
    accountId: BigInt(quote.accountId),
    takerId: BigInt(quote.takerId),
    nonce: BigInt(quote.nonce),
    signer: quote.signer as Hex,
    maxFeeWad: BigInt(quote.maxFeeWad),
    transferCount: BigInt(quote.transferCount),
    legs: quote.legs.map((leg) => ({
      instrument: BigInt(leg.instrument),
      isBuy: leg.isBuy,
      quantityWad: BigInt(leg.quantityWad),
      priceWad: BigInt(leg.priceWad),
    })),
  };
  return encodeFunctionData({
    abi: exchangeAbi,
    functionName: "fillQuote",
    args: [struct, signature, takerId, MAX_FEE_WAD],
  });
}
