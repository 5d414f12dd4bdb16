/** Own orders and fills; a login by signature shows them, because a book is public and its owners are not. */

import { encodeFunctionData } from "viem";
import { exchangeAbi } from "../chain/abi.ts";
import type { Account } from "../chain/account.ts";
import { cash, quantity, short } from "../chain/units.ts";
import { instrumentName, unpack } from "../chain/words.ts";
import { useStore } from "../state/store.ts";
import { login } from "../venue/login.ts";
import { sendCall } from "../wallet/send.ts";
import type { Connection } from "../wallet/session.ts";
import type { ViewProps } from "./frame.tsx";
import { Chip, Message, Panel, Scroll, SlimButton, type Tone, useWork } from "./parts.tsx";
import { loggedIn, type Own, venueAt } from "./venue-state.ts";

const FILL_WORDS: Readonly<Record<string, readonly [string, Tone]>> = {
  pending: ["on its way to the chain", "plain"],
  settled: ["on chain", "good"],
  final: ["final", "good"],
  failed: ["failed", "bad"],
};

interface Props extends ViewProps {
  readonly url: string;
  readonly account: Account;
  readonly connection: Connection;
  readonly own: Own;
}

const OPEN = new Set(["open", "waiting"]);

export function OrdersPanel({ app, url, account, connection, own }: Props) {
  const who = useStore(loggedIn);
  const work = useWork();
  const { venue, stream } = venueAt(url);
  const { underlyings } = app.context.deployment;
  const named = (word: string) => {
    const found = unpack(BigInt(word));
    return instrumentName(found, underlyings.get(found.underlyingId) ?? `#${found.underlyingId}`);
  };
  if (who !== connection.address) {
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
            A signature shows and cancels your orders here. It costs nothing and moves nothing; it is asked for again
            after a reload, because it is kept nowhere.
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
  const open = own.orders.filter((order) => OPEN.has(order.state));
  const ended = own.orders.filter((order) => order.state === "barred");
  // Whoever has seen a signature may still use it on chain until it ends there.
  const revoke = (nonce: string) =>
    work.run(async () => {
      const data = encodeFunctionData({ abi: exchangeAbi, functionName: "cancel", args: [BigInt(nonce)] });
      const to = app.context.deployment.contracts.Exchange;
      await sendCall(app.context, connection, { to, data, label: "Make the order worthless on chain" });
    });
  return (
    <Panel
      title="Your orders"
      aside={
        open.length > 0 && (
          <button
            type="button"
            class="plain slim"
            disabled={work.busy}
            onClick={() => work.run(() => venue.cancelAll(account.id))}
          >
            Cancel all
          </button>
        )
      }
    >
      {work.problem && <Message tone="bad">{work.problem}</Message>}
      {ended.map((order) => (
        <Message key={order.orderHash} tone="warn">
          {named(order.order.instrument)}: the order was taken out of the book. {order.reason}
        </Message>
      ))}
      {open.length ? (
        <Scroll label="Open orders">
          <table>
            <thead>
              <tr>
                <th scope="col">Order</th>
                <th scope="col" class="number">
                  Price
                </th>
                <th scope="col" class="number">
                  Open
                </th>
                <th scope="col" class="number">
                  Actions
                </th>
              </tr>
            </thead>
            <tbody>
              {open.map((order) => (
                <tr key={order.orderHash}>
                  <th scope="row">
                    {order.order.isBuy ? "Buy" : "Sell"} {named(order.order.instrument)}
                    <span class="sub">
                      {BigInt(order.pendingWad) > 0n &&
                        `${quantity(BigInt(order.pendingWad))} on the way to the chain `}
                      {BigInt(order.filledWad) > 0n && `${quantity(BigInt(order.filledWad))} filled`}
                    </span>
                  </th>
                  <td class="number">{cash(BigInt(order.order.priceWad))}</td>
                  <td class="number">{quantity(BigInt(order.leavesWad))}</td>
                  <td class="number">
                    <SlimButton
                      label={`Cancel ${named(order.order.instrument)} at ${cash(BigInt(order.order.priceWad))}`}
                      onClick={() => work.run(() => venue.cancel(order.orderHash))}
                    >
                      Cancel
                    </SlimButton>{" "}
                    <SlimButton
                      label={`Revoke ${named(order.order.instrument)} on chain`}
                      onClick={() => revoke(order.order.nonce)}
                    >
                      Revoke
                    </SlimButton>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      ) : (
        <p class="empty">No open orders.</p>
      )}
      {own.fills.length > 0 && (
        <Scroll label="Fills">
          <table>
            <thead>
              <tr>
                <th scope="col">Fill</th>
                <th scope="col" class="number">
                  Price
                </th>
                <th scope="col" class="number">
                  Quantity
                </th>
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {own.fills.map((fill) => {
                const [text, tone] = FILL_WORDS[fill.state] ?? [fill.state, "plain" as const];
                return (
                  <tr key={`${fill.tradeId}${fill.orderHash}`}>
                    <th scope="row">
                      {fill.isBuy ? "Bought" : "Sold"} {named(fill.instrument)}
                      {fill.reason && <span class="sub">{fill.reason}</span>}
                    </th>
                    <td class="number">{cash(BigInt(fill.priceWad))}</td>
                    <td class="number">{quantity(BigInt(fill.quantityWad))}</td>
                    <td>
                      <Chip tone={tone}>{text}</Chip>
                      {fill.txHash && <span class="sub">{short(fill.txHash)}</span>}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </Scroll>
      )}
      <p class="note">
        Cancelling takes an order out of this book. Revoking it on chain makes the signature worthless to everybody, and
        costs a fee.
      </p>
    </Panel>
  );
}
