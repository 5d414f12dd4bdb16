/** The price path of an auction, see AuctionMath: what fraction of its value a slice is sold for. */

const START = 0.98;
const MIDDLE = 0.7;
export const FAST_SEC = 15 * 60;
export const SLOW_SEC = 12 * 3600;
/** The bonus of an insolvent auction grows by its share of the maintenance margin over this time. */
export const INSOLVENT_SEC = 3600;

/** Price factor of a solvent auction: 0.98 to 0.70 in 15 minutes, then to 0 in 12 hours. */
export function priceFactor(elapsedSec: number): number {
  if (elapsedSec <= FAST_SEC) return START - ((START - MIDDLE) * Math.max(0, elapsedSec)) / FAST_SEC;
  return Math.max(0, MIDDLE - (MIDDLE * (elapsedSec - FAST_SEC)) / SLOW_SEC);
}

/** Points of the path for drawing: the fast part to the minute, the start of the slow part to five. */
export function pathPoints(untilSec: number): { at: number[]; factor: number[] } {
  const at: number[] = [];
  for (let sec = 0; sec <= untilSec; sec += sec < FAST_SEC ? 60 : 300) at.push(sec);
  return { at, factor: at.map(priceFactor) };
}

/** A limit for a bid that leaves room for a slightly later block: most to pay, or least to receive. */
export function bidLimit(cashWad: bigint, feeWad: bigint, isSolvent: boolean, slackBps: bigint): bigint {
  return isSolvent ? ((cashWad + feeWad) * (10_000n + slackBps)) / 10_000n : (cashWad * (10_000n - slackBps)) / 10_000n;
}
