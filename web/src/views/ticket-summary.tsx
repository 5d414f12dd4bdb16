/** What the ticket says before anything is signed: the cost, the worst that open orders can do, each field in words. */
import { cash, change } from "../chain/units.ts";
import type { Instrument } from "../chain/words.ts";
import { describeOrder } from "../venue/order.ts";
import { type Cost, feesOf, type Planned, type Way } from "../venue/plan.ts";
import { Figures } from "./parts.tsx";

export function CostFigures({ cost, way }: { cost: Cost; way: Way }) {
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

export function Signed({
  plans,
  instrument,
  symbol,
}: {
  plans: readonly Planned[];
  instrument: Instrument;
  symbol: string;
}) {
  return (
    <details>
      <summary class="small muted">What is signed</summary>
      <div class="signed">
        {plans.map(({ order }, index) => (
          <table key={String(index)}>
            {plans.length > 1 && (
              <caption>
                Signature {index + 1} of {plans.length}
              </caption>
            )}
            <tbody>
              {describeOrder(order, instrument, symbol).map(([name, text]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{text}</td>
                </tr>
              ))}
            </tbody>
          </table>
        ))}
      </div>
      {plans.length > 1 && (
        <p class="small muted">
          Two signatures of one nonce, of which the chain fills one at most. The service cancels one when the other
          trades; one transaction revokes both.
        </p>
      )}
    </details>
  );
}

interface WorstProps {
  readonly openCount: number;
  readonly worst: { readonly equityWad: bigint; readonly initialWad: bigint };
}

/** Margin when every open order and this one fill as badly as they can. */
export function WorstFill({ openCount, worst }: WorstProps) {
  return (
    <p class="small muted">
      {openCount > 0
        ? `With your ${openCount} open ${openCount === 1 ? "order" : "orders"} filled at the worst`
        : "With both orders filled at the worst"}
      : equity {cash(worst.equityWad)}, initial margin {cash(worst.initialWad)},{" "}
      <span class={worst.equityWad < worst.initialWad ? "bad" : ""}>
        left to use {cash(worst.equityWad - worst.initialWad)}
      </span>
      .
    </p>
  );
}
