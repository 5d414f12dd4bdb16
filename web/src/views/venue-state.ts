/** The order service of this page: its stream, the login, and own orders as the service tells them. */
import { useEffect, useState } from "preact/hooks";
import { notice } from "../state/app.ts";
import { serviceAheadMs } from "../state/clocks.ts";
import { Store, useStore } from "../state/store.ts";
import { type Book, bookOf, changed } from "../venue/book.ts";
import { type FillView, type OrderView, type TradeView, Venue } from "../venue/client.ts";
import { type Health, Stream } from "../venue/stream.ts";

export const health = new Store<Health>("connecting");
/** Address that is logged in; null for nobody. */
export const loggedIn = new Store<string | null>(null);

/** How often messages of the stream were missed and asked for anew. */
export const gaps = new Store(0);

/** Why the service closed the stream, as a sentence; any other end is a lost connection, and Depth says so. */
const FAREWELLS: Readonly<Record<string, string>> = {
  tooSlow:
    "The order service sent more than this page read in time and closed the stream. The page opened it again and asked for everything in between; orders were not touched.",
  tooManyReaders:
    "The order service has as many readers as it takes. The page asks again by itself; orders, margins and money work meanwhile, only live prices wait.",
};

let opened: { venue: Venue; stream: Stream } | null = null;

/** The service, connected the first time that somebody asks. */
export function venueAt(url: string): { venue: Venue; stream: Stream } {
  opened ??= {
    venue: new Venue(url),
    stream: new Stream(url, {
      onHealth: (now) => health.set(now),
      onClock: (nowMs) => serviceAheadMs.set(nowMs - Date.now()),
      onGap: (count) => gaps.set(count),
      onFarewell: (code) => FAREWELLS[code] && notice.set(FAREWELLS[code]),
    }),
  };
  return opened;
}

export interface Depth {
  readonly book: Book | null;
  readonly trades: readonly TradeView[];
}

const KEPT_TRADES = 20;

function newest(known: readonly TradeView[], more: readonly TradeView[]): TradeView[] {
  const byId = new Map([...known, ...more].map((trade) => [trade.tradeId, trade]));
  return [...byId.values()].sort((a, b) => b.tradeId - a.tradeId).slice(0, KEPT_TRADES);
}

/** Book and trades of an instrument, live. */
export function useDepth(stream: Stream | null, instrument: bigint | null): Depth {
  const [depth, setDepth] = useState<Depth>({ book: null, trades: [] });
  const key = instrument?.toString() ?? "";
  useEffect(() => {
    setDepth({ book: null, trades: [] });
    if (!stream || !key) return;
    const stops = [
      stream.follow(`book:${key}`, (message) => {
        if (message.type === "bookSnapshot") setDepth((now) => ({ ...now, book: bookOf(message.data) }));
        if (message.type === "bookChange") {
          setDepth((now) => (now.book ? { ...now, book: changed(now.book, message.data) } : now));
        }
      }),
      stream.follow(`trades:${key}`, (message) => {
        if (message.type === "trades") setDepth((now) => ({ ...now, trades: newest(now.trades, message.data.trades) }));
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [stream, key]);
  return depth;
}

export interface Own {
  readonly orders: readonly OrderView[];
  readonly fills: readonly FillView[];
}

/** Whether something of an order may still trade: in the book, on its way to the chain, or waiting for its trigger. */
export const isAlive = ({ state }: OrderView): boolean => state === "open" || state === "waiting";

const NOTHING: Own = { orders: [], fills: [] };
const KEPT_FILLS = 20;

const mergedBy = <T>(known: readonly T[], more: readonly T[], key: (entry: T) => string): T[] => [
  ...new Map([...known, ...more].map((entry) => [key(entry), entry])).values(),
];

const fillKey = (fill: FillView): string => `${fill.tradeId}:${fill.orderHash}`;

/** Own orders and fills, live; nothing before the login of the address that acts now. */
export function useOwn(stream: Stream | null, accountId: bigint | null, address: string | null): Own {
  const [own, setOwn] = useState<Own>(NOTHING);
  const who = useStore(loggedIn);
  const key = accountId === null || !who || who !== address ? "" : accountId.toString();
  useEffect(() => {
    setOwn(NOTHING);
    if (!stream || !key) return;
    return stream.follow(`orders:${key}`, (message) => {
      if (message.type === "ordersSnapshot") setOwn({ orders: message.data.orders, fills: message.data.fills });
      if (message.type === "ordersChange") {
        const { orders, fills } = message.data;
        setOwn((now) => ({
          orders: mergedBy(now.orders, orders, (order) => order.orderHash),
          fills: mergedBy(now.fills, fills, fillKey)
            .sort((a, b) => b.seq - a.seq)
            .slice(0, KEPT_FILLS),
        }));
      }
    });
  }, [stream, key]);
  return own;
}
