/** Trades that may free margin, for the contracts to judge: this page proposes, `preview` decides. */
import type { Margin } from "../chain/account.ts";
import { CALL, PERP, PUT } from "../chain/kinds.ts";
import type { Market, Underlying } from "../chain/market.ts";
import { toFloat, WAD } from "../chain/units.ts";
import type { Instrument } from "../chain/words.ts";
import { strikesAround } from "./smile.ts";

export interface Candidate {
  readonly instrument: Instrument;
  /** Negative sells. */
  readonly quantityWad: bigint;
}

/** Shares of the delta that a linear hedge takes away. */
const SHARES = [25n, 50n, 75n, 100n] as const;
/** Options are tried at about this far out of the money, as shares of the forward. */
const DISTANCES = [0.05, 0.1, 0.2] as const;
/** Sizes of an option, per cent of what is sold net in its expiry. */
const SIZES = [50n, 100n] as const;
/** Sizes of people: hundredths. */
const STEP_WAD = WAD / 100n;
const LEAST_WAD = WAD / 20n;

const rounded = (quantityWad: bigint): bigint => (quantityWad / STEP_WAD) * STEP_WAD;
const size = (value: bigint): bigint => (value < 0n ? -value : value);

/** Perpetuals against delta. */
function linear(underlying: Underlying, deltaWad: bigint): Candidate[] {
  if (size(deltaWad) < LEAST_WAD) return [];
  const instrument = { underlyingId: underlying.id, kind: PERP, expiryTs: 0, strikeE8: 0n };
  return SHARES.map((share) => ({ instrument, quantityWad: rounded((-deltaWad * share) / 100n) }));
}

/** Long options against what was sold net in one expiry. */
function options(underlying: Underlying, expiryTs: number, shortWad: bigint): Candidate[] {
  const surface = underlying.surfaces.find((entry) => entry.expiryTs === expiryTs);
  if (!surface || shortWad < LEAST_WAD) return [];
  const forward = toFloat(surface.forwardWad);
  const strikes = strikesAround(surface, underlying.roundTs);
  const near = (target: number) =>
    strikes.reduce(
      (best, strike) => (Math.abs(strike - target) < Math.abs(best - target) ? strike : best),
      strikes[0] ?? 0,
    );
  const found = DISTANCES.flatMap((distance) => [
    { kind: PUT, strike: near(forward * (1 - distance)) },
    { kind: CALL, strike: near(forward * (1 + distance)) },
  ]).filter(({ strike }) => strike > 0);
  return found.flatMap(({ kind, strike }) =>
    SIZES.map((share) => ({
      instrument: { underlyingId: underlying.id, kind, expiryTs, strikeE8: BigInt(Math.round(strike * 1e8)) },
      quantityWad: rounded((shortWad * share) / 100n),
    })),
  );
}

/** Options sold net of those bought, by `shortKey`. */
export type Shorts = ReadonlyMap<string, bigint>;

export const shortKey = (underlyingId: number, expiryTs: number): string => `${underlyingId}|${expiryTs}`;

/** What is worth trying, each once: linear hedges of delta, and long options where options were sold. */
export function candidates(margin: Margin, shorts: Shorts, market: Market): Candidate[] {
  const found = margin.underlyings.flatMap((risk, index) => {
    const underlying = market.underlyings.find((entry) => entry.id === risk.underlyingId);
    const detail = margin.details[index];
    if (!underlying || !detail) return [];
    const expiries = detail.expiries.map((entry) => entry.expiryTs).filter((ts) => ts > 0);
    return [
      ...linear(underlying, detail.deltaWad),
      ...expiries.flatMap((ts) => options(underlying, ts, shorts.get(shortKey(underlying.id, ts)) ?? 0n)),
    ];
  });
  return found.filter(({ quantityWad }) => quantityWad !== 0n);
}

export interface Judged extends Candidate {
  /** By how much what is left to use grows, a fill at the mark and its cost included. */
  readonly freesWad: bigint;
  readonly priceWad: bigint;
}

/** The best of each instrument, best first. */
export function best(judged: readonly Judged[], most: number): Judged[] {
  const names = new Map<string, Judged>();
  for (const entry of judged) {
    const { underlyingId, kind, expiryTs, strikeE8 } = entry.instrument;
    const key = `${underlyingId}|${kind}|${expiryTs}|${strikeE8}`;
    const known = names.get(key);
    if (entry.freesWad > 0n && (!known || entry.freesWad > known.freesWad)) names.set(key, entry);
  }
  return [...names.values()].sort((a, b) => (a.freesWad < b.freesWad ? 1 : -1)).slice(0, most);
}
