/** What an order of the ticket becomes: one signed order, or two that cancel each other, and what they cost. */
import { WAD } from "../chain/units.ts";
import { isOption } from "../chain/words.ts";
import type { OrderView } from "./client.ts";
import { type Order, orderOf, type Terms, type Wait } from "./order.ts";

/** Ways of an order: the exchange's kind, and for how long the service keeps what does not fill at once. */
export const WAYS = {
  limit: { kind: 0, timeInForce: "gtc", name: "Limit" },
  post: { kind: 2, timeInForce: "gtc", name: "Post only" },
  ioc: { kind: 0, timeInForce: "ioc", name: "Immediate or cancel" },
  fok: { kind: 1, timeInForce: "ioc", name: "Fill or kill" },
} as const;
export type Way = keyof typeof WAYS;

/** The way of an order that the service has; a kind with a time in force that no way has goes by the kind. */
export function wayOf({ order, timeInForce }: Pick<OrderView, "order" | "timeInForce">): Way {
  const ways = (Object.keys(WAYS) as Way[]).filter((way) => WAYS[way].kind === order.kind);
  return ways.find((way) => WAYS[way].timeInForce === timeInForce) ?? ways[0] ?? "limit";
}

/** The other order of a pair, of which the chain fills one at most. */
export interface Other {
  readonly priceWad: bigint;
  readonly wait: Wait;
}

export interface Planned {
  readonly order: Order;
  readonly timeInForce: "gtc" | "ioc";
}

/**
 * The orders that are signed, in the order in which they go out.
 *
 * Two that cancel each other share a nonce and are exclusive. The one that waits goes first: an order that trades at
 * once cancels only what the service has by then.
 */
export function planned(terms: Omit<Terms, "kind">, way: Way, other: Other | null, nonce: bigint): Planned[] {
  const { kind, timeInForce } = WAYS[way];
  const exclusive = terms.exclusive || other !== null;
  const first = { order: orderOf({ ...terms, kind, exclusive }, nonce), timeInForce };
  if (!other) return [first];
  const { priceWad, wait } = other;
  const second = orderOf({ ...terms, kind: WAYS.limit.kind, exclusive, priceWad, wait }, nonce);
  return [{ order: second, timeInForce: WAYS.limit.timeInForce }, first];
}

/** Fee rates of an instrument, wad, as shares of quantity times price. */
export interface Rates {
  readonly makerWad: bigint;
  readonly takerWad: bigint;
}

export interface Cost {
  /** Cash that changes hands at once; negative is received. 0 for linear instruments, whose price settles later. */
  readonly premiumWad: bigint;
  /** Fee when the whole order rests and is met, and when the whole of it takes. */
  readonly makerFeeWad: bigint;
  readonly takerFeeWad: bigint;
}

const mulUp = (a: bigint, b: bigint): bigint => (a * b + WAD - 1n) / WAD;

/** What a whole fill at the order's own price costs, rounded as the contract rounds: against the payer. */
export function costOf(kind: number, isBuy: boolean, quantityWad: bigint, priceWad: bigint, rates: Rates): Cost {
  const valueWad = mulUp(quantityWad, priceWad);
  const received = (quantityWad * priceWad) / WAD;
  return {
    premiumWad: isOption(kind) ? (isBuy ? valueWad : -received) : 0n,
    makerFeeWad: mulUp(valueWad, rates.makerWad),
    takerFeeWad: mulUp(valueWad, rates.takerWad),
  };
}

/** Rates that an order of this way can meet: a post-only order never takes, one that does not stay never rests. */
export const feesOf = (way: Way, cost: Cost): readonly [least: bigint, most: bigint] => {
  if (way === "post") return [cost.makerFeeWad, cost.makerFeeWad];
  if (WAYS[way].timeInForce === "ioc") return [cost.takerFeeWad, cost.takerFeeWad];
  return cost.makerFeeWad < cost.takerFeeWad
    ? [cost.makerFeeWad, cost.takerFeeWad]
    : [cost.takerFeeWad, cost.makerFeeWad];
};
