/** Positions with entry, mark and profit. */
import type { Account } from "../chain/account.ts";
import { readFills } from "../chain/history.ts";
import type { Market } from "../chain/market.ts";
import { readProblem } from "../chain/refusal.ts";
import { cash, change, quantity, WAD } from "../chain/units.ts";
import { instrumentName, instrumentWord, isOption, priceText } from "../chain/words.ts";
import { averageOf, profitOf } from "../margin/profit.ts";
import type { ViewProps } from "./frame.tsx";
import { Panel, Scroll, signTone, useAnswer } from "./parts.tsx";

export function PositionsPanel({ app, account, market }: ViewProps & { account: Account; market: Market }) {
  const options = account.positions.filter((position) => isOption(position.kind));
  const key = `${account.id}:${options.map((position) => position.word).join()}`;
  const fills = useAnswer(
    key,
    () => readFills(app.context, account.id, options),
    (thrown) => readProblem(thrown, app.context),
  );
  if (!account.positions.length) {
    return (
      <Panel title="Positions">
        <p class="empty">
          No positions. <a href="#/trade">Trade</a>, or see <a href="#/try">what a trade would do</a> to the margin.
        </p>
      </Panel>
    );
  }
  const symbolOf = (id: number) => market.underlyings.find((entry) => entry.id === id)?.symbol ?? `#${id}`;
  const lines = account.positions.map((position) => {
    const average = averageOf(fills.value?.get(instrumentWord(position)) ?? []);
    const value = position.valueWad;
    if (!isOption(position.kind)) {
      const unit = value === null ? null : (value * WAD) / position.quantityWad;
      const mark = unit === null ? null : position.entryE8 * 10n ** 10n + unit;
      return { position, entry: priceText(position.entryE8), mark, value: null, profit: value };
    }
    const mark = value === null ? null : (value * WAD) / position.quantityWad;
    const profit = value === null ? null : profitOf(position.quantityWad, value, average);
    return { position, entry: profit === null ? "–" : cash(average.priceWad), mark, value, profit };
  });
  const total = lines.reduce((sum, line) => sum + (line.profit ?? 0n), 0n);
  return (
    <Panel title="Positions" aside="at the marks of the last round">
      <Scroll label="Positions">
        <table>
          <thead>
            <tr>
              <th scope="col">Instrument</th>
              <th scope="col" class="number">
                Quantity
              </th>
              <th scope="col" class="number hide-narrow">
                Entry
              </th>
              <th scope="col" class="number">
                Mark
              </th>
              <th scope="col" class="number hide-medium">
                Value
              </th>
              <th scope="col" class="number">
                P&amp;L
              </th>
            </tr>
          </thead>
          <tbody>
            {lines.map(({ position, entry, mark, value, profit }) => (
              <tr key={String(position.word >> 128n)}>
                <th scope="row">{instrumentName(position, symbolOf(position.underlyingId))}</th>
                <td class="number">{quantity(position.quantityWad)}</td>
                <td class="number hide-narrow">{entry}</td>
                <td class="number">{mark === null ? "–" : cash(mark)}</td>
                <td class="number hide-medium">{value === null ? "" : cash(value)}</td>
                <td class={`number ${signTone(profit ?? 0n)}`}>{profit === null ? "–" : change(profit)}</td>
              </tr>
            ))}
          </tbody>
          {lines.every((line) => line.profit !== null) && (
            <tfoot>
              <tr>
                <th scope="row">Unrealised</th>
                <td />
                <td class="hide-narrow" />
                <td />
                <td class="hide-medium" />
                <td class={`number ${signTone(total)}`}>{change(total)}</td>
              </tr>
            </tfoot>
          )}
        </table>
      </Scroll>
      {lines.some((line) => line.profit === null && line.mark !== null) && (
        <p class="note">
          No profit is shown where a position came by isolation or a liquidation: its entry is not in the account's own
          fills.
        </p>
      )}
    </Panel>
  );
}
