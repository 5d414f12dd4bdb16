/** Withdrawals of the account that wait for the vault's bucket. */
import { encodeFunctionData } from "viem";
import { readContract } from "viem/actions";
import { vaultAbi } from "../chain/abi.ts";
import type { Account } from "../chain/account.ts";
import { readProblem } from "../chain/refusal.ts";
import { quantity } from "../chain/units.ts";
import { head } from "../state/app.ts";
import { useStore } from "../state/store.ts";
import { sendCall } from "../wallet/send.ts";
import type { Connection } from "../wallet/session.ts";
import type { ViewProps } from "./frame.tsx";
import { Message, Panel, useAnswer, useWork } from "./parts.tsx";

/** More places than this are not looked through. */
const MOST = 200n;

interface Props extends ViewProps {
  readonly account: Account;
  readonly connection: Connection | null;
}

async function readRequests(app: ViewProps["app"], account: Account) {
  const { client, deployment } = app.context;
  const address = deployment.contracts.Vault;
  const found = await Promise.all(
    deployment.tokens.map(async (token) => {
      const args = [BigInt(token.tokenId)] as const;
      const [first, next] = await readContract(client, { address, abi: vaultAbi, functionName: "queueOf", args });
      const count = next - first > MOST ? MOST : next - first;
      const ids = Array.from({ length: Number(count) }, (_, index) => first + BigInt(index));
      const requests = await Promise.all(
        ids.map((id) =>
          readContract(client, { address, abi: vaultAbi, functionName: "requestOf", args: [args[0], id] }),
        ),
      );
      return requests.flatMap((request, index) =>
        request.accountId === account.id && request.amountRaw > 0n
          ? [{ token, id: first + BigInt(index), ahead: index, amountRaw: request.amountRaw }]
          : [],
      );
    }),
  );
  return found.flat();
}

export function QueuePanel({ app, account, connection }: Props) {
  const block = useStore(head);
  const work = useWork();
  const answer = useAnswer(
    `${account.id}|${block?.hash}`,
    () => readRequests(app, account),
    (thrown) => readProblem(thrown, app.context),
  );
  const requests = answer.value ?? [];
  if (!requests.length) return null;
  return (
    <Panel title="Queued withdrawals">
      <table>
        <tbody>
          {requests.map(({ token, id, ahead, amountRaw }) => (
            <tr key={`${token.tokenId}:${id}`}>
              <th scope="row">
                {quantity(amountRaw, token.decimals)} {token.symbol}
                <span class="sub">{ahead === 0 ? "next in the queue" : `${ahead} ahead of it`}</span>
              </th>
              <td class="number">
                <button
                  type="button"
                  class="slim"
                  disabled={!connection || work.busy}
                  onClick={() =>
                    work.run(async () => {
                      if (!connection) return;
                      const args = [token.address, id] as const;
                      const data = encodeFunctionData({ abi: vaultAbi, functionName: "cancelRequest", args });
                      const to = app.context.deployment.contracts.Vault;
                      await sendCall(app.context, connection, { to, data, label: "Give the place in the queue up" });
                    })
                  }
                >
                  Give up
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="note">The tokens stay in the account and count in its margin until they are paid.</p>
      {work.problem && <Message tone="bad">{work.problem}</Message>}
    </Panel>
  );
}
