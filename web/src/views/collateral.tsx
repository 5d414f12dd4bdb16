/** Cash and collateral after haircuts, and what they and the perpetuals earn or cost. */
import type { Account } from "../chain/account.ts";
import type { Market } from "../chain/market.ts";
import { cash, change, decimal, percent, quantity, toFloat, WAD } from "../chain/units.ts";
import { paysFunding } from "../chain/words.ts";
import { Figures, Panel, Scroll } from "./parts.tsx";

export function CollateralPanel({ account, market }: { account: Account; market: Market }) {
  const lines = account.holdings.flatMap(({ tokenId, amountWad }) => {
    const token = market.tokens.find((entry) => entry.tokenId === tokenId);
    if (!token) return [];
    const value = (amountWad * token.priceWad) / WAD;
    return [{ token, amountWad, value, counted: (value * (WAD - token.haircutWad)) / WAD }];
  });
  return (
    <Panel title="Cash and collateral">
      <Scroll label="Cash and collateral">
        <table>
          <thead>
            <tr>
              <th scope="col">Token</th>
              <th scope="col" class="number">
                Amount
              </th>
              <th scope="col" class="number hide-narrow">
                Price
              </th>
              <th scope="col" class="number">
                Haircut
              </th>
              <th scope="col" class="number">
                Counts
              </th>
            </tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">{market.tokens[0]?.symbol ?? "Cash"}</th>
              <td class="number">{cash(account.cashWad)}</td>
              <td class="number hide-narrow">1.00</td>
              <td class="number">none</td>
              <td class="number">{cash(account.cashWad)}</td>
            </tr>
            {lines.map(({ token, amountWad, counted }) => (
              <tr key={token.tokenId}>
                <th scope="row">
                  {token.symbol}
                  {token.linkedId > 0 && account.mode !== 1 && <span class="sub">price risk is in the scenarios</span>}
                </th>
                <td class="number">{quantity(amountWad)}</td>
                <td class="number hide-narrow">{cash(token.priceWad)}</td>
                <td class="number">{percent(token.haircutWad)}</td>
                <td class="number">{cash(counted)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Panel>
  );
}

export function CarryPanel({ account, market }: { account: Account; market: Market }) {
  const pending = account.cashWad - account.storedCashWad;
  const perps = account.positions.filter((position) => paysFunding(position.kind));
  const funding = perps.reduce((sum, position) => {
    const rate = market.underlyings.find((entry) => entry.id === position.underlyingId)?.fundingWad ?? 0n;
    return sum - (position.quantityWad * rate) / WAD;
  }, 0n);
  const rateE6 = account.cashWad < 0n ? market.lending.borrowE6 : market.lending.earnE6;
  const interest = (toFloat(account.cashWad) * rateE6) / 1e6 / 365;
  return (
    <Panel title="Funding and interest">
      <Figures
        items={[
          { name: "Accrued, not booked", value: change(pending), hint: "already counted in the cash" },
          {
            name: "Funding a day",
            value: change(funding),
            hint: perps.length ? "at the present rates" : "no perpetuals",
          },
          {
            name: account.cashWad < 0n ? "Interest paid a day" : "Interest earned a day",
            value: decimal(Math.abs(interest), 2),
            hint: `${decimal(rateE6 / 1e4, 2)} % a year on ${account.cashWad < 0n ? "the debt" : "cash"}`,
          },
        ]}
      />
    </Panel>
  );
}
