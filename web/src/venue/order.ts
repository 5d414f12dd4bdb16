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
  const { instrument, ...rest } = terms;
  return { ...rest, instrument: instrumentWord(instrument), nonce };
};

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
  signer: wire.signer as Address,
});

/** All that is signed, in words: nothing is left to the wallet's screen alone. */
export function describeOrder(
  order: Order,
  instrument: Instrument,
  symbol: string,
): readonly (readonly [string, string])[] {
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
  ];
}

export interface SignedOrder {
  readonly order: Order;
  readonly signature: Hex;
}
