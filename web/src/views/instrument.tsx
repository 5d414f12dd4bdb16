/** Choose any instrument, side, size and price. */
import { useEffect, useState } from "preact/hooks";
import { KINDS } from "../chain/kinds.ts";
import type { Market } from "../chain/market.ts";
import { markOf } from "../chain/marks.ts";
import { readProblem } from "../chain/refusal.ts";
import { cash, day, parseUnits, plainUnits, toFloat } from "../chain/units.ts";
import { hasExpiry, type Instrument, instrumentName, instrumentWord, isOption } from "../chain/words.ts";
import type { Leg } from "../margin/draft.ts";
import type { ViewProps } from "./frame.tsx";
import { Field, Message, Segments, Select, useAnswer } from "./parts.tsx";

interface Props extends ViewProps {
  readonly market: Market;
  readonly onAdd: (leg: Leg) => void;
}

/** A round number near the money, about a fiftieth of the price apart. */
export function strikeStep(spotWad: bigint): number {
  const spot = toFloat(spotWad);
  if (spot <= 0) return 1;
  const decade = 10 ** Math.floor(Math.log10(spot / 20));
  const found = [1, 2, 5, 10].find((factor) => factor * decade >= spot / 40);
  return (found ?? 10) * decade;
}

const nearStrike = (spotWad: bigint): string => {
  const step = strikeStep(spotWad);
  return String(Math.round(toFloat(spotWad) / step) * step);
};

let lastKey = 0;
/** A key that no other leg of this page has. */
export const legKey = (): string => String(++lastKey);

export function InstrumentForm({ app, market, onAdd }: Props) {
  const [underlyingId, setUnderlyingId] = useState(market.underlyings[0]?.id ?? 1);
  const underlying = market.underlyings.find((entry) => entry.id === underlyingId);
  const spotWad = underlying?.spotWad ?? 0n;
  const [kind, setKind] = useState(0);
  const [expiry, setExpiry] = useState(String(underlying?.surfaces[0]?.expiryTs ?? 0));
  const [strike, setStrike] = useState(nearStrike(spotWad));
  const [side, setSide] = useState<"buy" | "sell">("buy");
  const [size, setSize] = useState("1");
  const [price, setPrice] = useState("");
  const expiries = underlying?.surfaces.map((surface) => surface.expiryTs) ?? [];
  const expiryTs = expiries.includes(Number(expiry)) ? Number(expiry) : (expiries[0] ?? 0);
  const strikeE8 = parseUnits(strike, 8);
  const option = isOption(kind);
  const instrument: Instrument | null =
    option && !strikeE8.ok
      ? null
      : {
          underlyingId,
          kind,
          expiryTs: hasExpiry(kind) ? expiryTs : 0,
          strikeE8: option && strikeE8.ok ? strikeE8.value : 0n,
        };
  const mark = useAnswer(
    instrument ? `${instrumentWord(instrument)}|${underlying?.roundTs}` : "",
    instrument ? () => markOf(app.context, instrument, spotWad) : null,
    (thrown) => readProblem(thrown, app.context),
    200,
  );
  useEffect(() => {
    if (mark.value !== null && !mark.isOld) setPrice(plainUnits(mark.value - (mark.value % 10n ** 16n), 18));
  }, [mark.value, mark.isOld]);
  const quantityWad = parseUnits(size, 18);
  const priceWad = parseUnits(price, option ? 18 : 8);
  const { problem } = mark;
  const add = () => {
    if (!instrument || !quantityWad.ok || !priceWad.ok) return;
    const scaled = option ? priceWad.value : priceWad.value * 10n ** 10n;
    onAdd({
      key: legKey(),
      instrument,
      quantityWad: side === "buy" ? quantityWad.value : -quantityWad.value,
      priceWad: scaled,
    });
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
    >
      <div class="fields">
        <Select
          label="Underlying"
          value={String(underlyingId)}
          options={market.underlyings.map((entry) => [String(entry.id), entry.symbol] as const)}
          onChange={(text) => {
            setUnderlyingId(Number(text));
            setStrike(nearStrike(market.underlyings.find((entry) => entry.id === Number(text))?.spotWad ?? 0n));
          }}
        />
        <Select
          label="Kind"
          value={String(kind)}
          options={KINDS.map((entry, number) => [String(number), entry.title] as const)}
          onChange={(text) => setKind(Number(text))}
        />
        {hasExpiry(kind) && (
          <Select
            label="Expiry"
            value={String(expiryTs)}
            options={expiries.map((ts) => [String(ts), day(ts)] as const)}
            onChange={setExpiry}
          />
        )}
        {option && (
          <Field
            label="Strike"
            value={strike}
            problem={strikeE8.ok ? undefined : strikeE8.problem}
            onInput={setStrike}
          />
        )}
      </div>
      <div class="fields">
        <Field
          label="Quantity"
          value={size}
          problem={size && !quantityWad.ok ? quantityWad.problem : undefined}
          onInput={setSize}
        />
        <Field
          label={mark.value === null ? "Price" : `Price (mark ${cash(mark.value)})`}
          value={price}
          problem={price && !priceWad.ok ? priceWad.problem : undefined}
          onInput={setPrice}
        />
      </div>
      <div class="row">
        <Segments
          label="Side"
          value={side}
          options={[
            ["buy", "Buy"],
            ["sell", "Sell"],
          ]}
          onChange={setSide}
        />
        <button type="submit" class="main" disabled={!instrument || !quantityWad.ok || !priceWad.ok}>
          Add {instrument && underlying ? instrumentName(instrument, underlying.symbol) : ""}
        </button>
      </div>
      {problem && <Message tone="bad">{problem}</Message>}
    </form>
  );
}
