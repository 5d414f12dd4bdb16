/** The book of one instrument, from a snapshot and changes. */
import type { components } from "./schema.ts";

export type WireLevel = components["schemas"]["Level"];

export interface Level {
  readonly priceWad: bigint;
  readonly quantityWad: bigint;
}

export interface Book {
  /** Best price first. */
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

const read = ({ priceWad, quantityWad }: WireLevel): Level => ({
  priceWad: BigInt(priceWad),
  quantityWad: BigInt(quantityWad),
});

const best = (isBid: boolean) => (a: Level, b: Level) => (a.priceWad < b.priceWad === isBid ? 1 : -1);

export const bookOf = (snapshot: { bids: WireLevel[]; asks: WireLevel[] }): Book => ({
  bids: snapshot.bids.map(read),
  asks: snapshot.asks.map(read),
});

function merged(side: readonly Level[], changes: readonly WireLevel[], isBid: boolean): readonly Level[] {
  if (!changes.length) return side;
  const levels = new Map(side.map((level) => [level.priceWad, level]));
  for (const change of changes.map(read)) {
    if (change.quantityWad === 0n) levels.delete(change.priceWad);
    else levels.set(change.priceWad, change);
  }
  return [...levels.values()].sort(best(isBid));
}

/** The book after some of its levels changed; quantity 0 takes a level away. */
export const changed = (book: Book, change: { bids: WireLevel[]; asks: WireLevel[] }): Book => ({
  bids: merged(book.bids, change.bids, true),
  asks: merged(book.asks, change.asks, false),
});
