/** The option chain of one expiry as rows of strikes. */
import { KINDS } from "../chain/kinds.ts";
import type { InstrumentView } from "./client.ts";

export interface Side {
  readonly markWad: bigint | null;
  readonly bidWad: bigint | null;
  readonly askWad: bigint | null;
}

export interface ChainRow {
  readonly strikeE8: bigint;
  readonly call: Side;
  readonly put: Side;
}

export const NONE: Side = { markWad: null, bidWad: null, askWad: null };

const big = (text: string | null): bigint | null => (text === null ? null : BigInt(text));

/** Rows out of the service's instruments, by rising strike. */
export function rowsFrom(instruments: readonly InstrumentView[]): ChainRow[] {
  const rows = new Map<string, ChainRow>();
  for (const entry of instruments) {
    const kind = KINDS.find((known) => known.word === entry.kind);
    if (!kind?.isOption) continue;
    const row = rows.get(entry.strikeE8) ?? { strikeE8: BigInt(entry.strikeE8), call: NONE, put: NONE };
    const side = { markWad: big(entry.markWad), bidWad: big(entry.bidWad), askWad: big(entry.askWad) };
    rows.set(entry.strikeE8, { ...row, [kind.isCall ? "call" : "put"]: side });
  }
  return [...rows.values()].sort((a, b) => (a.strikeE8 < b.strikeE8 ? -1 : 1));
}
