/** The last blocks that were seen, and whether a new one fits on them. */
import type { Hex } from "viem";

export interface Block {
  readonly number: bigint;
  readonly hash: Hex;
  readonly parent: Hex;
  readonly ts: number;
}

export const REORG_NOTE =
  "The chain was reorganised: the last blocks were replaced by others. Every figure was read again; transactions that were in them are looked for anew.";

const KEPT = 32;

/**
 * The row of known blocks with a new one; the same row when it is known already.
 *
 * A block is out of place when one of its number was known with another hash, or when the one below it was: blocks in
 * between that were never seen say nothing.
 */
export function extend(blocks: readonly Block[], next: Block): { blocks: readonly Block[]; isReorganised: boolean } {
  const last = blocks.at(-1);
  if (last?.hash === next.hash) return { blocks, isReorganised: false };
  const same = blocks.find((block) => block.number === next.number);
  const below = blocks.find((block) => block.number === next.number - 1n);
  const fallsBack = last !== undefined && next.number < last.number && !same;
  const isReorganised =
    (same !== undefined && same.hash !== next.hash) || (below !== undefined && below.hash !== next.parent) || fallsBack;
  const kept = blocks.filter(
    (block) =>
      block.number < next.number && !(isReorganised && block.number === next.number - 1n && block.hash !== next.parent),
  );
  return { blocks: [...kept, next].slice(-KEPT), isReorganised };
}
