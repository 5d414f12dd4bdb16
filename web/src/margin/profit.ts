/** Average price of what is held, from an account's fills. */
import { WAD } from "../chain/units.ts";

export interface Fill {
  /** Signed: negative sells. */
  readonly quantityWad: bigint;
  readonly priceWad: bigint;
}

export interface Average {
  readonly quantityWad: bigint;
  readonly priceWad: bigint;
}

const size = (value: bigint): bigint => (value < 0n ? -value : value);

/** Average entry after fills in their order: what closes keeps it, what turns the position around starts anew. */
export function averageOf(fills: readonly Fill[]): Average {
  let held = 0n;
  let priceWad = 0n;
  for (const fill of fills) {
    const after = held + fill.quantityWad;
    const opens = held === 0n || held > 0n === fill.quantityWad > 0n;
    if (opens) priceWad = (size(held) * priceWad + size(fill.quantityWad) * fill.priceWad) / (size(after) || 1n);
    else if (after !== 0n && after > 0n !== held > 0n) priceWad = fill.priceWad;
    held = after;
  }
  return { quantityWad: held, priceWad: held === 0n ? 0n : priceWad };
}

/** Profit of an option position at its present value; null when the fills do not explain the position. */
export function profitOf(quantityWad: bigint, valueWad: bigint, average: Average): bigint | null {
  if (average.quantityWad !== quantityWad) return null;
  return valueWad - (quantityWad * average.priceWad) / WAD;
}
