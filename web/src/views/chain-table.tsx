/** The option chain of one expiry: calls, strike, puts, with marks and the best prices; and its smile. */
import { useEffect, useState } from "preact/hooks";
import { CALL, PUT } from "../chain/kinds.ts";
import type { Surface, Underlying } from "../chain/market.ts";
import { markOf } from "../chain/marks.ts";
import { readProblem } from "../chain/refusal.ts";
import { cash, decimal, toFloat } from "../chain/units.ts";
import { type Instrument, kindName, strikeText } from "../chain/words.ts";
import { impliedVol } from "../margin/implied.ts";
import { strikesAround, volAt } from "../margin/smile.ts";
import { type ChainRow, NONE, rowsFrom, type Side } from "../venue/chain-rows.ts";
import type { Venue } from "../venue/client.ts";
import type { ViewProps } from "./frame.tsx";
import { Message, Panel, Scroll, useAnswer } from "./parts.tsx";
import { Plot } from "./plot.tsx";

const REFRESH_MS = 2_000;

async function rowsFromChain(app: ViewProps["app"], underlying: Underlying, surface: Surface): Promise<ChainRow[]> {
  const strikes = strikesAround(surface, underlying.roundTs);
  return Promise.all(
    strikes.map(async (strike) => {
      const strikeE8 = BigInt(Math.round(strike * 1e8));
      const side = async (kind: number): Promise<Side> => {
        const instrument = { underlyingId: underlying.id, kind, expiryTs: surface.expiryTs, strikeE8 };
        return { ...NONE, markWad: await markOf(app.context, instrument, underlying.spotWad) };
      };
      const [call, put] = await Promise.all([side(CALL), side(PUT)]);
      return { strikeE8, call, put };
    }),
  );
}

/** A number that grows every two seconds while there is a service to ask. */
function useTick(isOn: boolean): number {
  const [tick, setTick] = useState(0);
  useEffect(() => {
    if (!isOn) return;
    const timer = setInterval(() => setTick((count) => count + 1), REFRESH_MS);
    return () => clearInterval(timer);
  }, [isOn]);
  return tick;
}

interface Props extends ViewProps {
  readonly underlying: Underlying;
  readonly surface: Surface;
  readonly venue: Venue | null;
  readonly selected: Instrument | null;
  readonly onPick: (instrument: Instrument, priceWad: bigint | null, isBuy: boolean) => void;
}

export function ChainPanel({ app, underlying, surface, venue, selected, onPick }: Props) {
  const tick = useTick(venue !== null);
  const marks = `${underlying.id}|${surface.expiryTs}|${underlying.roundTs}`;
  const answer = useAnswer<ChainRow[]>(
    venue ? `${marks}|${tick}` : marks,
    venue
      ? async () => rowsFrom(await venue.instruments(underlying.id, surface.expiryTs))
      : () => rowsFromChain(app, underlying, surface),
    async (thrown) => (venue && thrown instanceof Error ? thrown.message : readProblem(thrown, app.context)),
  );
  const rows = answer.value ?? [];
  const forward = toFloat(surface.forwardWad);
  const atm = rows.reduce<ChainRow | null>(
    (best, row) =>
      best === null || Math.abs(Number(row.strikeE8) / 1e8 - forward) < Math.abs(Number(best.strikeE8) / 1e8 - forward)
        ? row
        : best,
    null,
  );
  const cell = (row: ChainRow, kind: number, price: bigint | null, isBuy: boolean, word: string) => {
    const instrument = { underlyingId: underlying.id, kind, expiryTs: surface.expiryTs, strikeE8: row.strikeE8 };
    const isPicked =
      selected?.kind === kind && selected.strikeE8 === row.strikeE8 && selected.expiryTs === surface.expiryTs;
    const label = `${word} ${strikeText(row.strikeE8)} ${kindName(kind)}, ${price === null ? "no price" : cash(price)}`;
    return (
      <td class={`number ${venue && word === "Mark of" ? "hide-narrow" : ""}`}>
        <button
          type="button"
          class="slim chain-price"
          aria-label={label}
          aria-pressed={isPicked}
          onClick={() => onPick(instrument, price, isBuy)}
        >
          {price === null ? "–" : cash(price)}
        </button>
      </td>
    );
  };
  // Without a service nobody bids and nobody asks; on a narrow screen the mark gives way to both.
  const cells = (row: ChainRow, kind: number, side: Side) => (
    <>
      {venue && cell(row, kind, side.bidWad, false, "Sell at the bid of")}
      {cell(row, kind, side.markWad, true, "Mark of")}
      {venue && cell(row, kind, side.askWad, true, "Buy at the ask of")}
    </>
  );
  const titles = (name: string) => (
    <>
      {venue && (
        <th scope="col" class="number">
          {name} bid
        </th>
      )}
      <th scope="col" class={`number ${venue ? "hide-narrow" : ""}`}>
        {venue ? "mark" : `${name} mark`}
      </th>
      {venue && (
        <th scope="col" class="number">
          ask
        </th>
      )}
    </>
  );
  return (
    <Panel title="Options" aside={`forward ${cash(surface.forwardWad)}`}>
      {answer.problem && <Message tone="bad">{answer.problem}</Message>}
      <Scroll label="Option chain">
        <table class="chain">
          <caption class="visually-hidden">Calls, strikes and puts; a price opens the ticket</caption>
          <thead>
            <tr>
              {titles("Call")}
              <th scope="col" class="strike">
                Strike
              </th>
              {titles("Put")}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={String(row.strikeE8)} class={row === atm ? "atm" : ""}>
                {cells(row, CALL, row.call)}
                <th scope="row" class="strike">
                  {strikeText(row.strikeE8)}
                </th>
                {cells(row, PUT, row.put)}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {!rows.length && !answer.problem && <p class="empty">Asking for marks…</p>}
      <Smile underlying={underlying} surface={surface} rows={rows} />
    </Panel>
  );
}

const CURVE_POINTS = 61;

/** The round's curve, and what bids and asks of the option that is out of the money imply beside it. */
function Smile({ underlying, surface, rows }: { underlying: Underlying; surface: Surface; rows: readonly ChainRow[] }) {
  const listed = rows.map((row) => Number(row.strikeE8) / 1e8);
  if (listed.length < 2) return null;
  const [low, high] = [listed[0] ?? 1, listed.at(-1) ?? 2];
  const grid = Array.from({ length: CURVE_POINTS }, (_, index) => low + ((high - low) * index) / (CURVE_POINTS - 1));
  const x = [...new Set([...grid, ...listed])].sort((a, b) => a - b);
  const forward = toFloat(surface.forwardWad);
  const byStrike = new Map(rows.map((row) => [Number(row.strikeE8) / 1e8, row]));
  const implied = (strike: number, price: "bidWad" | "askWad"): number | null => {
    const row = byStrike.get(strike);
    const isCall = strike >= forward;
    const quoted = (isCall ? row?.call : row?.put)?.[price] ?? null;
    return quoted === null ? null : impliedVol(surface, underlying.roundTs, isCall, strike, quoted);
  };
  const vols = x.map((strike) => volAt(surface, underlying.roundTs, strike));
  const bids = x.map((strike) => implied(strike, "bidWad"));
  const asks = x.map((strike) => implied(strike, "askWad"));
  const hasQuotes = [...bids, ...asks].some((vol) => vol !== null);
  const atmVol = volAt(surface, underlying.roundTs, forward) ?? 0;
  return (
    <figure>
      <figcaption class="small muted" style="margin-top:.8rem">
        Implied volatility by strike. Line: the curve fitted to the round, which the contracts price with.
        {hasQuotes && (
          <>
            {" "}
            Points: <span class="good">bids</span> and <span class="bad">asks</span> of this book, calls above the
            forward and puts below it.
          </>
        )}
      </figcaption>
      <Plot
        label={`Volatility smile, ${decimal(atmVol * 100, 1)} % at the money`}
        x={x}
        curves={[
          { label: "curve", values: vols, colour: "accent" },
          ...(hasQuotes
            ? [
                { label: "bids", values: bids, colour: "good", isPoints: true },
                { label: "asks", values: asks, colour: "bad", isPoints: true },
              ]
            : [
                {
                  label: "strikes",
                  values: vols.map((vol, index) => (byStrike.has(x[index] ?? 0) ? vol : null)),
                  colour: "accent",
                  isPoints: true,
                },
              ]),
        ]}
        xText={(value) => decimal(value, value < 10 ? 2 : 0)}
        yText={(value) => `${decimal(value * 100, 0)} %`}
      />
    </figure>
  );
}
