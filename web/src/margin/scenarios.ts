/** The scenario rows of an underlying as a table of price moves and volatility states, and the way to liquidation. */
import type { UnderlyingDetail, UnderlyingRisk } from "../chain/account.ts";
import { toFloat } from "../chain/units.ts";

export const VOL_NAMES = ["vol up", "vol flat", "vol down"] as const;
const FLAT = 1;
/** No row moves a price further down. */
const LOWEST_MOVE = -0.95;

export interface Rows {
  readonly gridMovesWad: readonly bigint[];
  readonly gridVols: readonly number[];
  readonly tailMovesWad: readonly bigint[];
  readonly tailVols: readonly number[];
}

export interface Row {
  /** Relative price move. */
  readonly move: number;
  /** Index into VOL_NAMES. */
  readonly vol: number;
  /** Share in which a loss counts: 1 on the grid, less in a tail. */
  readonly weight: number;
}

/** Rows of grid and tails in the order of `rowPnlWad`; the pairs of skew that follow them are no part of the table. */
export function rowsOf(rows: Rows, priceRangeWad: bigint): Row[] {
  const range = toFloat(priceRangeWad);
  const tails = rows.tailMovesWad.map(toFloat);
  const parts = [
    { multiples: rows.gridMovesWad.map(toFloat), vols: rows.gridVols, isTail: false },
    { multiples: [...tails.map((move) => -move).reverse(), ...tails], vols: rows.tailVols, isTail: true },
  ];
  const seen = new Set<number>();
  const found: Row[] = [];
  for (const { multiples, vols, isTail } of parts) {
    for (const multiple of multiples) {
      const move = Math.max(multiple * range, LOWEST_MOVE);
      if (seen.has(move)) continue;
      seen.add(move);
      const weight = isTail ? range / Math.abs(move) : 1;
      for (const vol of vols) found.push({ move, vol, weight });
    }
  }
  return found;
}

export interface Cell extends Row {
  /** What the requirement counts: a loss of a tail in part. */
  readonly pnlWad: bigint;
  readonly isWorst: boolean;
}

/** The table: one line for each price move, rising, with up to three cells by volatility state. */
export function heatOf(rows: readonly Row[], risk: UnderlyingRisk, detail: UnderlyingDetail): Map<number, Cell[]> {
  const lines = new Map<number, Cell[]>();
  const sorted = rows
    .map((row, index) => ({ ...row, pnlWad: detail.rowPnlWad[index] ?? 0n, isWorst: BigInt(index) === risk.worstRow }))
    .sort((a, b) => a.move - b.move || a.vol - b.vol);
  for (const cell of sorted) lines.set(cell.move, [...(lines.get(cell.move) ?? []), cell]);
  return lines;
}

export interface Distance {
  /** Relative move down and up at which the loss eats what is above maintenance; null where no row of the book does. */
  readonly down: number | null;
  readonly up: number | null;
  /** Points of volatility, all expiries together, at today's vega; null where volatility cannot get there. */
  readonly volPoints: number | null;
}

/** Where the straight line between two neighbouring rows meets the loss. */
function crossing(ladder: readonly { move: number; pnl: number }[], cushion: number): number | null {
  for (let index = 1; index < ladder.length; index += 1) {
    const near = ladder[index - 1];
    const far = ladder[index];
    if (!near || !far || far.pnl > -cushion) continue;
    const share = (near.pnl + cushion) / (near.pnl - far.pnl);
    return near.move + share * (far.move - near.move);
  }
  return null;
}

/**
 * How far one price may move until the account's loss equals what its equity has above maintenance.
 *
 * The losses are those of the contract's rows at unchanged volatility, tails at their full size, with straight lines
 * between them; the maintenance margin is held where it is, and other prices stand still.
 */
export function distanceOf(
  rows: readonly Row[],
  detail: UnderlyingDetail,
  equityWad: bigint,
  maintenanceWad: bigint,
): Distance {
  const cushion = toFloat(equityWad - maintenanceWad);
  if (cushion <= 0) return { down: 0, up: 0, volPoints: 0 };
  const flat = rows
    .map((row, index) => ({ ...row, pnl: toFloat(detail.rowPnlWad[index] ?? 0n) / row.weight }))
    .filter((row) => row.vol === FLAT)
    .sort((a, b) => a.move - b.move);
  const down = flat.filter((row) => row.move <= 0).reverse();
  const up = flat.filter((row) => row.move >= 0);
  const vega = toFloat(detail.vegaWad);
  const volPoints = Math.abs(vega) < 1e-9 ? null : (-cushion / vega) * 100;
  return {
    down: crossing(down, cushion),
    up: crossing(up, cushion),
    // Nobody's volatility falls by more than all of it.
    volPoints: volPoints !== null && (volPoints < -100 || volPoints > 1000) ? null : volPoints,
  };
}
