/** Positions as the ledger packs them: [underlying 8][kind 8][expiry 40][price 72][quantity 128], see PositionWord. */
import { KINDS, type Kind } from "./kinds.ts";
import { day, formatUnits, quantity } from "./units.ts";

export interface Instrument {
  readonly underlyingId: number;
  readonly kind: number;
  /** 0 for a perpetual. */
  readonly expiryTs: number;
  /** Strike of an option, 0 otherwise, in steps of 1e-8. */
  readonly strikeE8: bigint;
}

export interface Position extends Instrument {
  readonly word: bigint;
  /** Average entry of a linear position in steps of 1e-8; 0 for an option. */
  readonly entryE8: bigint;
  readonly quantityWad: bigint;
}

const mask = (bits: bigint): bigint => (1n << bits) - 1n;

/** What a kind is; the page is built with the contracts that it shows, so that a number without a kind is a mistake. */
function kindOf(number: number): Kind {
  const kind = KINDS[number];
  if (!kind) throw new RangeError(`no instrument kind has the number ${number}`);
  return kind;
}

export const isOption = (kind: number): boolean => kindOf(kind).isOption;
export const hasExpiry = (kind: number): boolean => kindOf(kind).hasExpiry;
export const paysFunding = (kind: number): boolean => kindOf(kind).paysFunding;
export const kindName = (kind: number): string => kindOf(kind).title;

/** The word of an instrument with a quantity; the price is the strike of an option, the entry of a linear one. */
export function pack(instrument: Instrument, priceE8: bigint, quantityWad: bigint): bigint {
  return (
    (BigInt(instrument.underlyingId) << 248n) |
    (BigInt(instrument.kind) << 240n) |
    (BigInt(instrument.expiryTs) << 200n) |
    (BigInt.asUintN(72, priceE8) << 128n) |
    BigInt.asUintN(128, quantityWad)
  );
}

/** The word that orders, quotes and `isolate` name: quantity 0, price 0 unless it is a strike. */
export const instrumentWord = (instrument: Instrument): bigint => pack(instrument, instrument.strikeE8, 0n);

export function unpack(word: bigint): Position {
  const kind = Number((word >> 240n) & mask(8n));
  const priceE8 = BigInt.asIntN(72, (word >> 128n) & mask(72n));
  return {
    word,
    underlyingId: Number(word >> 248n),
    kind,
    expiryTs: Number((word >> 200n) & mask(40n)),
    strikeE8: isOption(kind) ? priceE8 : 0n,
    entryE8: isOption(kind) ? 0n : priceE8,
    quantityWad: BigInt.asIntN(128, word),
  };
}

/** Whether two words are of one instrument. */
export const sameInstrument = (a: Instrument, b: Instrument): boolean => instrumentWord(a) === instrumentWord(b);

/** The name of an instrument, `ETH 27 Mar 26 1,900 call`. */
export function instrumentName(instrument: Instrument, symbol: string): string {
  const parts = [symbol];
  if (hasExpiry(instrument.kind)) parts.push(day(instrument.expiryTs));
  if (isOption(instrument.kind)) parts.push(strikeText(instrument.strikeE8));
  return [...parts, kindName(instrument.kind)].join(" ");
}

export const strikeText = (strikeE8: bigint): string => quantity(strikeE8, 8, 8);

/** A price in steps of 1e-8, to the cent. */
export const priceText = (priceE8: bigint): string => formatUnits(priceE8, 8, 2);
