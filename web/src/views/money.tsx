/** Money in and out: deposit, withdraw, borrow, and the queue of withdrawals. */
import { loaded, market } from "../state/app.ts";
import { useStore } from "../state/store.ts";
import { addressOf, session } from "../wallet/session.ts";
import { DepositPanel } from "./deposit.tsx";
import type { ViewProps } from "./frame.tsx";
import { Panel } from "./parts.tsx";
import { QueuePanel } from "./queue.tsx";
import { TokenTable, useBalances } from "./tokens.tsx";
import { WithdrawPanel } from "./withdraw.tsx";

export function MoneyView({ app }: ViewProps) {
  const state = useStore(market);
  const now = useStore(loaded);
  const who = useStore(session);
  const balances = useBalances(app, state?.tokens ?? []);
  if (!state) return <p class="empty">Reading the chain…</p>;
  const connection = who.kind === "connected" ? who.connection : null;
  const account = now?.account ?? null;
  return (
    <div class="grid halves">
      <div class="stack">
        <DepositPanel
          app={app}
          account={account}
          market={state}
          connection={connection}
          isKnown={now !== null || !addressOf(who)}
        />
        <TokenTable tokens={state.tokens} balances={balances} />
      </div>
      <div class="stack">
        {account ? (
          <>
            <WithdrawPanel app={app} account={account} market={state} connection={connection} />
            <QueuePanel app={app} account={account} connection={connection} />
          </>
        ) : (
          <Panel title="Withdraw">
            <p class="empty">Nothing to withdraw before there is an account.</p>
          </Panel>
        )}
      </div>
    </div>
  );
}
