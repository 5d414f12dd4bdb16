/** Equity against both margins on one scale. */
import type { Margin } from "../chain/account.ts";
import { toFloat } from "../chain/units.ts";

export interface Bar {
  /** Ends of the scale and the three marks, as shares of the width. */
  readonly zero: number;
  readonly equity: number;
  readonly initial: number;
  readonly maintenance: number;
}

/** Room to the right of the furthest mark. */
const ROOM = 1.12;

export function barOf(margin: Margin): Bar {
  const [equity, initial, maintenance] = [margin.equityWad, margin.initialWad, margin.maintenanceWad].map(toFloat) as [
    number,
    number,
    number,
  ];
  const high = Math.max(equity, initial, maintenance, 1e-9) * ROOM;
  const low = Math.min(0, equity * ROOM);
  const place = (value: number) => (value - low) / (high - low);
  return { zero: place(0), equity: place(equity), initial: place(initial), maintenance: place(maintenance) };
}

/** Part of the equity that the initial margin takes; null without equity. */
export const useOf = (margin: Margin): number | null =>
  margin.equityWad > 0n ? toFloat(margin.initialWad) / toFloat(margin.equityWad) : null;
