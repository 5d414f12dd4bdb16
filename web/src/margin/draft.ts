/** A draft: trades, deposits, withdrawals and a mode that are only tried. */
import { type Changes, KEEP_MODE } from "../chain/account.ts";
import { WAD } from "../chain/units.ts";
import { type Instrument, isOption, pack } from "../chain/words.ts";

const E8_TO_WAD = 10n ** 10n;

export interface Leg {
  readonly key: string;
  readonly instrument: Instrument;
  /** Negative sells. */
  readonly quantityWad: bigint;
  /** Premium of an option, price of a linear instrument. */
  readonly priceWad: bigint;
}

export interface Draft {
  readonly legs: readonly Leg[];
  /** Deposits, negative for withdrawals, wad, by token id; 0 is cash. */
  readonly tokens: ReadonlyMap<number, bigint>;
  /** KEEP_MODE for the mode as it is. */
  readonly mode: number;
}

export const EMPTY: Draft = { legs: [], tokens: new Map(), mode: KEEP_MODE };

export const isEmpty = (draft: Draft): boolean =>
  !draft.legs.length && draft.mode === KEEP_MODE && [...draft.tokens.values()].every((amount) => amount === 0n);

/** Cash that a leg costs at once: the premium of an option; a linear instrument costs nothing to enter. */
export function premiumOf(leg: Leg): bigint {
  if (!isOption(leg.instrument.kind)) return 0n;
  const product = leg.quantityWad * leg.priceWad;
  // The buyer pays rounded up, the seller gets rounded down.
  return product > 0n ? (product + WAD - 1n) / WAD : product / WAD;
}

/** The draft as `preview` takes it. */
export function changesOf(draft: Draft): Changes {
  const others = [...draft.tokens].filter(([tokenId, amount]) => tokenId !== 0 && amount !== 0n);
  const premiums = draft.legs.reduce((sum, leg) => sum + premiumOf(leg), 0n);
  return {
    mode: draft.mode,
    cashDeltaWad: (draft.tokens.get(0) ?? 0n) - premiums,
    tokenIds: others.map(([tokenId]) => BigInt(tokenId)),
    amountDeltasWad: others.map(([, amount]) => amount),
    positions: draft.legs.map(({ instrument, quantityWad, priceWad }) =>
      pack(instrument, isOption(instrument.kind) ? instrument.strikeE8 : priceWad / E8_TO_WAD, quantityWad),
    ),
  };
}
