/** Own orders that are alive, as a table: what they are, what they wait for, and how to change or end them. */
import type { Address } from "viem";
import { cash, moment, quantity, short } from "../chain/units.ts";
import { instrumentName, unpack } from "../chain/words.ts";
import type { OrderView } from "../venue/client.ts";
import { fromWire, waitOf, waitText } from "../venue/order.ts";
import { WAYS, wayOf } from "../venue/plan.ts";
import type { ViewProps } from "./frame.tsx";
import { Scroll, SlimButton } from "./parts.tsx";

interface Props extends ViewProps {
  readonly orders: readonly OrderView[];
  /** Who would revoke: the address of the wallet. */
  readonly owner: Address;
  readonly onAmend: (order: OrderView) => void;
  readonly onCancel: (order: OrderView) => void;
  readonly onRevoke: (order: OrderView) => void;
}

/** What is special about an order, in words. */
function notesOf(entry: OrderView, symbol: string, isPair: boolean, owner: Address): string[] {
  const { order } = entry;
  const wait = waitOf(fromWire(order));
  const way = wayOf(entry);
  return [
    entry.state === "waiting" && wait ? `waits for ${waitText(wait, symbol)}` : "",
    way === "limit" ? "" : WAYS[way].name.toLowerCase(),
    order.reduceOnly ? "reduce only" : "",
    order.signer === owner ? "" : `signed by ${short(order.signer)}`,
    isPair ? "one of a pair" : "",
    BigInt(entry.pendingWad) > 0n ? `${quantity(BigInt(entry.pendingWad))} on the way to the chain` : "",
    BigInt(entry.filledWad) > 0n ? `${quantity(BigInt(entry.filledWad))} filled` : "",
    `until ${moment(order.expiryTs)}`,
  ].filter((note) => note !== "");
}

export function OpenOrders({ app, orders, owner, onAmend, onCancel, onRevoke }: Props) {
  const { underlyings } = app.context.deployment;
  const nonces = orders.map(({ order }) => order.nonce);
  return (
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
          {orders.map((entry) => {
            const { order } = entry;
            const found = unpack(BigInt(order.instrument));
            const symbol = underlyings.get(found.underlyingId) ?? `#${found.underlyingId}`;
            const name = instrumentName(found, symbol);
            const price = cash(BigInt(order.priceWad));
            const isPair = nonces.filter((nonce) => nonce === order.nonce).length > 1;
            return (
              <tr key={entry.orderHash}>
                <th scope="row">
                  {order.isBuy ? "Buy" : "Sell"} {name}
                  <span class="sub">{notesOf(entry, symbol, isPair, owner).join(", ")}</span>
                </th>
                <td class="number">{price}</td>
                <td class="number">{quantity(BigInt(entry.leavesWad))}</td>
                <td class="number actions">
                  <SlimButton label={`Amend ${name} at ${price}`} onClick={() => onAmend(entry)}>
                    Amend
                  </SlimButton>
                  <SlimButton label={`Cancel ${name} at ${price}`} onClick={() => onCancel(entry)}>
                    Cancel
                  </SlimButton>
                  {/* Only who has signed can take a nonce back on chain. */}
                  {order.signer === owner && (
                    <SlimButton label={`Revoke ${name} on chain`} onClick={() => onRevoke(entry)}>
                      Revoke
                    </SlimButton>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}
