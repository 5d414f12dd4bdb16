/** Three clocks: this computer's, the order service's and the chain's; what to do and say when they are apart. */
import { duration } from "../chain/units.ts";
import type { Block } from "./head.ts";
import { Store } from "./store.ts";

/** How far the order service's clock is ahead of this computer's, milliseconds; 0 as long as no service has told. */
export const serviceAheadMs = new Store(0);

/** Now, unix seconds: by the order service's clock where there is one, because it and the chain decide what is late. */
export const wallTs = (): number => Math.floor((Date.now() + serviceAheadMs.get()) / 1000);

/** The time that the chain's next block has at least: a chain that runs ahead decides by its own clock. */
export const chainNow = (block: Block): number => Math.max(block.ts, wallTs());

/** Below this it is the time that a message takes. */
const SERVICE_APART_SEC = 5;
/** Blocks of some chains bear the time of the end of their slot. */
const CHAIN_AHEAD_SEC = 60;
/** No chain that is alive is silent for as long. */
const CHAIN_BEHIND_SEC = 900;

/** What is apart, as sentences. The time of a local chain is moved on purpose, so that nothing is said of it. */
export function clockNotes(aheadMs: number, block: Block | null, nowTs: number, isLocal: boolean): string[] {
  const notes: string[] = [];
  const aheadSec = aheadMs / 1000;
  if (Math.abs(aheadSec) >= SERVICE_APART_SEC) {
    const way = aheadSec > 0 ? "behind" : "ahead of";
    notes.push(
      `The clock of this computer is ${duration(Math.abs(aheadSec))} ${way} the order service's. The page counts ages and ends of orders by the service's clock; set this computer's right.`,
    );
  }
  if (!block || isLocal) return notes;
  if (block.ts - nowTs > CHAIN_AHEAD_SEC) {
    notes.push(
      `The chain's clock is ${duration(block.ts - nowTs)} ahead of this computer's. The chain's counts: set this computer's right.`,
    );
  } else if (nowTs - block.ts > CHAIN_BEHIND_SEC) {
    notes.push(
      `The last block is ${duration(nowTs - block.ts)} old: the node stands still, or the clock of this computer is ahead. Figures are those of that block.`,
    );
  }
  return notes;
}
