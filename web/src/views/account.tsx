/** One account: its margin, how far away liquidation is, what it holds and what that earns or costs. */
import { type Account, type Margin, MODES, STATES } from "../chain/account.ts";
import type { Market } from "../chain/market.ts";
import { readProblem } from "../chain/refusal.ts";
import { cash, day, decimal, moment, short, toFloat } from "../chain/units.ts";
import { useOf } from "../margin/bar.ts";
import { volAt } from "../margin/smile.ts";
import { loaded, market } from "../state/app.ts";
import { useStore } from "../state/store.ts";
import { addressOf, session } from "../wallet/session.ts";
import { CarryPanel, CollateralPanel } from "./collateral.tsx";
import type { ViewProps } from "./frame.tsx";
import { GreeksPanel } from "./greeks.tsx";
import { LoadLine } from "./load-line.tsx";
import { Chip, Figures, Message, Panel, Scroll, type Tone, useAnswer } from "./parts.tsx";
import { PositionsPanel } from "./positions.tsx";
import { DistancePanel, HeatPanel, useBooks } from "./scenarios.tsx";

const STATE_TONES: readonly Tone[] = ["good", "warn", "bad", "bad"];

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
            hint:
              account.guaranteedWad > 0n
                ? `${cash(margin.equityWad - account.guaranteedWad)} of its own, ${cash(account.guaranteedWad)} by guarantee lines`
                : "cash, positions, collateral after haircuts",
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

/** Where the market is, for who has no account yet: the figures of the last rounds. */
function MarketPanel({ market: now }: { market: Market }) {
  return (
    <Panel title="The market now" aside={<a href="#/trade">Option chain</a>}>
      <Scroll label="Prices of the last rounds">
        <table>
          <thead>
            <tr>
              <th scope="col">Underlying</th>
              <th scope="col" class="number">
                Spot
              </th>
              <th scope="col" class="number">
                Perpetual
              </th>
              <th scope="col" class="number">
                Volatility
              </th>
            </tr>
          </thead>
          <tbody>
            {now.underlyings.map((entry) => {
              const [nearest] = entry.surfaces;
              const vol = nearest ? volAt(nearest, entry.roundTs, toFloat(nearest.forwardWad)) : null;
              return (
                <tr key={entry.id}>
                  <th scope="row">{entry.symbol}</th>
                  <td class="number">{cash(entry.spotWad)}</td>
                  <td class="number">{entry.perpWad ? cash(entry.perpWad) : "–"}</td>
                  <td class="number">
                    {vol === null ? "–" : `${decimal(vol * 100, 1)} %`}
                    {nearest && <span class="sub">at the money, {day(nearest.expiryTs)}</span>}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </Panel>
  );
}

function Welcome({ watching, market: now }: { watching: boolean; market: Market | null }) {
  return (
    <div class="grid halves">
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
      {now && <MarketPanel market={now} />}
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
  if (!addressOf(who)) return <Welcome watching={false} market={state} />;
  if (!now || !state) return <p class="empty">Reading the chain…</p>;
  if (!account) {
    if (who.kind === "watching") return <Welcome watching market={state} />;
    return (
      <Panel title="No account yet">
        <p class="lead">A first deposit opens one. It takes one confirmation where the wallet can.</p>
        <a href="#/money">Deposit and open an account</a>
      </Panel>
    );
  }
  const { margin } = account;
  const isKey = who.kind === "connected" && account.owner !== who.connection.address;
  return (
    <div class="stack">
      {isKey && (
        <Message tone="plain">
          This wallet is a trader key of the account, which {short(account.owner)} owns: it may sign orders within its
          limits, and nothing else.
        </Message>
      )}
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
