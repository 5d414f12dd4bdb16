/** Orders as a wallet signs them for the exchange, and what they say in words. */
import type { Address, Hex, TypedDataDefinition } from "viem";
import { signedTypes } from "../chain/abi.ts";
import type { Deployment } from "../chain/deployment.ts";
import { cash, moment, percent, quantity } from "../chain/units.ts";
import { type Instrument, instrumentName, instrumentWord } from "../chain/words.ts";
import type { components } from "./schema.ts";

export type WireOrder = components["schemas"]["Order"];
export type WireQuote = components["schemas"]["Quote"];

/** Kinds of orders by the number that the exchange gives them. */
export const ORDER_KINDS = ["limit", "fill or kill", "post only"] as const;

export interface Order {
  readonly accountId: bigint;
  readonly instrument: bigint;
  readonly isBuy: boolean;
  readonly quantityWad: bigint;
  readonly priceWad: bigint;
  readonly nonce: bigint;
  readonly expiryTs: number;
  readonly signer: Address;
  readonly kind: number;
  readonly reduceOnly: boolean;
  readonly maxFeeWad: bigint;
  readonly transferCount: bigint;
  readonly triggerWad: bigint;
  readonly triggerAbove: boolean;
  readonly triggerAfterTs: number;
  readonly exclusive: boolean;
}

/** Spot of a round that an order waits for. */
export interface Wait {
  readonly side: "atOrAbove" | "atOrBelow";
  readonly spotWad: bigint;
}

export interface Terms {
  readonly accountId: bigint;
  readonly instrument: Instrument;
  readonly isBuy: boolean;
  readonly quantityWad: bigint;
  readonly priceWad: bigint;
  readonly kind: number;
  readonly reduceOnly: boolean;
  readonly expiryTs: number;
  readonly maxFeeWad: bigint;
  readonly signer: Address;
  readonly transferCount: bigint;
  /** Waits for a round later than `nowTs`, or for nothing. */
  readonly wait: Wait | null;
  readonly nowTs: number;
  /** Whether the chain may fill only one of the exclusive orders of its nonce. */
  readonly exclusive: boolean;
}

const NS_PER_MS = 1_000_000n;

/**
 * A nonce above every earlier one of this clock, so that cancelling all below a moment works.
 *
 * It is in nanoseconds, as those of the Python client are: whoever cancels here what lies below now must not shut out
 * orders that the same key signs there afterwards.
 */
export const freshNonce = (nowMs: number, random: bigint): bigint => BigInt(nowMs) * NS_PER_MS + (random % NS_PER_MS);

/** A fresh nonce by this computer's clock. */
export const nextNonce = (): bigint => freshNonce(Date.now(), crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n);

export const orderOf = (terms: Terms, nonce: bigint): Order => {
  const { instrument, wait, nowTs, ...rest } = terms;
  return {
    ...rest,
    instrument: instrumentWord(instrument),
    nonce,
    triggerWad: wait?.spotWad ?? 0n,
    triggerAbove: wait?.side === "atOrAbove",
    triggerAfterTs: wait ? nowTs : 0,
  };
};

/** What an order waits for; null when for nothing. */
export const waitOf = (order: Pick<Order, "triggerWad" | "triggerAbove">): Wait | null =>
  order.triggerWad === 0n ? null : { side: order.triggerAbove ? "atOrAbove" : "atOrBelow", spotWad: order.triggerWad };

export const waitText = ({ side, spotWad }: Wait, symbol: string): string =>
  `${symbol} at or ${side === "atOrAbove" ? "above" : "below"} ${cash(spotWad)}`;

export const domainOf = (deployment: Deployment) => ({
  name: "Plimsoll Exchange",
  version: "1",
  chainId: deployment.chainId,
  verifyingContract: deployment.contracts.Exchange,
});

/** EIP-712 typed data of an order. */
export function orderTypedData(deployment: Deployment, order: Order): TypedDataDefinition {
  return {
    domain: domainOf(deployment),
    primaryType: "Order",
    types: { Order: signedTypes.Order },
    message: { ...order },
  };
}

/** The order as the service takes it: numbers of the chain as decimal text. */
export function toWire(order: Order): WireOrder {
  return {
    ...order,
    accountId: Number(order.accountId),
    instrument: order.instrument.toString(),
    quantityWad: order.quantityWad.toString(),
    priceWad: order.priceWad.toString(),
    nonce: order.nonce.toString(),
    maxFeeWad: order.maxFeeWad.toString(),
    transferCount: Number(order.transferCount),
    triggerWad: order.triggerWad.toString(),
  };
}

/** An order as the service tells it, with the numbers of the chain as numbers. */
export const fromWire = (wire: WireOrder): Order => ({
  ...wire,
  accountId: BigInt(wire.accountId),
  instrument: BigInt(wire.instrument),
  quantityWad: BigInt(wire.quantityWad),
  priceWad: BigInt(wire.priceWad),
  nonce: BigInt(wire.nonce),
  maxFeeWad: BigInt(wire.maxFeeWad),
  transferCount: BigInt(wire.transferCount),
  triggerWad: BigInt(wire.triggerWad),
  signer: wire.signer as Address,
});

/** All that is signed, in words: nothing is left to the wallet's screen alone. */
export function describeOrder(
  order: Order,
  instrument: Instrument,
  symbol: string,
): readonly (readonly [string, string])[] {
  const wait = waitOf(order);
  return [
    [
      "Order",
      `${order.isBuy ? "Buy" : "Sell"} at most ${quantity(order.quantityWad)} ${instrumentName(instrument, symbol)}`,
    ],
    [order.isBuy ? "At most" : "At least", `${cash(order.priceWad)} a unit`],
    ["Kind", `${ORDER_KINDS[order.kind] ?? order.kind}${order.reduceOnly ? ", reduces only" : ""}`],
    ["Good until", moment(order.expiryTs)],
    ["Highest fee", `${percent(order.maxFeeWad, 3)} of the price`],
    ["For", `account ${order.accountId}`],
    ...(wait
      ? ([["Waits for", `a round after ${moment(order.triggerAfterTs)} with ${waitText(wait, symbol)}`]] as const)
      : []),
    ...(order.exclusive ? ([["Exclusive", "the chain fills at most one such order of its nonce"]] as const) : []),
  ];
}

export interface SignedOrder {
  readonly order: Order;
  readonly signature: Hex;
}
