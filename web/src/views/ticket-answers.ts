/** What the ticket asks the chain: fees, the count that an order names, and the margin with every open order. */
import { readContract } from "viem/actions";
import { accountsAbi, delegationAbi, exchangeAbi, orderPreviewAbi } from "../chain/abi.ts";
import type { Account } from "../chain/account.ts";
import { readProblem } from "../chain/refusal.ts";
import { type Instrument, isOption } from "../chain/words.ts";
import type { OrderView } from "../venue/client.ts";
import { fromWire, type Order } from "../venue/order.ts";
import type { Rates } from "../venue/plan.ts";
import { knownPasskeys, type Passkey } from "../wallet/passkey.ts";
import { TYPING_MS } from "./compare.tsx";
import type { ViewProps } from "./frame.tsx";
import { useAnswer } from "./parts.tsx";

export interface OrderTerms {
  readonly rates: Rates;
  /** An order may make or take, so that it has to accept the higher rate. */
  readonly maxFeeWad: bigint;
  readonly transferCount: bigint;
}

function largest(ratesWad: readonly bigint[]): bigint {
  const [first = 0n] = [...ratesWad].sort((a, b) => (a < b ? 1 : -1));
  return first;
}

/** Fee rates of an instrument, and how often the account has changed hands: what an order has to name. */
export function useTerms(app: ViewProps["app"], account: Account | null, instrument: Instrument) {
  const { Exchange, Accounts } = app.context.deployment.contracts;
  const ask = async (id: bigint): Promise<OrderTerms> => {
    const { client } = app.context;
    const [[fees], transferCount] = await Promise.all([
      readContract(client, { address: Exchange, abi: exchangeAbi, functionName: "feesOf" }),
      readContract(client, { address: Accounts, abi: accountsAbi, functionName: "transferCountOf", args: [id] }),
    ]);
    const rates = isOption(instrument.kind)
      ? { makerWad: fees.makerOptionWad, takerWad: fees.takerOptionWad }
      : { makerWad: fees.makerLinearWad, takerWad: fees.takerLinearWad };
    return { rates, maxFeeWad: largest(Object.values(rates)), transferCount };
  };
  return useAnswer(
    account ? `${account.id}|${isOption(instrument.kind)}` : "",
    account ? () => ask(account.id) : null,
    (thrown) => readProblem(thrown, app.context),
  );
}

/** Passkeys of this browser that may sign orders of the account now. */
export function usePasskeys(app: ViewProps["app"], account: Account | null, nowTs: number): readonly Passkey[] {
  const { client, deployment } = app.context;
  const known = knownPasskeys();
  const ask = async (id: bigint): Promise<readonly Passkey[]> => {
    const grants = await Promise.all(
      known.map(({ address }) =>
        readContract(client, {
          address: deployment.contracts.Delegation,
          abi: delegationAbi,
          functionName: "grantOf",
          args: [id, address],
        }),
      ),
    );
    return known.filter((_, index) => (grants[index]?.untilTs ?? 0) >= nowTs && grants[index]?.grantId !== 0n);
  };
  const key = account && known.length ? `${account.id}|${known.map(({ address }) => address).join()}` : "";
  const answer = useAnswer(key, account && key ? () => ask(account.id) : null, (thrown) =>
    readProblem(thrown, app.context),
  );
  return answer.value ?? [];
}

/** Margin when the open orders and the new ones fill as badly as they can, as the contracts try it. */
export function useWorst(
  app: ViewProps["app"],
  account: Account | null,
  fresh: readonly Order[],
  open: readonly OrderView[],
) {
  const orders =
    fresh.length && open.length + fresh.length > 1 ? [...open.map(({ order }) => fromWire(order)), ...fresh] : [];
  const key = orders.map((entry) => `${entry.instrument}${entry.isBuy}${entry.priceWad}${entry.quantityWad}`).join();
  return useAnswer(
    account && key ? `${account.id}|${key}` : "",
    account && orders.length
      ? () =>
          readContract(app.context.client, {
            address: app.context.deployment.contracts.OrderPreview,
            abi: orderPreviewAbi,
            functionName: "previewOrders",
            args: [account.id, orders],
          })
      : null,
    (thrown) => readProblem(thrown, app.context),
    TYPING_MS,
  );
}
