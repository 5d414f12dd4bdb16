/** A request for quote of up to eight legs, and the quotes of makers: all legs fill or none. */
import { useEffect, useState } from "preact/hooks";
import type { Hex } from "viem";
import { type Account, KEEP_MODE } from "../chain/account.ts";
import { cash, duration, quantity } from "../chain/units.ts";
import { type Instrument, instrumentName, instrumentWord } from "../chain/words.ts";
import { changesOf } from "../margin/draft.ts";
import { clock } from "../state/app.ts";
import { useStore } from "../state/store.ts";
import type { RequestView } from "../venue/client.ts";
import { answersRequest, type QuoteLeg, takeCall } from "../venue/quote.ts";
import { sendCall } from "../wallet/send.ts";
import type { Connection } from "../wallet/session.ts";
import { Compare, usePreview } from "./compare.tsx";
import type { ViewProps } from "./frame.tsx";
import { Message, Panel, SlimButton, useWork } from "./parts.tsx";
import { loggedIn, venueAt } from "./venue-state.ts";

export const MOST_LEGS = 8;
const LIFE_SEC = 60;
const POLL_MS = 1_000;
interface Props extends ViewProps {
  readonly url: string;
  readonly account: Account;
  readonly connection: Connection;
  readonly legs: readonly QuoteLeg[];
  readonly onLegs: (legs: readonly QuoteLeg[]) => void;
}

export function QuotesPanel({ app, url, account, connection, legs, onLegs }: Props) {
  const { venue } = venueAt(url);
  const who = useStore(loggedIn);
  const wall = useStore(clock);
  const work = useWork();
  const [request, setRequest] = useState<RequestView | null>(null);
  const id = request?.isOpen ? request.requestId : null;
  useEffect(() => {
    if (id === null) return;
    const timer = setInterval(() => {
      venue.request(id).then(setRequest, () => undefined);
    }, POLL_MS);
    return () => clearInterval(timer);
  }, [id, venue]);
  const { underlyings } = app.context.deployment;
  const named = (instrument: Instrument) => instrumentName(instrument, underlyings.get(instrument.underlyingId) ?? "");
  const quotes = (request?.quotes ?? []).filter((entry) => answersRequest(entry.quote, legs, account.id));
  const best = quotes.find((entry) => entry.state === "open");
  const changes = best
    ? changesOf({
        legs: legs.map((leg, index) => ({
          key: String(index),
          instrument: leg.instrument,
          quantityWad: leg.isBuy ? leg.quantityWad : -leg.quantityWad,
          priceWad: BigInt(best.quote.legs[index]?.priceWad ?? "0"),
        })),
        tokens: new Map(),
        mode: KEEP_MODE,
      })
    : null;
  const preview = usePreview(app, account.id, changes);
  if (!legs.length) return null;
  const ask = () =>
    work.run(async () => {
      const wanted = legs.map((leg) => ({
        instrument: instrumentWord(leg.instrument).toString(),
        isBuy: leg.isBuy,
        quantityWad: leg.quantityWad.toString(),
      }));
      setRequest(await venue.askQuotes(account.id, wanted, LIFE_SEC));
    });
  const take = () =>
    work.run(async () => {
      if (!best) return;
      const data = takeCall(best.quote, best.signature as Hex, account.id);
      const to = app.context.deployment.contracts.Exchange;
      await sendCall(app.context, connection, { to, data, label: `Take a quote of ${legs.length} legs` });
    });
  return (
    <Panel
      title="Request for quote"
      aside={
        <button type="button" class="plain slim" onClick={() => onLegs([])}>
          Clear
        </button>
      }
    >
      <div class="stack">
        <table>
          <tbody>
            {legs.map((leg, index) => (
              <tr key={String(instrumentWord(leg.instrument))}>
                <th scope="row">
                  {leg.isBuy ? "Buy" : "Sell"} {quantity(leg.quantityWad)} {named(leg.instrument)}
                </th>
                <td class="number">{best ? cash(BigInt(best.quote.legs[index]?.priceWad ?? "0")) : ""}</td>
                <td class="number">
                  <SlimButton
                    label={`Remove ${named(leg.instrument)}`}
                    onClick={() => onLegs(legs.filter((other) => other !== leg))}
                  >
                    Remove
                  </SlimButton>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {best && (
          <>
            <p>
              Best of {quotes.length}:{" "}
              <strong>
                {BigInt(best.netWad) > 0n ? "costs" : "brings"}{" "}
                {cash(BigInt(best.netWad) < 0n ? -BigInt(best.netWad) : BigInt(best.netWad))}
              </strong>
              , good for {duration(best.quote.expiryTs - wall)}.
            </p>
            <Compare answer={preview} empty="Asking the contracts…" />
          </>
        )}
        <div class="row">
          {best && (
            <button type="button" class="main" disabled={work.busy || best.quote.expiryTs <= wall} onClick={take}>
              Take it
            </button>
          )}
          <button type="button" disabled={work.busy || who !== connection.address || request?.isOpen} onClick={ask}>
            {request?.isOpen ? `Waiting for quotes, ${duration(request.expiryMs / 1000 - wall)}` : "Ask for quotes"}
          </button>
          {who !== connection.address && <span class="small muted">Sign in to your orders first.</span>}
        </div>
        {request && !request.isOpen && !best && <p class="empty">Nobody quoted. Ask again, or take legs one by one.</p>}
        {work.problem && <Message tone="bad">{work.problem}</Message>}
      </div>
    </Panel>
  );
}
