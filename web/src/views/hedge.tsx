/** Suggested hedge: trades that the contracts' own `preview` says free the most, on top of the draft. */
import { useState } from "preact/hooks";
import { type Account, previewChanges } from "../chain/account.ts";
import type { Market } from "../chain/market.ts";
import { markOf } from "../chain/marks.ts";
import { readProblem } from "../chain/refusal.ts";
import { cash, change, quantity } from "../chain/units.ts";
import { instrumentName, isOption } from "../chain/words.ts";
import { changesOf, type Draft, type Leg, premiumOf } from "../margin/draft.ts";
import { best, type Candidate, candidates, type Judged, shortKey } from "../margin/hedge.ts";
import type { ViewProps } from "./frame.tsx";
import { Message, Panel, SlimButton, useWork } from "./parts.tsx";

const SHOWN = 4;

interface Props extends ViewProps {
  readonly account: Account;
  readonly market: Market;
  readonly draft: Draft;
  readonly onAdd: (leg: Omit<Leg, "key">) => void;
}

/** Options sold, by underlying and expiry, with those of the draft. */
function shortsOf(account: Account, draft: Draft): Map<string, bigint> {
  const held = [
    ...account.positions,
    ...draft.legs.map((leg) => ({ ...leg.instrument, quantityWad: leg.quantityWad })),
  ];
  const shorts = new Map<string, bigint>();
  for (const { kind, underlyingId, expiryTs, quantityWad } of held) {
    if (!isOption(kind)) continue;
    const key = shortKey(underlyingId, expiryTs);
    shorts.set(key, (shorts.get(key) ?? 0n) - quantityWad);
  }
  return shorts;
}

async function judge(
  app: ViewProps["app"],
  { account, market, draft }: Omit<Props, "app" | "onAdd">,
): Promise<Judged[]> {
  const base = await previewChanges(app.context, account.id, changesOf(draft));
  const leftWad = base.after.equityWad - base.after.initialWad;
  const asked = candidates(base.after, shortsOf(account, draft), market);
  const answers = await Promise.all(
    asked.map(async (candidate: Candidate): Promise<Judged | null> => {
      const spotWad = market.underlyings.find((entry) => entry.id === candidate.instrument.underlyingId)?.spotWad ?? 0n;
      const priceWad = await markOf(app.context, candidate.instrument, spotWad);
      if (!priceWad) return null;
      const legs = [...draft.legs, { key: "hedge", ...candidate, priceWad }];
      const { after } = await previewChanges(app.context, account.id, changesOf({ ...draft, legs }));
      return { ...candidate, priceWad, freesWad: after.equityWad - after.initialWad - leftWad };
    }),
  );
  return best(
    answers.filter((entry) => entry !== null),
    SHOWN,
  );
}

export function HedgePanel(props: Props) {
  const { app, account, market, draft, onAdd } = props;
  const work = useWork();
  const [found, setFound] = useState<readonly Judged[] | null>(null);
  if (!account.positions.length && !draft.legs.length) return null;
  const look = () =>
    work.run(async () => {
      try {
        setFound(await judge(app, props));
      } catch (thrown) {
        throw new Error(await readProblem(thrown, app.context));
      }
    });
  const symbolOf = (id: number) => market.underlyings.find((entry) => entry.id === id)?.symbol ?? `#${id}`;
  return (
    <Panel title="Suggested hedge">
      <div class="stack">
        <p class="small muted">
          Tries perpetuals against delta and long options where options were sold, each at its mark by the contracts'
          own preview, and keeps what frees most of the margin. What a market asks above the mark comes on top.
        </p>
        <div>
          <button type="button" disabled={work.busy} onClick={look}>
            {work.busy ? "Asking the contracts…" : found ? "Look again" : "Look for a hedge"}
          </button>
        </div>
        {work.problem && <Message tone="bad">{work.problem}</Message>}
        {found?.length === 0 && (
          <p class="empty">None of the tried trades frees margin: the account is hedged as well as one trade can.</p>
        )}
        {found && found.length > 0 && (
          <table aria-label="Suggested hedges">
            <thead>
              <tr>
                <th scope="col">One trade</th>
                <th scope="col" class="number">
                  Left to use
                </th>
                <th scope="col" class="number">
                  Draft
                </th>
              </tr>
            </thead>
            <tbody>
              {found.map((entry) => {
                const name = instrumentName(entry.instrument, symbolOf(entry.instrument.underlyingId));
                const premiumWad = premiumOf({ key: "", ...entry });
                const isSale = entry.quantityWad < 0n;
                return (
                  <tr key={name}>
                    <th scope="row">
                      {isSale ? "Sell" : "Buy"} {quantity(isSale ? -entry.quantityWad : entry.quantityWad)} {name}
                      <span class="sub">
                        at {cash(entry.priceWad)}
                        {premiumWad > 0n && `, costs ${cash(premiumWad)}`}
                      </span>
                    </th>
                    <td class="number good">{change(entry.freesWad)}</td>
                    <td class="number">
                      <SlimButton
                        label={`Add ${name} to the draft`}
                        onClick={() => {
                          const { instrument, quantityWad, priceWad } = entry;
                          onAdd({ instrument, quantityWad, priceWad });
                          setFound(null);
                        }}
                      >
                        Add
                      </SlimButton>
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        )}
      </div>
    </Panel>
  );
}
