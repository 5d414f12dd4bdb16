/** The order ticket: what is signed, in words, with what it costs and the margin before and after a whole fill. */
import { useEffect, useState } from "preact/hooks";
import { type Account, KEEP_MODE } from "../chain/account.ts";
import { cash, change, DAY_SEC, parseUnits, plainUnits, quantity } from "../chain/units.ts";
import { type Instrument, instrumentName } from "../chain/words.ts";
import { changesOf } from "../margin/draft.ts";
import { head } from "../state/app.ts";
import { chainNow } from "../state/clocks.ts";
import { useStore } from "../state/store.ts";
import type { OrderView, PlaceResult, Venue } from "../venue/client.ts";
import { describeOrder, nextNonce, orderTypedData } from "../venue/order.ts";
import { type Cost, costOf, feesOf, type Planned, planned, WAYS, type Way, wayOf, wireTrigger } from "../venue/plan.ts";
import { isContract } from "../wallet/deposit.ts";
import { signTyped } from "../wallet/send.ts";
import type { Connection } from "../wallet/session.ts";
import { Compare, usePreview } from "./compare.tsx";
import type { ViewProps } from "./frame.tsx";
import { Field, Figures, Message, Panel, Segments, Select, useWork } from "./parts.tsx";
import { useTerms, useWorst } from "./ticket-answers.ts";
import { AT_ONCE, isMet, WaitFields, type WaitForm, waitOf, waitText } from "./wait.tsx";

const LIVES = [
  ["600", "10 minutes"],
  ["3600", "an hour"],
  [String(DAY_SEC), "a day"],
  [String(7 * DAY_SEC), "7 days"],
] as const;

/** Prices of options go in cents, of linear instruments in steps of 1e-8: the finest that is worth typing. */
const PRICE_DECIMALS = 8;
const E8_TO_WAD = 10n ** 10n;
const CENT_WAD = 10n ** 16n;

export interface Picked {
  readonly instrument: Instrument;
  readonly priceWad: bigint | null;
  readonly isBuy: boolean;
  /** The order that the ticket replaces. */
  readonly amends?: OrderView;
}

interface Props extends ViewProps {
  readonly picked: Picked;
  readonly symbol: string;
  readonly spotWad: bigint;
  readonly account: Account | null;
  readonly connection: Connection | null;
  readonly venue: Venue | null;
  /** Own orders that are alive, as far as the service tells them. */
  readonly open: readonly OrderView[];
  readonly onQuote: (leg: { instrument: Instrument; isBuy: boolean; quantityWad: bigint }) => void;
  /** Leaves the order that is amended as it is. */
  readonly onKeep: () => void;
}

interface Form {
  readonly side: "buy" | "sell";
  readonly size: string;
  readonly price: string;
  readonly way: Way;
  readonly life: string;
  readonly reduceOnly: boolean;
  readonly wait: WaitForm;
  /** Price and trigger of the order that cancels this one and is cancelled by it; null for none. */
  readonly other: { readonly price: string; readonly wait: WaitForm } | null;
}

const FRESH: Form = {
  side: "buy",
  size: "1",
  price: "",
  way: "limit",
  life: "3600",
  reduceOnly: false,
  wait: AT_ONCE,
  other: null,
};

/** Cents are what people trade in; a mark has more digits. */
const centsOf = (priceWad: bigint): string => plainUnits(priceWad - (priceWad % CENT_WAD), 18);

/** The form after something was picked: a price keeps what was typed beside it, an order brings everything. */
function formOf({ isBuy, priceWad, amends }: Picked, before: Form): Form {
  const side = isBuy ? "buy" : "sell";
  if (!amends) return { ...before, side, price: priceWad === null ? before.price : centsOf(priceWad) };
  const { order, trigger, leavesWad } = amends;
  return {
    ...before,
    side,
    size: plainUnits(BigInt(leavesWad), 18),
    price: plainUnits(BigInt(order.priceWad), 18),
    way: wayOf(amends),
    reduceOnly: order.reduceOnly,
    wait: trigger ? { when: trigger.side, spot: plainUnits(BigInt(trigger.spotWad), 18) } : AT_ONCE,
    other: null,
  };
}

/** Whether an order of this kind can be half of a pair: one that is over at once has nothing to cancel. */
const mayPair = (form: Form): boolean => WAYS[form.way].timeInForce === "gtc" || form.wait.when !== "now";

function outcomeOf(results: readonly PlaceResult[]): string {
  const matched = results
    .flatMap((result) => result.matches)
    .reduce((sum, match) => sum + BigInt(match.quantityWad), 0n);
  if (matched > 0n) return `Matched ${plainUnits(matched, 18)}; it counts when the chain has it.`;
  if (results.length > 1) return "Both orders are with the service; the first that trades cancels the other.";
  const order = results[0]?.order;
  if (order?.state === "waiting") return "The order waits for its trigger; it is not in the book yet.";
  if (order?.state === "open") return "The order is in the book.";
  return `The order is ${order?.state ?? "taken"}. ${order?.reason ?? ""}`;
}

function CostFigures({ cost, way }: { cost: Cost; way: Way }) {
  const [least, most] = feesOf(way, cost);
  return (
    <Figures
      items={[
        cost.premiumWad === 0n
          ? { name: "Premium", value: "none", hint: "gains and losses settle in cash" }
          : {
              name: cost.premiumWad > 0n ? "You pay" : "You receive",
              value: cash(cost.premiumWad < 0n ? -cost.premiumWad : cost.premiumWad),
              hint: "premium of a whole fill",
            },
        {
          name: "Fee",
          value: least === most ? cash(most) : `${cash(least)} to ${cash(most)}`,
          hint: least === most ? "of a whole fill" : "the less when it rests first",
        },
        {
          name: "Cash changes by",
          value: change(-cost.premiumWad - most),
          hint: "at most, fee included",
        },
      ]}
    />
  );
}

function Signed({ plans, instrument, symbol }: { plans: readonly Planned[]; instrument: Instrument; symbol: string }) {
  return (
    <details>
      <summary class="small muted">What is signed</summary>
      {plans.map(({ order, wait }, index) => (
        <table
          key={String(index)}
          aria-label={plans.length > 1 ? `Signature ${index + 1} of ${plans.length}` : undefined}
        >
          <tbody>
            {describeOrder(order, instrument, symbol).map(([name, text]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{text}</td>
              </tr>
            ))}
            {wait && (
              <tr>
                <th scope="row">Not signed</th>
                <td>It waits for {waitText(wait, symbol)}: the service keeps to that, no contract does.</td>
              </tr>
            )}
          </tbody>
        </table>
      ))}
      {plans.length > 1 && (
        <p class="small muted">
          Two signatures. The service cancels one when the other trades; on chain both stay good until they end or are
          revoked, which one transaction does for both.
        </p>
      )}
    </details>
  );
}

export function Ticket(props: Props) {
  const { app, picked, symbol, spotWad, account, connection, venue, onQuote } = props;
  const { instrument, amends } = picked;
  const block = useStore(head);
  const work = useWork();
  const [form, setForm] = useState<Form>(FRESH);
  const [placed, setPlaced] = useState("");
  const set = (more: Partial<Form>) => setForm((before) => ({ ...before, ...more }));
  useEffect(() => {
    setForm((before) => formOf(picked, before));
    if (picked.amends || picked.priceWad !== null) setPlaced("");
  }, [picked]);
  const open = props.open.filter((entry) => entry.orderHash !== amends?.orderHash);
  const terms = useTerms(app, account, instrument);
  const quantityWad = parseUnits(form.size, 18);
  const priceE8 = parseUnits(form.price, PRICE_DECIMALS);
  const isBuy = form.side === "buy";
  const wait = waitOf(form.wait);
  const pair = form.other && mayPair(form) && !amends ? form.other : null;
  const otherPrice = pair ? parseUnits(pair.price, PRICE_DECIMALS) : null;
  const otherWait = pair ? waitOf(pair.wait) : null;
  const other = otherPrice?.ok && otherWait ? { priceWad: otherPrice.value * E8_TO_WAD, wait: otherWait } : null;
  const isComplete = quantityWad.ok && priceE8.ok && wait !== undefined && (pair === null || other !== null);
  const priceWad = priceE8.ok ? priceE8.value * E8_TO_WAD : 0n;
  const leg =
    quantityWad.ok && priceE8.ok
      ? { key: "ticket", instrument, quantityWad: isBuy ? quantityWad.value : -quantityWad.value, priceWad }
      : null;
  const changes = leg ? changesOf({ legs: [leg], tokens: new Map(), mode: KEEP_MODE }) : null;
  const preview = usePreview(app, account?.id ?? null, changes);
  const isShort = preview.value !== null && preview.value.after.equityWad < preview.value.after.initialWad;
  const rates = terms.value?.rates;
  const cost =
    leg && rates ? costOf(instrument.kind, isBuy, quantityWad.ok ? quantityWad.value : 0n, priceWad, rates) : null;
  const plan = (nonce: bigint): Planned[] => {
    if (!isComplete || !account || !connection || !terms.value || !block) return [];
    const common = {
      accountId: account.id,
      instrument,
      isBuy,
      quantityWad: quantityWad.value,
      priceWad,
      reduceOnly: form.reduceOnly,
      expiryTs: chainNow(block) + Number(form.life),
      maxFeeWad: terms.value.maxFeeWad,
      signer: connection.address,
      transferCount: terms.value.transferCount,
    };
    return planned(common, form.way, wait ?? null, other, nonce);
  };
  const plans = plan(0n);
  const worst = useWorst(
    app,
    account,
    plans.map(({ order }) => order),
    open,
  );
  const place = () =>
    work.run(async () => {
      if (!connection || !venue) return;
      setPlaced("");
      // The replacement keeps the nonce, so that one revocation on chain ends both signatures.
      const fresh = plan(amends ? BigInt(amends.order.nonce) : nextNonce());
      const contract = await isContract(app.context, connection.address);
      const placings = [];
      for (const { order, timeInForce, wait: until } of fresh) {
        const typed = orderTypedData(app.context.deployment, order);
        const signature = await signTyped(app.context, connection, typed, contract);
        placings.push({ order, signature, timeInForce, trigger: wireTrigger(until) });
      }
      const [first] = placings;
      if (!first) return;
      const results = amends ? [await venue.amend(amends.orderHash, first)] : await venue.place(placings);
      if (amends) props.onKeep();
      setPlaced(outcomeOf(results));
    });
  const verb = amends ? "Sign the amended order" : `Sign ${isBuy ? "buy" : "sell"} order${pair ? "s" : ""}`;
  return (
    <Panel title={amends ? "Amend an order" : "Order"} aside={instrumentName(instrument, symbol)}>
      <div class="stack">
        {amends && (
          <Message tone="plain">
            Takes the place of {amends.order.isBuy ? "buy" : "sell"} {quantity(BigInt(amends.leavesWad))} at{" "}
            {cash(BigInt(amends.order.priceWad))}, in one step, and goes behind those that are at its price already. The
            old signature is out of this book; revoking the order on chain ends both.{" "}
            <button type="button" class="slim" onClick={props.onKeep}>
              Keep it as it is
            </button>
          </Message>
        )}
        {!amends && (
          <Segments
            label="Side"
            value={form.side}
            options={[
              ["buy", "Buy"],
              ["sell", "Sell"],
            ]}
            onChange={(side) => set({ side })}
          />
        )}
        <div class="fields">
          <Field
            label="Quantity"
            value={form.size}
            problem={form.size && !quantityWad.ok ? quantityWad.problem : undefined}
            onInput={(size) => set({ size })}
          />
          <Field
            label={isBuy ? "Highest price" : "Lowest price"}
            value={form.price}
            problem={form.price && !priceE8.ok ? priceE8.problem : undefined}
            onInput={(price) => set({ price })}
          />
        </div>
        <div class="fields wide">
          <Select
            label="Way"
            value={form.way}
            options={(Object.keys(WAYS) as Way[]).map((key) => [key, WAYS[key].name] as const)}
            onChange={(way) => set({ way })}
          />
          <Select label="Good for" value={form.life} options={LIVES} onChange={(life) => set({ life })} />
          <WaitFields
            label="Enters the book"
            symbol={symbol}
            value={form.wait}
            mayBeNow
            onChange={(next) => set({ wait: next })}
          />
        </div>
        {wait && isMet(wait, spotWad) && (
          <p class="small warn">
            {symbol} is at {cash(spotWad)}: the order enters the book with the next round.
          </p>
        )}
        <label class="check">
          <input type="checkbox" checked={form.reduceOnly} onChange={() => set({ reduceOnly: !form.reduceOnly })} />
          reduce only: never more than closes what the account holds
        </label>
        {!amends && mayPair(form) && (
          <label class="check">
            <input
              type="checkbox"
              checked={form.other !== null}
              onChange={() =>
                set({ other: form.other ? null : { price: form.price, wait: { when: "atOrBelow", spot: "" } } })
              }
            />
            one cancels other: with a second order at another price
          </label>
        )}
        {pair && (
          <div class="fields">
            <Field
              label={`Other ${isBuy ? "highest" : "lowest"} price`}
              value={pair.price}
              problem={pair.price && otherPrice && !otherPrice.ok ? otherPrice.problem : undefined}
              onInput={(price) => set({ other: { ...pair, price } })}
            />
            <WaitFields
              label="The other enters"
              symbol={symbol}
              value={pair.wait}
              mayBeNow={false}
              onChange={(next) => set({ other: { ...pair, wait: next } })}
            />
          </div>
        )}
        {cost && <CostFigures cost={cost} way={form.way} />}
        {account && (
          <Compare answer={preview} empty="Enter quantity and price to see the margin before and after a whole fill." />
        )}
        {worst.value && (
          <p class="small muted">
            {open.length > 0
              ? `With your ${open.length} open ${open.length === 1 ? "order" : "orders"} filled at the worst`
              : "With both orders filled at the worst"}
            : equity {cash(worst.value.worst.equityWad)}, initial margin {cash(worst.value.worst.initialWad)},{" "}
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
        {plans.length > 0 && <Signed plans={plans} instrument={instrument} symbol={symbol} />}
        <div class="row">
          <button type="button" class="main" disabled={!plans.length || !venue || work.busy} onClick={place}>
            {work.busy ? "Waiting for the wallet…" : verb}
          </button>
          {venue && account && quantityWad.ok && !amends && (
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
