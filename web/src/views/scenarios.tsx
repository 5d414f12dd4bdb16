/** The contract's scenario rows as a table with the worst cell framed, and how far away liquidation is in them. */
import { type Margin, readBook } from "../chain/account.ts";
import type { Market } from "../chain/market.ts";
import { readProblem } from "../chain/refusal.ts";
import { cash, decimal, toFloat } from "../chain/units.ts";
import { distanceOf, heatOf, type Row, rowsOf, VOL_NAMES } from "../margin/scenarios.ts";
import type { ViewProps } from "./frame.tsx";
import { Panel, Scroll, useAnswer } from "./parts.tsx";

interface BookRows {
  readonly id: number;
  readonly rows: readonly Row[];
}

export function useBooks(app: ViewProps["app"], margin: Margin | null): readonly BookRows[] {
  const ids = margin?.underlyings.map((risk) => risk.underlyingId) ?? [];
  const answer = useAnswer(
    ids.join(),
    async () =>
      Promise.all(
        ids.map(async (id) => {
          const { rows, priceRangeWad } = await readBook(app.context, id);
          return { id, rows: rowsOf(rows, priceRangeWad) };
        }),
      ),
    (thrown) => readProblem(thrown, app.context),
  );
  return answer.value ?? [];
}

const signedPercent = (move: number): string =>
  `${move > 0 ? "+" : move < 0 ? "−" : ""}${decimal(Math.abs(move) * 100, 1)} %`;

export function DistancePanel({
  margin,
  books,
  market,
}: {
  margin: Margin;
  books: readonly BookRows[];
  market: Market;
}) {
  const entries = margin.underlyings.flatMap((risk, index) => {
    const detail = margin.details[index];
    const book = books.find((entry) => entry.id === risk.underlyingId);
    const underlying = market.underlyings.find((entry) => entry.id === risk.underlyingId);
    if (!detail || !book || !underlying || !risk.grossNotionalWad) return [];
    return [{ underlying, distance: distanceOf(book.rows, detail, margin.equityWad, margin.maintenanceWad) }];
  });
  if (!entries.length) return null;
  const priceAt = (spotWad: bigint, move: number | null) =>
    move === null ? (
      <span class="muted">none</span>
    ) : (
      <>
        {decimal(toFloat(spotWad) * (1 + move), 2)}
        <span class="sub">{signedPercent(move)}</span>
      </>
    );
  return (
    <Panel title="Distance to liquidation">
      <Scroll label="Distance to liquidation">
        <table>
          <thead>
            <tr>
              <th scope="col">If only</th>
              <th scope="col" class="number">
                now
              </th>
              <th scope="col" class="number">
                falls to
              </th>
              <th scope="col" class="number">
                rises to
              </th>
              <th scope="col" class="number">
                or vol by
              </th>
            </tr>
          </thead>
          <tbody>
            {entries.map(({ underlying, distance }) => (
              <tr key={underlying.id}>
                <th scope="row">{underlying.symbol}</th>
                <td class="number">{cash(underlying.spotWad)}</td>
                <td class="number">{priceAt(underlying.spotWad, distance.down)}</td>
                <td class="number">{priceAt(underlying.spotWad, distance.up)}</td>
                <td class="number">
                  {distance.volPoints === null ? (
                    <span class="muted">none</span>
                  ) : (
                    `${distance.volPoints > 0 ? "+" : "−"}${decimal(Math.abs(distance.volPoints), 0)} pts`
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p class="note">
        Where the loss in the contract's scenarios equals the cushion, with the maintenance margin as it is now and
        everything else still. Volatility by today's vega.
      </p>
    </Panel>
  );
}

const HEAT_FULL = 42;

function heatColour(pnl: number, largest: number): string | undefined {
  if (!largest || !pnl) return undefined;
  const strength = Math.round(Math.sqrt(Math.abs(pnl) / largest) * HEAT_FULL);
  return `background:color-mix(in srgb, var(--${pnl < 0 ? "bad" : "good"}) ${strength}%, var(--panel))`;
}

export function HeatPanel({ margin, books, market }: { margin: Margin; books: readonly BookRows[]; market: Market }) {
  return (
    <>
      {margin.underlyings.map((risk, index) => {
        const detail = margin.details[index];
        const book = books.find((entry) => entry.id === risk.underlyingId);
        const underlying = market.underlyings.find((entry) => entry.id === risk.underlyingId);
        if (!detail || !book || !underlying || !risk.grossNotionalWad) return null;
        const lines = heatOf(book.rows, risk, detail);
        const cells = [...lines.values()].flat();
        const largest = Math.max(...cells.map((cell) => Math.abs(toFloat(cell.pnlWad))));
        const vols = [...new Set(cells.map((cell) => cell.vol))].sort();
        return (
          <Panel
            key={risk.underlyingId}
            title={`${underlying.symbol} scenarios`}
            aside={`requirement ${cash(risk.requirementWad)}`}
          >
            <Scroll label={`Profit and loss of ${underlying.symbol} by scenario`}>
              <table class="heat">
                <caption class="visually-hidden">
                  Profit and loss by price move and volatility; the worst cell is framed
                </caption>
                <thead>
                  <tr>
                    <th scope="col" class="heat-price">
                      price
                    </th>
                    {vols.map((vol) => (
                      <th key={vol} scope="col" class="number">
                        {VOL_NAMES[vol]}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {[...lines].map(([move, row]) => (
                    <tr key={move} class={move === 0 ? "base" : ""}>
                      <th scope="row">
                        {signedPercent(move)}{" "}
                        <span class="muted">{decimal(toFloat(underlying.spotWad) * (1 + move), 0)}</span>
                      </th>
                      {vols.map((vol) => {
                        const cell = row.find((entry) => entry.vol === vol);
                        if (!cell) return <td key={vol} />;
                        const pnl = toFloat(cell.pnlWad);
                        return (
                          <td key={vol} class={cell.isWorst ? "worst" : ""} style={heatColour(pnl, largest)}>
                            {decimal(pnl, 0)}
                            {cell.isWorst && <span class="visually-hidden"> worst</span>}
                          </td>
                        );
                      })}
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
            {index === 0 && (
              <p class="note">
                The rows of the contract, framed where the whole set loses most. The outermost moves count in part, as
                shown. The requirement adds basis, skew, term and size to the worst row.
              </p>
            )}
          </Panel>
        );
      })}
    </>
  );
}
