/** Whether a message of a channel follows the last one: how a client knows that it missed nothing. */

export interface Place {
  readonly epoch: string;
  readonly seq: number;
}

export interface Numbered extends Place {
  readonly prev: number;
  readonly isResumed?: boolean | undefined;
}

/** `apply` it, leave it out as `old`, or take it as the `gap` after which the channel is asked for anew. */
export type Verdict = "apply" | "old" | "gap";

/**
 * The place in a channel and the next message.
 *
 * A snapshot starts the channel anew wherever it stood. A change without a snapshot before it, of another epoch, or whose
 * predecessor is above the last message, follows something that was never seen.
 */
export function judge(last: Place | null, message: Numbered, isSnapshot: boolean): Verdict {
  if (isSnapshot && !message.isResumed) return "apply";
  if (last === null || last.epoch !== message.epoch) return "gap";
  if (message.seq <= last.seq) return "old";
  return message.prev > last.seq ? "gap" : "apply";
}
