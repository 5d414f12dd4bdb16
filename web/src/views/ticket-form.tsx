/** The fields of the ticket, and what was typed into them as numbers. */
import { cash, DAY_SEC, type Parsed, parseUnits, plainUnits } from "../chain/units.ts";
import type { Instrument } from "../chain/words.ts";
import type { OrderView } from "../venue/client.ts";
import { type Wait, waitOf } from "../venue/order.ts";
import { type Other, WAYS, type Way, wayOf } from "../venue/plan.ts";
import { Field, Segments, Select } from "./parts.tsx";
import { AT_ONCE, isMet, typedWait, WaitFields, type WaitForm } from "./wait.tsx";

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

export interface Form {
  readonly side: "buy" | "sell";
  readonly size: string;
  readonly price: string;
  readonly way: Way;
  readonly life: string;
  readonly reduceOnly: boolean;
  /** Address of the passkey that signs; empty for the wallet. */
  readonly signer: string;
  readonly wait: WaitForm;
  /** Price and trigger of the order that cancels this one and is cancelled by it; null for none. */
  readonly other: { readonly price: string; readonly wait: WaitForm } | null;
}

export const FRESH: Form = {
  side: "buy",
  size: "1",
  price: "",
  way: "limit",
  life: "3600",
  reduceOnly: false,
  signer: "",
  wait: AT_ONCE,
  other: null,
};

/** What a form says before any price was typed. */
export const UNPRICED = { price: "", wait: AT_ONCE, other: null } as const;

/** Cents are what people trade in; a mark has more digits. */
const centsOf = (priceWad: bigint): string => plainUnits(priceWad - (priceWad % CENT_WAD), 18);

/** The form after something was picked: a price keeps what was typed beside it, an order brings everything. */
export function formOf({ isBuy, priceWad, amends }: Picked, before: Form): Form {
  const side = isBuy ? "buy" : "sell";
  if (!amends) return { ...before, side, price: priceWad === null ? before.price : centsOf(priceWad) };
  const { order, leavesWad } = amends;
  const wait = waitOf({ triggerWad: BigInt(order.triggerWad), triggerAbove: order.triggerAbove });
  return {
    ...before,
    side,
    size: plainUnits(BigInt(leavesWad), 18),
    price: plainUnits(BigInt(order.priceWad), 18),
    way: wayOf(amends),
    reduceOnly: order.reduceOnly,
    wait: wait ? { when: wait.side, spot: plainUnits(wait.spotWad, 18) } : AT_ONCE,
    other: null,
  };
}

/** Whether an order of this kind can be half of a pair: one that is over at once has nothing to cancel. */
const mayPair = (form: Form): boolean => WAYS[form.way].timeInForce === "gtc" || form.wait.when !== "now";

/** What was typed, as numbers; `null` for what is not complete yet. */
export interface Wanted {
  readonly isBuy: boolean;
  readonly quantityWad: bigint | null;
  readonly priceWad: bigint | null;
  /** Null waits for nothing, undefined is incomplete. */
  readonly wait: Wait | null | undefined;
  readonly isPair: boolean;
  readonly other: Other | null;
  readonly isComplete: boolean;
}

const wadOf = (price: Parsed): bigint | null => (price.ok ? price.value * E8_TO_WAD : null);

/** The form read; an order that is amended stays alone. */
export function read(form: Form, isAmended: boolean): Wanted {
  const size = parseUnits(form.size, 18);
  const priceWad = wadOf(parseUnits(form.price, PRICE_DECIMALS));
  const wait = typedWait(form.wait);
  const pair = form.other && mayPair(form) && !isAmended ? form.other : null;
  const otherPriceWad = pair && wadOf(parseUnits(pair.price, PRICE_DECIMALS));
  const otherWait = pair && typedWait(pair.wait);
  const other = otherPriceWad && otherWait ? { priceWad: otherPriceWad, wait: otherWait } : null;
  const isComplete = size.ok && priceWad !== null && wait !== undefined && (pair === null || other !== null);
  const quantityWad = size.ok ? size.value : null;
  return { isBuy: form.side === "buy", quantityWad, priceWad, wait, isPair: pair !== null, other, isComplete };
}

/** What is wrong with a number that was typed; nothing as long as nothing was. */
function problemOf(text: string, decimals: number): string | undefined {
  const found = text ? parseUnits(text, decimals) : null;
  return found && !found.ok ? found.problem : undefined;
}

interface FieldsProps {
  readonly form: Form;
  readonly wanted: Wanted;
  readonly symbol: string;
  readonly spotWad: bigint;
  readonly isAmended: boolean;
  readonly set: (more: Partial<Form>) => void;
}

/** Price and trigger of the order that this one cancels when it trades, and is cancelled by. */
function PairFields({ form, wanted, symbol, set }: FieldsProps) {
  const pair = form.other;
  if (!pair || !wanted.isPair) return null;
  return (
    <div class="fields">
      <Field
        label={`Other ${wanted.isBuy ? "highest" : "lowest"} price`}
        value={pair.price}
        problem={problemOf(pair.price, PRICE_DECIMALS)}
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
  );
}

export function TicketFields(props: FieldsProps) {
  const { form, wanted, symbol, spotWad, isAmended, set } = props;
  const { isBuy, wait } = wanted;
  return (
    <>
      {!isAmended && (
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
          problem={problemOf(form.size, 18)}
          onInput={(size) => set({ size })}
        />
        <Field
          label={isBuy ? "Highest price" : "Lowest price"}
          value={form.price}
          problem={problemOf(form.price, PRICE_DECIMALS)}
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
      {!isAmended && mayPair(form) && (
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
      <PairFields {...props} />
    </>
  );
}
