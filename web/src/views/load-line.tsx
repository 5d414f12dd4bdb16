/** Equity against both margins as one bar, as a load line on a hull. */
import type { Margin } from "../chain/account.ts";
import { cash } from "../chain/units.ts";
import { barOf } from "../margin/bar.ts";

/** A tag begins at its mark, or ends there in the right half. */
const edge = (place: number): string => (place > 0.5 ? " end" : "");

export function LoadLine({ margin }: { margin: Margin }) {
  const bar = barOf(margin);
  const share = (value: number) => `${(value * 100).toFixed(2)}%`;
  const [left, right] = [Math.min(bar.zero, bar.equity), Math.max(bar.zero, bar.equity)];
  const words = `Equity ${cash(margin.equityWad)}, initial margin ${cash(margin.initialWad)}, maintenance margin ${cash(margin.maintenanceWad)}`;
  return (
    <div class="loadline" data-state={margin.state} role="img" aria-label={words}>
      <div class="track">
        <div class="fill" style={{ left: share(left), width: share(right - left) }} />
      </div>
      {margin.initialWad === 0n ? (
        <span class="tag below" style={{ left: 0 }}>
          nothing needs a margin
        </span>
      ) : (
        <>
          <div class="mark" style={{ left: share(bar.maintenance) }} />
          <div class="mark" style={{ left: share(bar.initial) }} />
          <span class={`tag below${edge(bar.maintenance)}`} style={{ left: share(bar.maintenance) }}>
            maintenance {cash(margin.maintenanceWad)}
          </span>
          <span class={`tag above${edge(bar.initial)}`} style={{ left: share(bar.initial) }}>
            initial {cash(margin.initialWad)}
          </span>
        </>
      )}
    </div>
  );
}
