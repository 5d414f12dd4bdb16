/** What if: trades, deposits, withdrawals and a mode that are only tried; the contracts answer. */
import { useState } from "preact/hooks";
import { type Account, KEEP_MODE, MODES } from "../chain/account.ts";
import type { Market, Token } from "../chain/market.ts";
import { markOf } from "../chain/marks.ts";
import { cash, parseUnits, plainUnits, quantity } from "../chain/units.ts";
import { instrumentName, type Position } from "../chain/words.ts";
import { changesOf, type Draft, EMPTY, isEmpty, premiumOf } from "../margin/draft.ts";
import { loaded, market } from "../state/app.ts";
import { Store, useStore } from "../state/store.ts";
import { Compare, usePreview } from "./compare.tsx";
import type { ViewProps } from "./frame.tsx";
import { GreeksPanel } from "./greeks.tsx";
import { HedgePanel } from "./hedge.tsx";
import { InstrumentForm, legKey } from "./instrument.tsx";
import { LoadLine } from "./load-line.tsx";
import { Field, Panel, Segments, Select, SlimButton } from "./parts.tsx";
import { DistancePanel, HeatPanel, useBooks } from "./scenarios.tsx";
import { useLimits } from "./withdraw.tsx";

/** The draft outlives the view, so that one can look elsewhere and come back. */
export const draft = new Store<Draft>(EMPTY);

interface Props extends ViewProps {
  readonly account: Account;
  readonly market: Market;
}

const symbolOf = (now: Market, id: number): string =>
  now.underlyings.find((entry) => entry.id === id)?.symbol ?? `#${id}`;

function Legs({ market: now, draft: plan }: { market: Market; draft: Draft }) {
  const tokens = [...plan.tokens].filter(([, amount]) => amount !== 0n);
  if (isEmpty(plan)) return <p class="empty">The draft is empty. Add a trade, money or another mode below.</p>;
  return (
    <table>
      <caption class="visually-hidden">Draft</caption>
      <tbody>
        {plan.legs.map((leg) => (
          <tr key={leg.key}>
            <th scope="row">
              {leg.quantityWad > 0n ? "Buy" : "Sell"}{" "}
              {quantity(leg.quantityWad < 0n ? -leg.quantityWad : leg.quantityWad)}{" "}
              {instrumentName(leg.instrument, symbolOf(now, leg.instrument.underlyingId))}
              <span class="sub">
                at {cash(leg.priceWad)}
                {premiumOf(leg) !== 0n &&
                  `, ${premiumOf(leg) > 0n ? "costs" : "brings"} ${cash(premiumOf(leg) < 0n ? -premiumOf(leg) : premiumOf(leg))}`}
              </span>
            </th>
            <td class="number">
              <SlimButton
                label={`Remove ${instrumentName(leg.instrument, symbolOf(now, leg.instrument.underlyingId))}`}
                onClick={() => draft.set({ ...plan, legs: plan.legs.filter((other) => other.key !== leg.key) })}
              >
                Remove
              </SlimButton>
            </td>
          </tr>
        ))}
        {tokens.map(([tokenId, amount]) => (
          <tr key={`t${tokenId}`}>
            <th scope="row">
              {amount > 0n ? "Deposit" : "Withdraw"} {quantity(amount < 0n ? -amount : amount)}{" "}
              {now.tokens[tokenId]?.symbol}
            </th>
            <td class="number">
              <SlimButton label={`Remove ${now.tokens[tokenId]?.symbol}`} onClick={() => setToken(plan, tokenId, 0n)}>
                Remove
              </SlimButton>
            </td>
          </tr>
        ))}
        {plan.mode !== KEEP_MODE && (
          <tr>
            <th scope="row">Mode {MODES[plan.mode]}</th>
            <td class="number">
              <SlimButton label="Keep the mode" onClick={() => draft.set({ ...plan, mode: KEEP_MODE })}>
                Remove
              </SlimButton>
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

const setToken = (plan: Draft, tokenId: number, amount: bigint): void =>
  draft.set({ ...plan, tokens: new Map([...plan.tokens, [tokenId, amount]]) });

/** The largest safe withdrawal of the account as it is, before anything of the draft. */
function LargestOut({
  app,
  account,
  token,
  onPick,
}: Omit<Props, "market"> & { token: Token; onPick: (text: string) => void }) {
  const limit = useLimits(app, account, token).value;
  if (!limit) return null;
  const { safeRaw } = limit;
  return (
    <p class="small muted">
      Largest safe withdrawal of the account as it is: {quantity(safeRaw, token.decimals)} {token.symbol}.{" "}
      {safeRaw > 0n && (
        <button type="button" class="slim" onClick={() => onPick(plainUnits(safeRaw, token.decimals))}>
          Take it
        </button>
      )}
    </p>
  );
}

function MoneyForm({ app, account, market: now, draft: plan }: Props & { draft: Draft }) {
  const [tokenId, setTokenId] = useState("0");
  const [text, setText] = useState("");
  const [way, setWay] = useState<"in" | "out">("in");
  const token = now.tokens[Number(tokenId)];
  const amount = parseUnits(text, token?.decimals ?? 18);
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (!token || !amount.ok) return;
        const wad = amount.value * 10n ** BigInt(18 - token.decimals);
        setToken(plan, token.tokenId, way === "in" ? wad : -wad);
        setText("");
      }}
    >
      <div class="fields">
        <Select
          label="Token"
          value={tokenId}
          options={now.tokens.map((entry) => [String(entry.tokenId), entry.symbol] as const)}
          onChange={setTokenId}
        />
        <Field
          label="Amount"
          value={text}
          problem={text && !amount.ok ? amount.problem : undefined}
          onInput={setText}
        />
      </div>
      <div class="row">
        <Segments
          label="Direction"
          value={way}
          options={[
            ["in", "Deposit"],
            ["out", "Withdraw"],
          ]}
          onChange={setWay}
        />
        <button type="submit" disabled={!amount.ok}>
          Add to the draft
        </button>
      </div>
      {way === "out" && token && <LargestOut app={app} account={account} token={token} onPick={setText} />}
    </form>
  );
}

/** A leg that closes a position at its mark. */
async function close(app: ViewProps["app"], now: Market, position: Position): Promise<void> {
  const spotWad = now.underlyings.find((entry) => entry.id === position.underlyingId)?.spotWad ?? 0n;
  const { underlyingId, kind, expiryTs, strikeE8, quantityWad } = position;
  const instrument = { underlyingId, kind, expiryTs, strikeE8 };
  const mark = (await markOf(app.context, instrument, spotWad)) ?? 0n;
  draft.update((plan) => ({
    ...plan,
    legs: [...plan.legs, { key: legKey(), instrument, quantityWad: -quantityWad, priceWad: mark }],
  }));
}

function Draftboard({ app, account, market: now }: Props) {
  const plan = useStore(draft);
  const [tab, setTab] = useState<"trade" | "close" | "money" | "mode">("trade");
  return (
    <Panel
      title="Draft"
      aside={
        isEmpty(plan) ? undefined : (
          <button type="button" class="plain slim" onClick={() => draft.set(EMPTY)}>
            Clear
          </button>
        )
      }
    >
      <div class="stack">
        <Legs market={now} draft={plan} />
        <Segments
          label="What to add"
          value={tab}
          options={[
            ["trade", "A trade"],
            ["close", "Close a position"],
            ["money", "Money"],
            ["mode", "Mode"],
          ]}
          onChange={setTab}
        />
        {tab === "trade" && (
          <InstrumentForm app={app} market={now} onAdd={(leg) => draft.set({ ...plan, legs: [...plan.legs, leg] })} />
        )}
        {tab === "close" && (
          <div class="row">
            {account.positions.map((position) => (
              <button
                key={String(position.word)}
                type="button"
                class="slim"
                onClick={() => void close(app, now, position)}
              >
                {quantity(position.quantityWad)} {instrumentName(position, symbolOf(now, position.underlyingId))}
              </button>
            ))}
            {!account.positions.length && <p class="empty">There is no position to close.</p>}
          </div>
        )}
        {tab === "money" && <MoneyForm app={app} account={account} market={now} draft={plan} />}
        {tab === "mode" && (
          <Segments
            label="Margin mode"
            value={String(plan.mode === KEEP_MODE ? account.mode : plan.mode)}
            options={MODES.map((name, index) => [String(index), name] as const)}
            onChange={(text) => draft.set({ ...plan, mode: Number(text) === account.mode ? KEEP_MODE : Number(text) })}
          />
        )}
      </div>
    </Panel>
  );
}

export function TryView({ app }: ViewProps) {
  const now = useStore(market);
  const mine = useStore(loaded);
  const plan = useStore(draft);
  const account = mine?.account ?? null;
  const preview = usePreview(app, account?.id ?? null, account ? changesOf(plan) : null);
  const after = preview.value?.after ?? null;
  const books = useBooks(app, after);
  if (!now) return <p class="empty">Reading the chain…</p>;
  if (!account) {
    return (
      <Panel title="What if">
        <p class="empty">
          Connect a wallet with an account, or look at an address that has one: what is tried is tried on an account.
        </p>
      </Panel>
    );
  }
  return (
    <div class="grid halves">
      <div class="stack">
        <Draftboard app={app} account={account} market={now} />
        <Panel title="What the contracts say" aside={preview.isOld ? "asking…" : undefined}>
          {after && <LoadLine margin={after} />}
          <Compare answer={preview} empty="Asking the contracts…" />
        </Panel>
        <HedgePanel
          key={String(account.id)}
          app={app}
          account={account}
          market={now}
          draft={plan}
          onAdd={(leg) => draft.set({ ...plan, legs: [...plan.legs, { key: legKey(), ...leg }] })}
        />
      </div>
      {after && (
        <div class="stack">
          <DistancePanel margin={after} books={books} market={now} />
          <HeatPanel margin={after} books={books} market={now} />
          <GreeksPanel margin={after} market={now} />
        </div>
      )}
    </div>
  );
}
