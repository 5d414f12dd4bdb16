/** Tokens of the vault: what the wallet holds, what they count for, how many more may come. */
import { readContract } from "viem/actions";
import { localTokenAbi } from "../chain/abi.ts";
import { type Changes, KEEP_MODE } from "../chain/account.ts";
import type { Token } from "../chain/market.ts";
import { readProblem } from "../chain/refusal.ts";
import { cash, formatUnits, percent, quantity } from "../chain/units.ts";
import { head } from "../state/app.ts";
import { useStore } from "../state/store.ts";
import { addressOf, session } from "../wallet/session.ts";
import type { ViewProps } from "./frame.tsx";
import { Panel, Scroll, useAnswer } from "./parts.tsx";

export const toWad = (raw: bigint, decimals: number): bigint => raw * 10n ** BigInt(18 - decimals);

/** Changes of an account by tokens that come or go. */
export function tokenChanges(token: Token, deltaWad: bigint): Changes {
  const isCash = token.tokenId === 0;
  return {
    mode: KEEP_MODE,
    cashDeltaWad: isCash ? deltaWad : 0n,
    tokenIds: isCash ? [] : [BigInt(token.tokenId)],
    amountDeltasWad: isCash ? [] : [deltaWad],
    positions: [],
  };
}

export function useBalances(app: ViewProps["app"], tokens: readonly Token[]): ReadonlyMap<number, bigint> {
  const who = useStore(session);
  const block = useStore(head);
  const owner = addressOf(who);
  const answer = useAnswer(
    owner ? `${owner}|${block?.hash}` : "",
    owner
      ? async () =>
          new Map(
            await Promise.all(
              tokens.map(async ({ tokenId, address }) => {
                const args = [owner] as const;
                const raw = await readContract(app.context.client, {
                  address,
                  abi: localTokenAbi,
                  functionName: "balanceOf",
                  args,
                });
                return [tokenId, raw] as const;
              }),
            ),
          )
      : null,
    (thrown) => readProblem(thrown, app.context),
  );
  return answer.value ?? new Map();
}

/** How much more of a token all accounts together may bring. */
const roomOf = ({ capRaw, heldRaw, decimals }: Token): string =>
  formatUnits(capRaw > heldRaw ? capRaw - heldRaw : 0n, decimals, 0);

export function TokenTable({ tokens, balances }: { tokens: readonly Token[]; balances: ReadonlyMap<number, bigint> }) {
  return (
    <Panel title="What can be deposited">
      <Scroll label="Tokens">
        <table>
          <thead>
            <tr>
              <th scope="col">Token</th>
              <th scope="col" class="number">
                Wallet
              </th>
              <th scope="col" class="number">
                Price
              </th>
              <th scope="col" class="number">
                Haircut
              </th>
              <th scope="col" class="number hide-narrow">
                Room below the cap
              </th>
            </tr>
          </thead>
          <tbody>
            {tokens.map((token) => (
              <tr key={token.tokenId}>
                <th scope="row">
                  {token.symbol}
                  <span class="sub">
                    {token.tokenId === 0 ? "cash" : token.linkedId ? "risk in the scenarios" : "collateral"}
                    <span class="only-narrow">, room for {roomOf(token)}</span>
                  </span>
                </th>
                <td class="number">
                  {balances.has(token.tokenId) ? quantity(balances.get(token.tokenId) ?? 0n, token.decimals, 4) : "–"}
                </td>
                <td class="number">{cash(token.priceWad)}</td>
                <td class="number">{token.tokenId === 0 ? "none" : percent(token.haircutWad)}</td>
                <td class="number hide-narrow">{roomOf(token)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p class="note">
        A haircut is the part of a token's value that does not count as equity. A token that is linked to an underlying
        carries a small one, because the scenarios move its price together with the positions that it hedges; in mode
        STANDARD it carries the price range as well.
      </p>
    </Panel>
  );
}
