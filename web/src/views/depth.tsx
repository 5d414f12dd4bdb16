/** Depth and trades of one instrument, live. */
import { cash, quantity, toFloat } from "../chain/units.ts";
import { useStore } from "../state/store.ts";
import type { Level } from "../venue/book.ts";
import { Chip, Panel, type Tone } from "./parts.tsx";
import { type Depth, gaps, health } from "./venue-state.ts";

const SHOWN = 8;
const STATE_TONE: Readonly<Record<string, Tone>> = { pending: "plain", settled: "good", final: "good", failed: "bad" };

function Side({ levels, isBid, most }: { levels: readonly Level[]; isBid: boolean; most: number }) {
  return (
    <tbody>
      {levels.map((level) => {
        const share = most ? (toFloat(level.quantityWad) / most) * 100 : 0;
        const style = `background:linear-gradient(to left, color-mix(in srgb, var(--${isBid ? "good" : "bad"}) 14%, transparent) ${share.toFixed(1)}%, transparent 0)`;
        return (
          <tr key={String(level.priceWad)} style={style}>
            <td class={isBid ? "good" : "bad"}>{cash(level.priceWad)}</td>
            <td class="number">{quantity(level.quantityWad, 18, 4)}</td>
          </tr>
        );
      })}
    </tbody>
  );
}

const clockText = (ms: number): string => new Date(ms).toISOString().slice(11, 19);

export function DepthPanel({ depth, name }: { depth: Depth; name: string }) {
  const now = useStore(health);
  const missed = useStore(gaps);
  const { book, trades } = depth;
  const asks = [...(book?.asks ?? [])].slice(0, SHOWN).reverse();
  const bids = (book?.bids ?? []).slice(0, SHOWN);
  const most = Math.max(0, ...[...asks, ...bids].map((level) => toFloat(level.quantityWad)));
  const tone: Tone = now === "live" ? "good" : now === "lost" ? "bad" : "plain";
  return (
    <Panel
      title="Depth"
      aside={
        <span class="row">
          {name}
          <Chip tone={tone}>{now === "live" ? "live" : now === "lost" ? "connection lost" : "connecting"}</Chip>
        </span>
      }
    >
      <div class="depth">
        <table aria-label={`Open orders in ${name}`}>
          <thead>
            <tr>
              <th scope="col">Price</th>
              <th scope="col" class="number">
                Quantity
              </th>
            </tr>
          </thead>
          <Side levels={asks} isBid={false} most={most} />
          <Side levels={bids} isBid most={most} />
        </table>
        <table aria-label={`Trades in ${name}`}>
          <thead>
            <tr>
              <th scope="col">Trade</th>
              <th scope="col" class="number">
                Quantity
              </th>
              <th scope="col" class="number">
                Time
              </th>
            </tr>
          </thead>
          <tbody>
            {book && !trades.length && (
              <tr>
                <td colSpan={3} class="muted">
                  No trades yet
                </td>
              </tr>
            )}
            {trades.slice(0, 2 * SHOWN).map((trade) => (
              <tr key={trade.tradeId}>
                <td class={trade.takerIsBuy ? "good" : "bad"}>
                  {cash(BigInt(trade.priceWad))}
                  {trade.state === "failed" && <Chip tone={STATE_TONE.failed ?? "plain"}>failed</Chip>}
                </td>
                <td class="number">{quantity(BigInt(trade.quantityWad), 18, 4)}</td>
                <td class="number muted">{clockText(trade.matchedMs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {missed > 0 && (
        <p class="small muted" role="status">
          {missed === 1 ? "Once a message" : `${missed} times a message`} of the stream was missing; its numbers said
          so, and everything after it was asked for anew.
        </p>
      )}
      {book && !asks.length && !bids.length && <p class="empty">Nobody quotes this instrument now.</p>}
    </Panel>
  );
}
