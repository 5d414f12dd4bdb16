/** The order ticket: what is signed, in words, with the margin before and after a whole fill. */
import { useEffect, useState } from "preact/hooks";
import { readContract } from "viem/actions";
import { accountsAbi, exchangeAbi, orderPreviewAbi } from "../chain/abi.ts";
import { type Account, KEEP_MODE } from "../chain/account.ts";
import { readProblem } from "../chain/refusal.ts";
import { cash, DAY_SEC, parseUnits, plainUnits } from "../chain/units.ts";
import { type Instrument, instrumentName, isOption } from "../chain/words.ts";
import { changesOf } from "../margin/draft.ts";
import { head } from "../state/app.ts";
import { useStore } from "../state/store.ts";
import type { OrderView, Venue } from "../venue/client.ts";
import { describeOrder, freshNonce, fromWire, type Order, orderOf, orderTypedData } from "../venue/order.ts";
import { isContract } from "../wallet/deposit.ts";
import { signTyped } from "../wallet/send.ts";
import type { Connection } from "../wallet/session.ts";
import { Compare, TYPING_MS, usePreview } from "./compare.tsx";
import type { ViewProps } from "./frame.tsx";
import { Field, Message, Panel, Segments, Select, useAnswer, useWork } from "./parts.tsx";

const LIVES = [
  ["600", "10 minutes"],
  ["3600", "an hour"],
  [String(DAY_SEC), "a day"],
  [String(7 * DAY_SEC), "7 days"],
] as const;

/** Ways of an order: the exchange's kind, and for how long the service keeps what does not fill at once. */
const WAYS = {
  limit: { kind: 0, timeInForce: "gtc", name: "Limit" },
  post: { kind: 2, timeInForce: "gtc", name: "Post only" },
  ioc: { kind: 0, timeInForce: "ioc", name: "Fill what you can" },
  fok: { kind: 1, timeInForce: "ioc", name: "All or nothing" },
} as const;
type Way = keyof typeof WAYS;

/** Prices of options go in cents, of linear instruments in steps of 1e-8: the finest that is worth typing. */
const PRICE_DECIMALS = 8;

export interface Picked {
  readonly instrument: Instrument;
  readonly priceWad: bigint | null;
  readonly isBuy: boolean;
}

interface Props extends ViewProps {
  readonly picked: Picked;
  readonly symbol: string;
  readonly account: Account | null;
  readonly connection: Connection | null;
  readonly venue: Venue | null;
  /** Own orders that are open, as far as the service tells them. */
  readonly open: readonly OrderView[];
  readonly onQuote: (leg: { instrument: Instrument; isBuy: boolean; quantityWad: bigint }) => void;
}

/** An order may make or take, so that it has to accept the higher rate. */
function largest(rates: readonly bigint[]): bigint {
  const [first = 0n] = [...rates].sort((a, b) => (a < b ? 1 : -1));
  return first;
}

/** Fee rates, wad, and how often the account has changed hands: what an order has to name. */
function useTerms(app: ViewProps["app"], account: Account | null, instrument: Instrument) {
  const { Exchange, Accounts } = app.context.deployment.contracts;
  return useAnswer(
    account ? `${account.id}|${isOption(instrument.kind)}` : "",
    account
      ? async () => {
          const [[fees], transferCount] = await Promise.all([
            readContract(app.context.client, { address: Exchange, abi: exchangeAbi, functionName: "feesOf" }),
            readContract(app.context.client, {
              address: Accounts,
              abi: accountsAbi,
              functionName: "transferCountOf",
              args: [account.id],
            }),
          ]);
          const rates = isOption(instrument.kind)
            ? [fees.makerOptionWad, fees.takerOptionWad]
            : [fees.makerLinearWad, fees.takerLinearWad];
          return { maxFeeWad: largest(rates), transferCount };
        }
      : null,
    (thrown) => readProblem(thrown, app.context),
  );
}

/** Margin when the open orders and this one fill as badly as they can, as the contracts try it. */
function useWorst(app: ViewProps["app"], account: Account | null, order: Order | null, open: readonly OrderView[]) {
  const orders = order && open.length ? [...open.map((entry) => fromWire(entry.order)), order] : null;
  const key =
    orders?.map((entry) => `${entry.instrument}${entry.isBuy}${entry.priceWad}${entry.quantityWad}`).join() ?? "";
  return useAnswer(
    key,
    account && orders
      ? () =>
          readContract(app.context.client, {
            address: app.context.deployment.contracts.OrderPreview,
            abi: orderPreviewAbi,
            functionName: "previewOrders",
            args: [account.id, orders],
          })
      : null,
    (thrown) => readProblem(thrown, app.context),
    TYPING_MS,
  );
}

export function Ticket({ app, picked, symbol, account, connection, venue, open, onQuote }: Props) {
  const { instrument } = picked;
  const block = useStore(head);
  const work = useWork();
  const [side, setSide] = useState<"buy" | "sell">(picked.isBuy ? "buy" : "sell");
  const [size, setSize] = useState("1");
  const [price, setPrice] = useState("");
  const [way, setWay] = useState<Way>("limit");
  const [life, setLife] = useState<string>("3600");
  const [reduceOnly, setReduceOnly] = useState(false);
  const [placed, setPlaced] = useState("");
  useEffect(() => {
    setSide(picked.isBuy ? "buy" : "sell");
    if (picked.priceWad !== null) setPrice(plainUnits(picked.priceWad - (picked.priceWad % 10n ** 16n), 18));
    setPlaced("");
  }, [picked]);
  const terms = useTerms(app, account, instrument);
  const quantityWad = parseUnits(size, 18);
  const priceE8 = parseUnits(price, PRICE_DECIMALS);
  const isBuy = side === "buy";
  const ready = quantityWad.ok && priceE8.ok;
  const priceWad = priceE8.ok ? priceE8.value * 10n ** 10n : 0n;
  const leg = ready
    ? { key: "ticket", instrument, quantityWad: isBuy ? quantityWad.value : -quantityWad.value, priceWad }
    : null;
  const changes = leg ? changesOf({ legs: [leg], tokens: new Map(), mode: KEEP_MODE }) : null;
  const preview = usePreview(app, account?.id ?? null, changes);
  const isShort = preview.value !== null && preview.value.after.equityWad < preview.value.after.initialWad;
  const order: Order | null =
    leg && account && connection && terms.value && block
      ? orderOf(
          {
            accountId: account.id,
            instrument,
            isBuy,
            quantityWad: leg.quantityWad < 0n ? -leg.quantityWad : leg.quantityWad,
            priceWad,
            kind: WAYS[way].kind,
            reduceOnly,
            // The service and the chain may count a little apart from this clock.
            expiryTs: Math.max(block.ts, Math.floor(Date.now() / 1000)) + Number(life),
            maxFeeWad: terms.value.maxFeeWad,
            signer: connection.address,
            transferCount: terms.value.transferCount,
          },
          0n,
        )
      : null;
  const worst = useWorst(app, account, order, open);
  const place = () =>
    work.run(async () => {
      if (!order || !connection || !venue) return;
      setPlaced("");
      const random = crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n;
      const signed = { ...order, nonce: freshNonce(Date.now(), random) };
      const contract = await isContract(app.context, connection.address);
      const signature = await signTyped(
        app.context,
        connection,
        orderTypedData(app.context.deployment, signed),
        contract,
      );
      const result = await venue.place({ order: signed, signature }, WAYS[way].timeInForce);
      const matched = result.matches.reduce((sum, match) => sum + BigInt(match.quantityWad), 0n);
      setPlaced(
        matched > 0n
          ? `Matched ${plainUnits(matched, 18)}; it counts when the chain has it.`
          : result.order?.state === "open"
            ? "The order is in the book."
            : `The order is ${result.order?.state ?? "taken"}. ${result.order?.reason ?? ""}`,
      );
    });
  return (
    <Panel title="Order" aside={instrumentName(instrument, symbol)}>
      <div class="stack">
        <Segments
          label="Side"
          value={side}
          options={[
            ["buy", "Buy"],
            ["sell", "Sell"],
          ]}
          onChange={setSide}
        />
        <div class="fields">
          <Field
            label="Quantity"
            value={size}
            problem={size && !quantityWad.ok ? quantityWad.problem : undefined}
            onInput={setSize}
          />
          <Field
            label={isBuy ? "Highest price" : "Lowest price"}
            value={price}
            problem={price && !priceE8.ok ? priceE8.problem : undefined}
            onInput={setPrice}
          />
        </div>
        <div class="fields">
          <Select
            label="Way"
            value={way}
            options={(Object.keys(WAYS) as Way[]).map((key) => [key, WAYS[key].name] as const)}
            onChange={setWay}
          />
          <Select label="Good for" value={life} options={LIVES} onChange={setLife} />
        </div>
        <label class="check">
          <input type="checkbox" checked={reduceOnly} onChange={() => setReduceOnly(!reduceOnly)} />
          only reduce what the account holds
        </label>
        {account && (
          <Compare answer={preview} empty="Enter quantity and price to see the margin before and after a whole fill." />
        )}
        {worst.value && (
          <p class="small muted">
            With your {open.length} open {open.length === 1 ? "order" : "orders"} filled at the worst: equity{" "}
            {cash(worst.value.worst.equityWad)}, initial margin {cash(worst.value.worst.initialWad)},{" "}
            <span class={worst.value.worst.equityWad < worst.value.worst.initialWad ? "bad" : ""}>
              left to use {cash(worst.value.worst.equityWad - worst.value.worst.initialWad)}
            </span>
            .
          </p>
        )}
        {isShort && (
          <Message tone="warn">
            A whole fill would leave less than the initial margin: the exchange refuses it unless it reduces risk.
          </Message>
        )}
        {order && (
          <details>
            <summary class="small muted">What is signed</summary>
            <table>
              <tbody>
                {describeOrder(order, instrument, symbol).map(([name, text]) => (
                  <tr key={name}>
                    <th scope="row">{name}</th>
                    <td>{text}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </details>
        )}
        <div class="row">
          <button type="button" class="main" disabled={!order || !venue || work.busy} onClick={place}>
            {work.busy ? "Waiting for the wallet…" : `Sign ${isBuy ? "buy" : "sell"} order`}
          </button>
          {venue && account && quantityWad.ok && (
            <button type="button" onClick={() => onQuote({ instrument, isBuy, quantityWad: quantityWad.value })}>
              Add to a request for quote
            </button>
          )}
        </div>
        {!venue && (
          <p class="small muted">
            This page has no order service, so that orders have nowhere to meet. Margins and marks are the contracts'
            own.
          </p>
        )}
        {venue && !account && <p class="small muted">An order needs an account; a first deposit opens one.</p>}
        {placed && <Message tone="good">{placed}</Message>}
        {(work.problem || terms.problem) && <Message tone="bad">{work.problem || terms.problem}</Message>}
      </div>
    </Panel>
  );
}
