/** One account: its margin, how far away liquidation is, what it holds and what that earns or costs. */
import { type Account, type Margin, MODES, readBook, STATES } from "../chain/account.ts";
import { readFills } from "../chain/history.ts";
import type { Market } from "../chain/market.ts";
import { readProblem } from "../chain/refusal.ts";
import { cash, change, day, decimal, moment, percent, quantity, toFloat, WAD } from "../chain/units.ts";
import { instrumentName, instrumentWord, isOption, PERP, priceText } from "../chain/words.ts";
import { barOf, useOf } from "../margin/bar.ts";
import { averageOf, profitOf } from "../margin/profit.ts";
import { distanceOf, heatOf, type Row, rowsOf, VOL_NAMES } from "../margin/scenarios.ts";
import { loaded, market } from "../state/app.ts";
import { useStore } from "../state/store.ts";
import { addressOf, session } from "../wallet/session.ts";
import type { ViewProps } from "./frame.tsx";
import { Chip, Figures, Message, Panel, Scroll, signTone, type Tone, useAnswer } from "./parts.tsx";

const STATE_TONES: readonly Tone[] = ["good", "warn", "bad", "bad"];

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
      {margin.initialWad > 0n && (
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

function MarginCall({ account, margin }: { account: Account; margin: Margin }) {
  if (margin.state === 0) return null;
  if (margin.state === 1) {
    const since = account.calledTs ? ` Called since ${moment(account.calledTs)}.` : "";
    return (
      <Message tone="warn">
        <strong>Margin call.</strong> The equity is {cash(margin.initialWad - margin.equityWad)} below the initial
        margin. Deposit, or reduce risk; below the maintenance margin, {cash(margin.equityWad - margin.maintenanceWad)}{" "}
        away, anybody may start to liquidate.{since} <a href="#/money">Deposit</a> · <a href="#/try">Try a hedge</a>
      </Message>
    );
  }
  const auction = account.isUnderAuction ? " Its auction is running." : " Anybody may start its auction now.";
  return (
    <Message tone="bad">
      <strong>{margin.state === 2 ? "Below the maintenance margin." : "Insolvent."}</strong> The equity is{" "}
      {cash(margin.maintenanceWad - margin.equityWad)} below the maintenance margin.{auction}{" "}
      <a href="#/money">Deposit</a> · <a href="#/auctions">Auctions</a>
    </Message>
  );
}

function MarginPanel({ account, margin }: { account: Account; margin: Margin }) {
  const use = useOf(margin);
  const free = margin.equityWad - BigInt(margin.initialWad);
  const cushion = margin.equityWad - BigInt(margin.maintenanceWad);
  return (
    <Panel
      title={`Account ${account.id}`}
      aside={
        <span class="row">
          <span>mode {MODES[account.mode]}</span>
          <Chip tone={STATE_TONES[margin.state] ?? "plain"}>{STATES[margin.state]}</Chip>
        </span>
      }
    >
      <Figures
        items={[
          {
            name: "Equity",
            value: cash(margin.equityWad),
            hint: "cash, positions, collateral after haircuts",
            large: true,
          },
          {
            name: "Left to use",
            value: cash(free),
            hint: "equity above the initial margin",
            large: true,
            tone: free < 0n ? "bad" : "plain",
          },
          {
            name: "Cushion",
            value: cash(cushion),
            hint: "above the maintenance margin",
            large: true,
            tone: cushion < 0n ? "bad" : "plain",
          },
          {
            name: "In use",
            value: use === null ? "–" : `${decimal(use * 100, 0)} %`,
            hint: "initial margin of equity",
            large: true,
          },
        ]}
      />
      <LoadLine margin={margin} />
    </Panel>
  );
}

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

export function GreeksPanel({ margin, market }: { margin: Margin; market: Market }) {
  const lines = margin.underlyings.flatMap((risk, index) => {
    const symbol = market.underlyings.find((entry) => entry.id === risk.underlyingId)?.symbol ?? "";
    const expiries = margin.details[index]?.expiries ?? [];
    return [...expiries]
      .sort((a, b) => a.expiryTs - b.expiryTs)
      .filter((entry) => entry.deltaWad || entry.gammaWad || entry.vegaWad || entry.thetaWad)
      .map((entry) => ({ symbol, ...entry }));
  });
  if (!lines.length) return null;
  return (
    <Panel title="Greeks by expiry">
      <Scroll label="Greeks by expiry">
        <table>
          <thead>
            <tr>
              <th scope="col">Expiry</th>
              <th scope="col" class="number">
                Delta
              </th>
              <th scope="col" class="number">
                Gamma
              </th>
              <th scope="col" class="number">
                Vega
              </th>
              <th scope="col" class="number">
                Theta
              </th>
            </tr>
          </thead>
          <tbody>
            {lines.map((entry) => (
              <tr key={`${entry.symbol}${entry.expiryTs}`}>
                <th scope="row">
                  {entry.symbol} {entry.expiryTs ? day(entry.expiryTs) : "perp"}
                </th>
                <td class="number">{decimal(toFloat(entry.deltaWad), 3)}</td>
                <td class="number">{decimal(toFloat(entry.gammaWad), 5)}</td>
                <td class="number">{decimal(toFloat(entry.vegaWad) / 100, 2)}</td>
                <td class="number">{decimal(toFloat(entry.thetaWad) / 365, 2)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p class="note">
        What never expires, perpetuals and linked collateral, is in perp. Delta in units, gamma per unit of price, vega
        for one point of volatility, theta for one day.
      </p>
    </Panel>
  );
}

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

export function CollateralPanel({ account, market }: { account: Account; market: Market }) {
  const lines = account.holdings.flatMap(({ tokenId, amountWad }) => {
    const token = market.tokens.find((entry) => entry.tokenId === tokenId);
    if (!token) return [];
    const value = (amountWad * token.priceWad) / WAD;
    return [{ token, amountWad, value, counted: (value * (WAD - token.haircutWad)) / WAD }];
  });
  return (
    <Panel title="Cash and collateral">
      <Scroll label="Cash and collateral">
        <table>
          <thead>
            <tr>
              <th scope="col">Token</th>
              <th scope="col" class="number">
                Amount
              </th>
              <th scope="col" class="number hide-narrow">
                Price
              </th>
              <th scope="col" class="number">
                Haircut
              </th>
              <th scope="col" class="number">
                Counts
              </th>
            </tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">{market.tokens[0]?.symbol ?? "Cash"}</th>
              <td class="number">{cash(account.cashWad)}</td>
              <td class="number hide-narrow">1.00</td>
              <td class="number">none</td>
              <td class="number">{cash(account.cashWad)}</td>
            </tr>
            {lines.map(({ token, amountWad, counted }) => (
              <tr key={token.tokenId}>
                <th scope="row">
                  {token.symbol}
                  {token.linkedId > 0 && account.mode !== 1 && <span class="sub">price risk is in the scenarios</span>}
                </th>
                <td class="number">{quantity(amountWad)}</td>
                <td class="number hide-narrow">{cash(token.priceWad)}</td>
                <td class="number">{percent(token.haircutWad)}</td>
                <td class="number">{cash(counted)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Panel>
  );
}

export function CarryPanel({ account, market }: { account: Account; market: Market }) {
  const pending = account.cashWad - account.storedCashWad;
  const perps = account.positions.filter((position) => position.kind === PERP);
  const funding = perps.reduce((sum, position) => {
    const rate = market.underlyings.find((entry) => entry.id === position.underlyingId)?.fundingWad ?? 0n;
    return sum - (position.quantityWad * rate) / WAD;
  }, 0n);
  const rateE6 = account.cashWad < 0n ? market.lending.borrowE6 : market.lending.earnE6;
  const interest = (toFloat(account.cashWad) * rateE6) / 1e6 / 365;
  return (
    <Panel title="Funding and interest">
      <Figures
        items={[
          { name: "Accrued, not booked", value: change(pending), hint: "already counted in the cash" },
          {
            name: "Funding a day",
            value: change(funding),
            hint: perps.length ? "at the present rates" : "no perpetuals",
          },
          {
            name: account.cashWad < 0n ? "Interest paid a day" : "Interest earned a day",
            value: decimal(Math.abs(interest), 2),
            hint: `${decimal(rateE6 / 1e4, 2)} % a year on ${account.cashWad < 0n ? "the debt" : "cash"}`,
          },
        ]}
      />
    </Panel>
  );
}

function Welcome({ watching }: { watching: boolean }) {
  return (
    <div class="stack">
      <Panel title={watching ? "This address has no account" : "How much load is safe"}>
        <p class="lead">
          {watching
            ? "It has never opened one, or has given it away."
            : "One account holds options, futures, perpetuals and collateral. Contracts compute one margin from the whole of it, and everything shown here is what they say."}
        </p>
        {!watching && (
          <ol class="steps">
            <li>Connect a wallet, or look at any address without one.</li>
            <li>Deposit: an account is opened in the same step.</li>
            <li>Try a trade: see equity and margin before and after, before anything is signed.</li>
          </ol>
        )}
      </Panel>
    </div>
  );
}

export function AccountView({ app }: ViewProps) {
  const now = useStore(loaded);
  const state = useStore(market);
  const who = useStore(session);
  const account = now?.account ?? null;
  const books = useBooks(app, account?.margin ?? null);
  const reason = useAnswer(
    account?.marginProblem ? `${account.id}:${state?.blockNumber}` : "",
    account?.marginProblem ? () => readProblem(account.marginProblem, app.context) : null,
    async () => "",
  );
  if (!addressOf(who)) return <Welcome watching={false} />;
  if (!now || !state) return <p class="empty">Reading the chain…</p>;
  if (!account) {
    if (who.kind === "watching") return <Welcome watching />;
    return (
      <Panel title="No account yet">
        <p class="lead">A first deposit opens one. It takes one confirmation where the wallet can.</p>
        <a href="#/money">Deposit and open an account</a>
      </Panel>
    );
  }
  const { margin } = account;
  return (
    <div class="stack">
      {margin ? (
        <>
          <MarginCall account={account} margin={margin} />
          <MarginPanel account={account} margin={margin} />
        </>
      ) : (
        <Message tone="warn">
          <strong>No margin now.</strong> {reason.value}
        </Message>
      )}
      <div class="grid two">
        <div class="stack">
          <PositionsPanel app={app} account={account} market={state} />
          <CollateralPanel account={account} market={state} />
          <CarryPanel account={account} market={state} />
          {margin && <GreeksPanel margin={margin} market={state} />}
        </div>
        {margin && (
          <div class="stack">
            <DistancePanel margin={margin} books={books} market={state} />
            <HeatPanel margin={margin} books={books} market={state} />
          </div>
        )}
      </div>
    </div>
  );
}
