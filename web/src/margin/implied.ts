/** Volatility that a quoted price implies, for points beside the curve of the round; never for an amount. */

import type { Surface } from "../chain/market.ts";
import { toFloat, YEAR_SEC } from "../chain/units.ts";

/** Abramowitz and Stegun 26.2.17: off by less than 8e-8, far below a pixel. */
function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * series;
  return x >= 0 ? 1 - tail : tail;
}

/** Undiscounted Black-76 price of a call or put. */
export function black76(isCall: boolean, forward: number, strike: number, years: number, vol: number): number {
  const deviation = vol * Math.sqrt(years);
  const d1 = Math.log(forward / strike) / deviation + deviation / 2;
  const d2 = d1 - deviation;
  return isCall ? forward * normalCdf(d1) - strike * normalCdf(d2) : strike * normalCdf(-d2) - forward * normalCdf(-d1);
}

const HIGHEST_VOL = 5;
const HALVINGS = 50;

/** The volatility at which a premium is fair; null when there is none between 0 and 500 %. */
export function impliedVol(
  surface: Surface,
  roundTs: number,
  isCall: boolean,
  strike: number,
  premiumWad: bigint,
): number | null {
  const years = (surface.expiryTs - roundTs) / YEAR_SEC;
  if (years <= 0) return null;
  const forward = toFloat(surface.forwardWad);
  const target = toFloat(premiumWad) * Math.exp(toFloat(surface.rateWad) * years);
  const priceAt = (vol: number) => black76(isCall, forward, strike, years, vol);
  const worth = Math.max(0, isCall ? forward - strike : strike - forward);
  if (target <= worth || target >= priceAt(HIGHEST_VOL)) return null;
  let [low, high] = [0, HIGHEST_VOL];
  for (let step = 0; step < HALVINGS; step += 1) {
    const middle = (low + high) / 2;
    if (priceAt(middle) < target) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
