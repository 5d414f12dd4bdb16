/** Own orders and fills; a login by signature shows them, because a book is public and its owners are not. */
import { encodeFunctionData } from "viem";
import { exchangeAbi } from "../chain/abi.ts";
import type { Account } from "../chain/account.ts";
import { instrumentName, unpack } from "../chain/words.ts";
import { useStore } from "../state/store.ts";
import { type OrderView, VenueProblem } from "../venue/client.ts";
import { login } from "../venue/login.ts";
import { freshNonce } from "../venue/order.ts";
import { sendCall } from "../wallet/send.ts";
import type { Connection } from "../wallet/session.ts";
import { Fills } from "./fills.tsx";
import type { ViewProps } from "./frame.tsx";
import { OpenOrders } from "./open-orders.tsx";
import { Message, Panel, useWork } from "./parts.tsx";
import { isAlive, loggedIn, type Own, venueAt } from "./venue-state.ts";

interface Props extends ViewProps {
  readonly url: string;
  readonly account: Account;
  readonly connection: Connection;
  readonly own: Own;
  readonly onAmend: (order: OrderView) => void;
}

function Entrance({ app, url, connection }: Pick<Props, "app" | "url" | "connection">) {
  const work = useWork();
  const { venue, stream } = venueAt(url);
  const enter = () =>
    work.run(async () => {
      const token = await login(app.context, connection, venue);
      loggedIn.set(connection.address);
      stream.authenticate(token);
    });
  return (
    <Panel title="Your orders">
      <div class="stack">
        <p class="small muted">
          A signature shows, amends and cancels your orders here. It costs nothing and moves nothing; it is asked for
          again after a reload, because it is kept nowhere.
        </p>
        <div>
          <button type="button" disabled={work.busy} onClick={enter}>
            {work.busy ? "Waiting for the wallet…" : "Sign in to your orders"}
          </button>
        </div>
        {work.problem && <Message tone="bad">{work.problem}</Message>}
      </div>
    </Panel>
  );
}

export function OrdersPanel({ app, url, account, connection, own, onAmend }: Props) {
  const who = useStore(loggedIn);
  const work = useWork();
  const { venue } = venueAt(url);
  if (who !== connection.address) return <Entrance app={app} url={url} connection={connection} />;
  const open = own.orders.filter(isAlive);
  const barred = own.orders.filter((order) => order.state === "barred");
  const { underlyings } = app.context.deployment;
  const named = (order: OrderView) => {
    const found = unpack(BigInt(order.order.instrument));
    return instrumentName(found, underlyings.get(found.underlyingId) ?? `#${found.underlyingId}`);
  };
  /** Asks the service; a token that has run out shows the entrance again. */
  const ask = (question: () => Promise<void>) =>
    work.run(async () => {
      try {
        await question();
      } catch (thrown) {
        if (thrown instanceof VenueProblem && thrown.code === "notLoggedIn") {
          venue.forget();
          loggedIn.set(null);
        }
        throw thrown;
      }
    });
  const to = app.context.deployment.contracts.Exchange;
  // Whoever has seen a signature may still use it on chain until it ends there.
  const revoke = (order: OrderView) =>
    work.run(async () => {
      const args = [BigInt(order.order.nonce)] as const;
      const data = encodeFunctionData({ abi: exchangeAbi, functionName: "cancel", args });
      await sendCall(app.context, connection, { to, data, label: "Make the order worthless on chain" });
    });
  const revokeAll = () =>
    work.run(async () => {
      const args = [freshNonce(Date.now(), 0n)] as const;
      const data = encodeFunctionData({ abi: exchangeAbi, functionName: "cancelBelow", args });
      await sendCall(app.context, connection, { to, data, label: "Make everything signed until now worthless" });
    });
  const sides = new Set(open.map(({ order }) => order.isBuy));
  return (
    <Panel
      title="Your orders"
      aside={
        open.length > 0 && (
          <span class="row">
            {sides.size > 1 &&
              ([true, false] as const).map((isBuy) => (
                <button
                  key={String(isBuy)}
                  type="button"
                  class="plain slim"
                  disabled={work.busy}
                  onClick={() => ask(() => venue.cancelAll(account.id, isBuy))}
                >
                  Cancel {isBuy ? "buys" : "sells"}
                </button>
              ))}
            <button
              type="button"
              class="plain slim"
              disabled={work.busy}
              onClick={() => ask(() => venue.cancelAll(account.id))}
            >
              Cancel all
            </button>
          </span>
        )
      }
    >
      {work.problem && <Message tone="bad">{work.problem}</Message>}
      {barred.map((order) => (
        <Message key={order.orderHash} tone="warn">
          {named(order)}: the order was taken out of the book. {order.reason}
        </Message>
      ))}
      <div class="stack">
        {open.length ? (
          <OpenOrders
            app={app}
            orders={open}
            owner={connection.address}
            onAmend={onAmend}
            onCancel={(order) => ask(() => venue.cancel(order.orderHash))}
            onRevoke={revoke}
          />
        ) : (
          <p class="empty">No open orders.</p>
        )}
        {own.fills.length > 0 && <Fills app={app} fills={own.fills} />}
      </div>
      <p class="note">
        Cancelling takes an order out of this book. Revoking makes its signature worthless to everybody, by a
        transaction; everything at once ends every order, quote and intent of this wallet, known to this service or not.
      </p>
      <div class="row">
        <button type="button" class="slim" disabled={work.busy} onClick={revokeAll}>
          Revoke everything signed until now
        </button>
      </div>
    </Panel>
  );
}
