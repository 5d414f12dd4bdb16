/** The frame around every view: who acts, how the chain is, what is under way, and which view. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { MODES } from "../chain/account.ts";
import { chainOf } from "../chain/client.ts";
import { duration, short } from "../chain/units.ts";
import { type App, clock, head, loaded, market, notice, outage, selectedId } from "../state/app.ts";
import { clockNotes, serviceAheadMs } from "../state/clocks.ts";
import { useStore } from "../state/store.ts";
import { addressOf, session, switchChain } from "../wallet/session.ts";
import { dismiss, type Sent, sent } from "../wallet/transactions.ts";
import { AccountView } from "./account.tsx";
import { Message, type Tone, useWork } from "./parts.tsx";
import { nextTheme, theme } from "./theme.ts";
import { WalletDialog } from "./wallet.tsx";

export interface ViewProps {
  readonly app: App;
}

type View = ComponentType<ViewProps>;

/** Every view but the first is loaded when it is first asked for. */
const VIEWS: readonly { id: string; title: string; load: () => Promise<View> }[] = [
  { id: "account", title: "Account", load: async () => AccountView },
  { id: "trade", title: "Trade", load: async () => (await import("./trade.tsx")).TradeView },
  { id: "try", title: "What if", load: async () => (await import("./try.tsx")).TryView },
  { id: "money", title: "Deposit and withdraw", load: async () => (await import("./money.tsx")).MoneyView },
  { id: "auctions", title: "Auctions", load: async () => (await import("./auctions.tsx")).AuctionsView },
  { id: "control", title: "Control", load: async () => (await import("./control.tsx")).ControlView },
  { id: "history", title: "History", load: async () => (await import("./history.tsx")).HistoryView },
];

const viewId = (): string => {
  const id = location.hash.replace(/^#\/?/, "");
  return VIEWS.some((view) => view.id === id) ? id : "account";
};

function useView(): { id: string; View: View | null; problem: string } {
  const [id, setId] = useState(viewId());
  const [shown, setShown] = useState<{ id: string; View: View } | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    const onHash = () => setId(viewId());
    addEventListener("hashchange", onHash);
    return () => removeEventListener("hashchange", onHash);
  }, []);
  useEffect(() => {
    let isCurrent = true;
    setProblem("");
    VIEWS.find((view) => view.id === id)
      ?.load()
      .then((View) => isCurrent && setShown({ id, View }))
      .catch(
        () =>
          isCurrent && setProblem("This part of the page could not be loaded. Reload the page once the host answers."),
      );
    return () => {
      isCurrent = false;
    };
  }, [id]);
  return { id, View: shown?.id === id ? shown.View : null, problem };
}

const WORD: Readonly<Record<Sent["stage"], string>> = {
  waiting: "waiting for a block",
  mined: "on chain",
  settled: "on chain, settled",
  failed: "failed",
  returned: "given back by the chain",
};

const TONE: Readonly<Record<Sent["stage"], Tone>> = {
  waiting: "plain",
  mined: "good",
  settled: "good",
  failed: "bad",
  returned: "warn",
};

/** Shown at once; the rest is in the history. */
const MOST_SHOWN = 3;

function Transactions() {
  const list = useStore(sent).slice(0, MOST_SHOWN);
  return (
    <div aria-live="polite">
      {list.map((entry) => (
        <Message key={entry.hash} tone={TONE[entry.stage]} onClose={() => dismiss(entry.hash)}>
          <strong>{entry.label}</strong>: {WORD[entry.stage]}
          {entry.blockNumber !== null && `, block ${entry.blockNumber}`}. {entry.note}
          <span class="muted small"> {short(entry.hash)}</span>
        </Message>
      ))}
    </div>
  );
}

function WrongChain({ app }: ViewProps) {
  const now = useStore(session);
  const work = useWork();
  const { chainId, network } = app.context.deployment;
  if (now.kind !== "connected" || now.connection.chainId === chainId) return null;
  const { connection } = now;
  return (
    <Message tone="warn">
      The wallet is on chain {connection.chainId}; this deployment is on chain {chainId} ({network}). Figures below are
      of chain {chainId}.{" "}
      <button
        type="button"
        class="slim"
        disabled={work.busy}
        onClick={() => work.run(() => switchChain(connection, chainOf(app.context.deployment, app.settings.rpcUrl)))}
      >
        Switch the wallet
      </button>
      {work.problem && <p>{work.problem}</p>}
    </Message>
  );
}

/** Clocks that disagree, because orders end and rounds age by them. */
function ClocksApart({ app }: ViewProps) {
  const ahead = useStore(serviceAheadMs);
  const block = useStore(head);
  const wall = useStore(clock);
  return clockNotes(ahead, block, wall, app.isLocal).map((note) => (
    <Message key={note.slice(0, 20)} tone="warn">
      {note}
    </Message>
  ));
}

/** Ages of rounds against the age at which they stop to count. */
function StaleRound() {
  const now = useStore(market);
  const wall = useStore(clock);
  const block = useStore(head);
  if (!now || !block) return null;
  // A chain whose clock runs ahead of ours decides by its own.
  const time = Math.max(wall, block.ts);
  const stale = now.underlyings.filter((entry) => time - entry.roundTs > now.heartbeatSec);
  if (!stale.length) return null;
  const ages = stale.map((entry) =>
    entry.roundTs === 0
      ? `${entry.symbol} has no round yet`
      : `${entry.symbol} is ${duration(time - entry.roundTs)} old`,
  );
  return (
    <Message tone="warn">
      Prices are out of date: {ages.join(", ")}, and a round counts for {duration(now.heartbeatSec)}. Trades,
      withdrawals beside a position and margins wait for the next round.
    </Message>
  );
}

function AccountChooser() {
  const now = useStore(loaded);
  const id = useStore(selectedId);
  if (!now || now.ids.length === 0) return null;
  if (now.ids.length === 1) return <span class="muted small">Account {String(now.ids[0])}</span>;
  return (
    <>
      <label class="visually-hidden" for="account-chooser">
        Account
      </label>
      <select
        id="account-chooser"
        style="width:auto"
        value={String(id)}
        onChange={(event) => selectedId.set(BigInt(event.currentTarget.value))}
      >
        {now.ids.map((each) => (
          <option key={String(each)} value={String(each)}>
            Account {String(each)}
            {now.account?.id === each ? ` · ${MODES[now.account.mode]}` : ""}
          </option>
        ))}
      </select>
    </>
  );
}

/** Brings a tab into sight on narrow screens; `scrollIntoView` would also have the Tab key go on from there. */
function showTab(tab: HTMLElement | null): void {
  const row = tab?.closest("ul");
  if (!tab || !row) return;
  const [left, right] = [tab.offsetLeft, tab.offsetLeft + tab.offsetWidth];
  if (left < row.scrollLeft) row.scrollLeft = left;
  if (right > row.scrollLeft + row.clientWidth) row.scrollLeft = right - row.clientWidth;
}

export function Frame({ app }: ViewProps) {
  const { id, View, problem } = useView();
  // Each opening is a dialog of its own: one that closes late must not close the next.
  const [opening, setOpening] = useState(0);
  const [shown, setShown] = useState(0);
  const now = useStore(session);
  const lost = useStore(outage);
  const told = useStore(notice);
  const look = useStore(theme);
  const address = addressOf(now);
  useEffect(() => {
    document.title = `${VIEWS.find((view) => view.id === id)?.title ?? "Account"} · Plimsoll`;
    showTab(document.querySelector("nav.tabs a[aria-current]"));
  }, [id]);
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <a class="brand" href="#/account">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <circle cx="16" cy="16" r="9.5" />
            <path d="M1 16h30" />
          </svg>
          Plimsoll
        </a>
        <span class="spread" />
        <AccountChooser />
        <button type="button" class="plain slim" aria-label={`Colours: ${look}. Change`} onClick={nextTheme}>
          {look === "light" ? "☀" : look === "dark" ? "☾" : "◐"}
        </button>
        <button
          type="button"
          class={address ? "" : "main"}
          onClick={() => {
            setOpening(opening + 1);
            setShown(opening + 1);
          }}
        >
          {address ? `${now.kind === "watching" ? "Watching " : ""}${short(address)}` : "Connect"}
        </button>
      </header>
      <nav class="tabs" aria-label="Views">
        <ul>
          {VIEWS.map((view) => (
            <li key={view.id}>
              <a href={`#/${view.id}`} aria-current={view.id === id ? "page" : undefined}>
                {view.title}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      {lost && <Message tone="bad">{lost}</Message>}
      {told && (
        <Message tone="warn" onClose={() => notice.set("")}>
          {told}
        </Message>
      )}
      <WrongChain app={app} />
      <ClocksApart app={app} />
      <StaleRound />
      <Transactions />
      <main id="main" tabIndex={-1}>
        <h1 class="visually-hidden">{VIEWS.find((view) => view.id === id)?.title}</h1>
        {problem ? <Message tone="bad">{problem}</Message> : View ? <View app={app} /> : <p class="empty">Loading…</p>}
      </main>
      {shown > 0 && <WalletDialog key={shown} onClose={() => setShown((now) => (now === shown ? 0 : now))} />}
    </div>
  );
}
