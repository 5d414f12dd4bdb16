/** The volatility smile of one expiry: the curve that a round states, which is what the contracts price with. */
import type { Surface } from "../chain/market.ts";
import { toFloat, YEAR_SEC } from "../chain/units.ts";

/** Volatility at a strike: square root of raw SVI's total variance over time. */
export function volAt(surface: Surface, roundTs: number, strike: number): number | null {
  const years = (surface.expiryTs - roundTs) / YEAR_SEC;
  const forward = toFloat(surface.forwardWad);
  if (years <= 0 || forward <= 0 || strike <= 0) return null;
  const [a, b, rho, m, s] = [surface.aWad, surface.bWad, surface.rhoWad, surface.mWad, surface.sWad].map(toFloat) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const x = Math.log(strike / forward) - m;
  const variance = a + b * (rho * x + Math.sqrt(x * x + s * s));
  return variance > 0 ? Math.sqrt(variance / years) : null;
}

/** Half the width of a chain in logarithms: this many standard deviations at the money, within bounds. */
const DEVIATIONS = 2.2;
const WIDEST = 0.9;
const NARROWEST = 0.06;
const MOST_STRIKES = 19;

/** A step of 1, 2 or 5 times a power of ten that covers a width with few strikes. */
function niceStep(width: number, count: number): number {
  const raw = width / count;
  const decade = 10 ** Math.floor(Math.log10(raw));
  return ([1, 2, 5, 10].find((factor) => factor * decade >= raw) ?? 10) * decade;
}

/** Round strikes around the forward, rising. */
export function strikesAround(surface: Surface, roundTs: number): number[] {
  const forward = toFloat(surface.forwardWad);
  const years = Math.max(surface.expiryTs - roundTs, 3600) / YEAR_SEC;
  const vol = volAt(surface, roundTs, forward) ?? 0.6;
  const reach = Math.min(WIDEST, Math.max(NARROWEST, DEVIATIONS * vol * Math.sqrt(years)));
  const [low, high] = [forward * Math.exp(-reach), forward * Math.exp(reach)];
  const step = niceStep(high - low, MOST_STRIKES);
  const found: number[] = [];
  for (let strike = Math.ceil(low / step) * step; strike <= high; strike += step)
    found.push(Number(strike.toPrecision(12)));
  return found;
}
