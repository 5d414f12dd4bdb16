/** Greeks of an account by expiry. */
import type { Margin } from "../chain/account.ts";
import type { Market } from "../chain/market.ts";
import { day, decimal, toFloat } from "../chain/units.ts";
import { Panel, Scroll } from "./parts.tsx";

export function GreeksPanel({ margin, market }: { margin: Margin; market: Market }) {
  const lines = margin.underlyings.flatMap((risk, index) => {
    const symbol = market.underlyings.find((entry) => entry.id === risk.underlyingId)?.symbol ?? "";
    const expiries = margin.details[index]?.expiries ?? [];
    return [...expiries]
      .sort((a, b) => a.expiryTs - b.expiryTs)
      .filter((entry) => entry.deltaWad || entry.gammaWad || entry.vegaWad || entry.thetaWad)
      .map((entry) => ({ symbol, ...entry }));
  });
  if (!lines.length) return null;
  return (
    <Panel title="Greeks by expiry">
      <Scroll label="Greeks by expiry">
        <table>
          <thead>
            <tr>
              <th scope="col">Expiry</th>
              <th scope="col" class="number">
                Delta
              </th>
              <th scope="col" class="number">
                Gamma
              </th>
              <th scope="col" class="number">
                Vega
              </th>
              <th scope="col" class="number">
                Theta
              </th>
            </tr>
          </thead>
          <tbody>
            {lines.map((entry) => (
              <tr key={`${entry.symbol}${entry.expiryTs}`}>
                <th scope="row">
                  {entry.symbol} {entry.expiryTs ? day(entry.expiryTs) : "perp"}
                </th>
                <td class="number">{decimal(toFloat(entry.deltaWad), 3)}</td>
                <td class="number">{decimal(toFloat(entry.gammaWad), 5)}</td>
                <td class="number">{decimal(toFloat(entry.vegaWad) / 100, 2)}</td>
                <td class="number">{decimal(toFloat(entry.thetaWad) / 365, 2)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p class="note">
        What never expires, perpetuals and linked collateral, is in perp. Delta in units, gamma per unit of price, vega
        for one point of volatility, theta for one day.
      </p>
    </Panel>
  );
}
