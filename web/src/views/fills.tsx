/** Own fills, and how far each is on its way to being final. */
import { cash, quantity, short } from "../chain/units.ts";
import { instrumentName, unpack } from "../chain/words.ts";
import type { FillView } from "../venue/client.ts";
import type { ViewProps } from "./frame.tsx";
import { Chip, Scroll, type Tone } from "./parts.tsx";

const WORDS: Readonly<Record<string, readonly [string, Tone]>> = {
  pending: ["on its way to the chain", "plain"],
  settled: ["on chain", "good"],
  final: ["final", "good"],
  failed: ["failed", "bad"],
};

export function Fills({ app, fills }: ViewProps & { fills: readonly FillView[] }) {
  const { underlyings } = app.context.deployment;
  return (
    <Scroll label="Fills">
      <table>
        <thead>
          <tr>
            <th scope="col">Fill</th>
            <th scope="col" class="number">
              Price
            </th>
            <th scope="col" class="number">
              Quantity
            </th>
            <th scope="col" class="number hide-narrow">
              Fee
            </th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {fills.map((fill) => {
            const [text, tone] = WORDS[fill.state] ?? [fill.state, "plain" as const];
            const found = unpack(BigInt(fill.instrument));
            const name = instrumentName(found, underlyings.get(found.underlyingId) ?? `#${found.underlyingId}`);
            return (
              <tr key={`${fill.tradeId}${fill.orderHash}`}>
                <th scope="row">
                  {fill.isBuy ? "Bought" : "Sold"} {name}
                  {fill.reason && <span class="sub">{fill.reason}</span>}
                </th>
                <td class="number">{cash(BigInt(fill.priceWad))}</td>
                <td class="number">{quantity(BigInt(fill.quantityWad))}</td>
                <td class="number hide-narrow">{fill.feeWad === null ? "" : cash(BigInt(fill.feeWad))}</td>
                <td>
                  <Chip tone={tone}>{text}</Chip>
                  {fill.txHash && <span class="sub">{short(fill.txHash)}</span>}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}
