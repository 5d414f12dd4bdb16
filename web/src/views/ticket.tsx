/** The order ticket: what is signed, in words, with what it costs and the margin before and after a whole fill. */
import { useEffect, useRef, useState } from "preact/hooks";
import { hashTypedData } from "viem";
import { type Account, KEEP_MODE } from "../chain/account.ts";
import { cash, plainUnits, quantity, short } from "../chain/units.ts";
import { type Instrument, instrumentName, instrumentWord } from "../chain/words.ts";
import { changesOf } from "../margin/draft.ts";
import { head } from "../state/app.ts";
import { chainNow } from "../state/clocks.ts";
import { useStore } from "../state/store.ts";
import type { OrderView, PlaceResult, Venue } from "../venue/client.ts";
import { nextNonce, orderTypedData } from "../venue/order.ts";
import { costOf, type Planned, planned } from "../venue/plan.ts";
import { isContract } from "../wallet/deposit.ts";
import { signWithPasskey } from "../wallet/passkey.ts";
import { signTyped } from "../wallet/send.ts";
import type { Connection } from "../wallet/session.ts";
import { Compare, usePreview } from "./compare.tsx";
import type { ViewProps } from "./frame.tsx";
import { Message, Panel, Select, useWork } from "./parts.tsx";
import { usePasskeys, useTerms, useWorst } from "./ticket-answers.ts";
import { type Form, FRESH, formOf, type Picked, read, TicketFields, UNPRICED } from "./ticket-form.tsx";
import { CostFigures, Signed, WorstFill } from "./ticket-summary.tsx";

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

/** Half of a pair stays one when it is amended; once it has traded, the chain would not fill another of its nonce. */
const staysExclusive = ({ order, filledWad, pendingWad }: OrderView): boolean =>
  order.exclusive && BigInt(filledWad) + BigInt(pendingWad) === 0n;

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

export function Ticket(props: Props) {
  const { app, picked, symbol, spotWad, account, connection, venue, onQuote } = props;
  const { instrument, amends } = picked;
  const block = useStore(head);
  const work = useWork();
  const [form, setForm] = useState<Form>(FRESH);
  const [placed, setPlaced] = useState("");
  const set = (more: Partial<Form>) => setForm((before) => ({ ...before, ...more }));
  const typedFor = useRef(instrumentWord(instrument));
  useEffect(() => {
    const word = instrumentWord(picked.instrument);
    // Prices that were typed for another instrument would be wrong by far, and look as if they were meant.
    const isOther = typedFor.current !== word;
    typedFor.current = word;
    setForm((before) => formOf(picked, isOther ? { ...before, ...UNPRICED } : before));
    if (picked.amends || picked.priceWad !== null) setPlaced("");
  }, [picked]);
  const open = props.open.filter((entry) => entry.orderHash !== amends?.orderHash);
  const terms = useTerms(app, account, instrument);
  const passkeys = usePasskeys(app, account, block ? chainNow(block) : 0);
  const passkey = passkeys.find(({ address }) => address === form.signer) ?? null;
  const wanted = read(form, amends !== undefined);
  const { isBuy, quantityWad, priceWad } = wanted;
  const leg =
    quantityWad !== null && priceWad !== null
      ? { key: "ticket", instrument, quantityWad: isBuy ? quantityWad : -quantityWad, priceWad }
      : null;
  const changes = leg ? changesOf({ legs: [leg], tokens: new Map(), mode: KEEP_MODE }) : null;
  const preview = usePreview(app, account?.id ?? null, changes);
  const isShort = preview.value !== null && preview.value.after.equityWad < preview.value.after.initialWad;
  const rates = terms.value?.rates;
  const cost =
    quantityWad !== null && priceWad !== null && rates
      ? costOf(instrument.kind, isBuy, quantityWad, priceWad, rates)
      : null;
  const plan = (nonce: bigint): Planned[] => {
    if (!wanted.isComplete || quantityWad === null || priceWad === null) return [];
    if (!account || !connection || !terms.value || !block) return [];
    const nowTs = chainNow(block);
    const common = {
      accountId: account.id,
      instrument,
      isBuy,
      quantityWad,
      priceWad,
      reduceOnly: form.reduceOnly,
      expiryTs: nowTs + Number(form.life),
      maxFeeWad: terms.value.maxFeeWad,
      signer: passkey?.address ?? connection.address,
      transferCount: terms.value.transferCount,
      wait: wanted.wait ?? null,
      nowTs,
      exclusive: amends !== undefined && staysExclusive(amends),
    };
    return planned(common, form.way, wanted.other, nonce);
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
      for (const { order, timeInForce } of fresh) {
        const typed = orderTypedData(app.context.deployment, order);
        const signature = passkey
          ? await signWithPasskey(passkey, hashTypedData(typed))
          : await signTyped(app.context, connection, typed, contract);
        placings.push({ order, signature, timeInForce });
      }
      const [first] = placings;
      if (!first) return;
      const results = amends ? [await venue.amend(amends.orderHash, first)] : await venue.place(placings);
      if (amends) props.onKeep();
      setPlaced(outcomeOf(results));
    });
  const verb = amends ? "Sign the amended order" : `Sign ${isBuy ? "buy" : "sell"} order${wanted.isPair ? "s" : ""}`;
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
        <TicketFields
          form={form}
          wanted={wanted}
          symbol={symbol}
          spotWad={spotWad}
          isAmended={amends !== undefined}
          set={set}
        />
        {cost && <CostFigures cost={cost} way={form.way} />}
        {account && (
          <Compare answer={preview} empty="Enter quantity and price to see the margin before and after a whole fill." />
        )}
        {worst.value && <WorstFill openCount={open.length} worst={worst.value.worst} />}
        {isShort && (
          <Message tone="warn">
            A whole fill would leave less than the initial margin: the exchange refuses it unless it reduces risk.
          </Message>
        )}
        {passkeys.length > 0 && (
          <Select
            label="Signed by"
            value={passkey?.address ?? ""}
            options={[
              ["", "the wallet"],
              ...passkeys.map(({ address }) => [address, `passkey ${short(address)}`] as const),
            ]}
            onChange={(signer) => set({ signer })}
          />
        )}
        {plans.length > 0 && <Signed plans={plans} instrument={instrument} symbol={symbol} />}
        <div class="row">
          <button type="button" class="main" disabled={!plans.length || !venue || work.busy} onClick={place}>
            {work.busy ? `Waiting for the ${passkey ? "device" : "wallet"}…` : verb}
          </button>
          {venue && account && quantityWad !== null && !amends && (
            <button type="button" onClick={() => onQuote({ instrument, isBuy, quantityWad })}>
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
