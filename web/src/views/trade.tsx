/** Trade: the option chain, the ticket with its margin, depth and trades, own orders, requests for quote. */
import { useMemo, useRef, useState } from "preact/hooks";
import { KINDS, PERP } from "../chain/kinds.ts";
import type { Surface, Underlying } from "../chain/market.ts";
import { cash, day } from "../chain/units.ts";
import {
  hasExpiry,
  type Instrument,
  instrumentName,
  instrumentWord,
  isOption,
  kindName,
  unpack,
} from "../chain/words.ts";
import { loaded, market } from "../state/app.ts";
import { useStore } from "../state/store.ts";
import type { OrderView } from "../venue/client.ts";
import type { QuoteLeg } from "../venue/quote.ts";
import { session } from "../wallet/session.ts";
import { ChainPanel } from "./chain-table.tsx";
import { DepthPanel } from "./depth.tsx";
import type { ViewProps } from "./frame.tsx";
import { IntentsPanel } from "./intents.tsx";
import { OrdersPanel } from "./orders.tsx";
import { Panel, Segments } from "./parts.tsx";
import { ProtectionPanel } from "./protection.tsx";
import { MOST_LEGS, QuotesPanel } from "./quotes.tsx";
import { Ticket } from "./ticket.tsx";
import type { Picked } from "./ticket-form.tsx";
import { isAlive, useDepth, useOwn, venueAt } from "./venue-state.ts";

/** Where the ticket stands below the chain, a price that was picked brings it into sight. */
function showTicket(place: HTMLElement | null): void {
  if (place && place.getBoundingClientRect().top > innerHeight) place.scrollIntoView({ block: "start" });
}

interface LinearProps {
  readonly kind: number;
  readonly underlying: Underlying;
  readonly surface: Surface | null;
  readonly perpWad: bigint | null;
  readonly pick: (instrument: Instrument, priceWad: bigint | null, isBuy: boolean) => void;
}

/** Picks a linear instrument at the price that the round has of its date; the ticket asks for the price to trade at. */
function LinearButton({ kind, underlying, surface, perpWad, pick }: LinearProps) {
  const isDated = hasExpiry(kind);
  const priceWad = isDated ? (surface?.forwardWad ?? null) : perpWad;
  const expiryTs = isDated ? (surface?.expiryTs ?? 0) : 0;
  const name = kindName(kind);
  return (
    <button
      type="button"
      class="slim"
      onClick={() => pick({ underlyingId: underlying.id, kind, expiryTs, strikeE8: 0n }, priceWad, true)}
    >
      {name.charAt(0).toUpperCase() + name.slice(1)} {priceWad ? cash(priceWad) : ""}
    </button>
  );
}

export function TradeView({ app }: ViewProps) {
  const now = useStore(market);
  const mine = useStore(loaded);
  const who = useStore(session);
  const url = app.settings.venueUrl;
  const service = useMemo(() => (url ? venueAt(url) : null), [url]);
  const [underlyingId, setUnderlyingId] = useState<number | null>(null);
  const [expiry, setExpiry] = useState<number | null>(null);
  const [picked, setPicked] = useState<Picked | null>(null);
  const [legs, setLegs] = useState<readonly QuoteLeg[]>([]);
  const place = useRef<HTMLDivElement>(null);
  const underlying = now?.underlyings.find((entry) => entry.id === underlyingId) ?? now?.underlyings[0] ?? null;
  const perp: Instrument | null = underlying
    ? { underlyingId: underlying.id, kind: PERP, expiryTs: 0, strikeE8: 0n }
    : null;
  const perpWad = underlying?.perpWad || underlying?.spotWad || null;
  // The price moves with every round, which must not undo what was typed.
  // biome-ignore lint/correctness/useExhaustiveDependencies: one pick for each underlying
  const first = useMemo<Picked | null>(
    () => (perp ? { instrument: perp, priceWad: perpWad, isBuy: true } : null),
    [underlying?.id],
  );
  const shown = picked ?? first;
  const depth = useDepth(service?.stream ?? null, shown ? instrumentWord(shown.instrument) : null);
  const account = mine?.account ?? null;
  const connection = who.kind === "connected" ? who.connection : null;
  const own = useOwn(service?.stream ?? null, account?.id ?? null, connection?.address ?? null);
  if (!now || !underlying || !shown) return <p class="empty">Reading the chain…</p>;
  const surface = underlying.surfaces.find((entry) => entry.expiryTs === expiry) ?? underlying.surfaces[0] ?? null;
  const of = now.underlyings.find((entry) => entry.id === shown.instrument.underlyingId);
  const symbol = of?.symbol ?? "";
  const pick = (instrument: Instrument, priceWad: bigint | null, isBuy: boolean) => {
    setPicked({ instrument, priceWad, isBuy });
    showTicket(place.current);
  };
  const amend = (entry: OrderView) => {
    const { underlyingId: id, kind, expiryTs, strikeE8 } = unpack(BigInt(entry.order.instrument));
    const { isBuy } = entry.order;
    setPicked({ instrument: { underlyingId: id, kind, expiryTs, strikeE8 }, priceWad: null, isBuy, amends: entry });
    showTicket(place.current);
  };
  const addLeg = (leg: QuoteLeg) => {
    const others = legs.filter((other) => instrumentWord(other.instrument) !== instrumentWord(leg.instrument));
    setLegs([...others, leg].slice(-MOST_LEGS));
  };
  const venue = service?.venue ?? null;
  const linear = KINDS.map((_, kind) => kind).filter((kind) => !isOption(kind) && (surface || !hasExpiry(kind)));
  return (
    <div class="stack">
      <div class="row">
        <Segments
          label="Underlying"
          value={String(underlying.id)}
          options={now.underlyings.map(
            (entry) => [String(entry.id), `${entry.symbol} ${cash(entry.spotWad)}`] as const,
          )}
          onChange={(text) => {
            setUnderlyingId(Number(text));
            setPicked(null);
          }}
        />
        {surface && (
          <Segments
            label="Expiry"
            value={String(surface.expiryTs)}
            options={underlying.surfaces.map((entry) => [String(entry.expiryTs), day(entry.expiryTs)] as const)}
            onChange={(text) => setExpiry(Number(text))}
          />
        )}
        {linear.map((kind) => (
          <LinearButton key={kind} {...{ kind, underlying, surface, perpWad, pick }} />
        ))}
      </div>
      <div class="grid two">
        <div class="stack">
          {surface ? (
            <ChainPanel
              app={app}
              underlying={underlying}
              surface={surface}
              venue={venue}
              selected={shown.instrument}
              onPick={pick}
            />
          ) : (
            <Panel title="Options">
              <p class="empty">
                There is no fresh round of {underlying.symbol}, and without one nothing can be priced.
              </p>
            </Panel>
          )}
          {service && <DepthPanel depth={depth} name={instrumentName(shown.instrument, symbol)} />}
        </div>
        <div class="stack" ref={place}>
          <Ticket
            app={app}
            picked={shown}
            symbol={symbol}
            spotWad={of?.spotWad ?? 0n}
            account={account}
            connection={connection}
            venue={venue}
            open={own.orders.filter(isAlive)}
            onQuote={addLeg}
            onKeep={() => setPicked({ instrument: shown.instrument, priceWad: null, isBuy: shown.isBuy })}
          />
          {url && account && connection && (
            <QuotesPanel app={app} url={url} account={account} connection={connection} legs={legs} onLegs={setLegs} />
          )}
        </div>
      </div>
      {url && account && connection && (
        <>
          <OrdersPanel app={app} url={url} account={account} connection={connection} own={own} onAmend={amend} />
          <div class="grid two">
            <IntentsPanel app={app} url={url} account={account} connection={connection} market={now} />
            <ProtectionPanel url={url} account={account} connection={connection} fills={own.fills.length} />
          </div>
        </>
      )}
    </div>
  );
}
