/** A withdrawal or a loan: the largest that is safe, the margin before and after, and the queue behind the vault's door. */
import { useState } from "preact/hooks";
import { encodeFunctionData } from "viem";
import { readContract } from "viem/actions";
import { actionPreviewAbi, vaultAbi } from "../chain/abi.ts";
import type { Account } from "../chain/account.ts";
import type { Market, Token } from "../chain/market.ts";
import { readProblem } from "../chain/refusal.ts";
import { decimal, parseUnits, plainUnits, quantity } from "../chain/units.ts";
import { head } from "../state/app.ts";
import { useStore } from "../state/store.ts";
import { type Call, sendCall } from "../wallet/send.ts";
import type { Connection } from "../wallet/session.ts";
import { Compare, usePreview } from "./compare.tsx";
import type { ViewProps } from "./frame.tsx";
import { Field, Message, Panel, Segments, Select, useAnswer, useWork } from "./parts.tsx";
import { tokenChanges, toWad } from "./tokens.tsx";

interface Props extends ViewProps {
  readonly account: Account;
  readonly market: Market;
  readonly connection: Connection | null;
}

type Kind = "withdraw" | "borrow";

function outCall(
  app: ViewProps["app"],
  account: Account,
  token: Token,
  amountRaw: bigint,
  owner: `0x${string}`,
  kind: Kind | "queue",
): Call {
  const to = app.context.deployment.contracts.Vault;
  const text = `${quantity(amountRaw, token.decimals)} ${token.symbol}`;
  if (kind === "borrow") {
    const args = [account.id, amountRaw, owner] as const;
    return { to, data: encodeFunctionData({ abi: vaultAbi, functionName: "borrow", args }), label: `Borrow ${text}` };
  }
  const args = [account.id, token.address, amountRaw, owner] as const;
  return kind === "queue"
    ? {
        to,
        data: encodeFunctionData({ abi: vaultAbi, functionName: "requestWithdrawal", args }),
        label: `Queue ${text}`,
      }
    : { to, data: encodeFunctionData({ abi: vaultAbi, functionName: "withdraw", args }), label: `Withdraw ${text}` };
}

/** The most that may leave: by the margin, and by the vault. */
export function useLimits(app: ViewProps["app"], account: Account, token: Token) {
  const block = useStore(head);
  return useAnswer(
    `${account.id}|${token.tokenId}|${block?.hash}`,
    async () => {
      const { client, deployment } = app.context;
      const { ActionPreview, Vault } = deployment.contracts;
      const [safeRaw, vaultRaw, queue] = await Promise.all([
        readContract(client, {
          address: ActionPreview,
          abi: actionPreviewAbi,
          functionName: "maxWithdraw",
          args: [account.id, token.address],
        }),
        readContract(client, {
          address: Vault,
          abi: vaultAbi,
          functionName: "limitOf",
          args: [account.id, BigInt(token.tokenId)],
        }),
        readContract(client, { address: Vault, abi: vaultAbi, functionName: "queueOf", args: [BigInt(token.tokenId)] }),
      ]);
      return { safeRaw, vaultRaw, waiting: queue[1] - queue[0] };
    },
    (thrown) => readProblem(thrown, { deployment: app.context.deployment, token }),
  );
}

export function WithdrawPanel({ app, account, market, connection }: Props) {
  const [kind, setKind] = useState<Kind>("withdraw");
  const [tokenId, setTokenId] = useState("0");
  const [text, setText] = useState("");
  const work = useWork();
  const held = market.tokens.filter(
    (token) => token.tokenId === 0 || account.holdings.some((holding) => holding.tokenId === token.tokenId),
  );
  const token =
    (kind === "borrow" ? market.tokens[0] : held.find((entry) => String(entry.tokenId) === tokenId)) ??
    market.tokens[0];
  if (!token) return null;
  return (
    <WithdrawForm
      {...{ app, account, market, connection, kind, setKind, held, token, setTokenId, text, setText, work }}
      key={`${kind}${token.tokenId}`}
    />
  );
}

interface FormProps extends Props {
  readonly kind: Kind;
  readonly setKind: (kind: Kind) => void;
  readonly held: readonly Token[];
  readonly token: Token;
  readonly setTokenId: (id: string) => void;
  readonly text: string;
  readonly setText: (text: string) => void;
  readonly work: ReturnType<typeof useWork>;
}

function WithdrawForm(props: FormProps) {
  const { app, account, market, connection, kind, token, text, setText, work } = props;
  const limits = useLimits(app, account, token);
  const amount = parseUnits(text, token.decimals);
  const changes = amount.ok ? tokenChanges(token, -toWad(amount.value, token.decimals)) : null;
  const preview = usePreview(app, account.id, changes);
  const limit = limits.value;
  const aboveVault = kind === "withdraw" && amount.ok && limit !== null && amount.value > limit.vaultRaw;
  const beyond =
    kind === "withdraw" && amount.ok && limit && amount.value > limit.safeRaw
      ? `At most ${quantity(limit.safeRaw, token.decimals)} ${token.symbol} can leave now.`
      : undefined;
  const problem = text && !amount.ok ? amount.problem : beyond;
  const send = (way: Kind | "queue") =>
    work.run(async () => {
      if (!connection || !amount.ok) return;
      const call = outCall(app, account, token, amount.value, connection.address, way);
      await sendCall(app.context, connection, call, { deployment: app.context.deployment, token });
      setText("");
    });
  return (
    <Panel title="Withdraw or borrow">
      <div class="stack">
        <Segments
          label="How"
          value={kind}
          options={[
            ["withdraw", "Withdraw"],
            ["borrow", "Borrow cash"],
          ]}
          onChange={props.setKind}
        />
        <div class="fields">
          {kind === "withdraw" && (
            <Select
              label="Token"
              value={String(token.tokenId)}
              options={props.held.map((entry) => [String(entry.tokenId), entry.symbol] as const)}
              onChange={props.setTokenId}
            />
          )}
          <Field
            label={kind === "borrow" ? `${token.symbol} to take out` : "Amount to withdraw"}
            value={text}
            placeholder="0"
            problem={problem}
            onInput={setText}
            aside={
              kind === "withdraw" && limit && limit.safeRaw > 0n ? (
                <button type="button" onClick={() => setText(plainUnits(limit.safeRaw, token.decimals))}>
                  Largest
                </button>
              ) : undefined
            }
          />
        </div>
        {limits.problem && <Message tone="warn">{limits.problem}</Message>}
        {limit && kind === "withdraw" && (
          <p class="small muted">
            Largest safe withdrawal now: {quantity(limit.safeRaw, token.decimals)} {token.symbol}, with which the
            account keeps its initial margin. The vault lets out {quantity(limit.vaultRaw, token.decimals)}.
            {limit.waiting > 0n && ` ${limit.waiting} withdrawals wait in the queue.`}
          </p>
        )}
        {kind === "borrow" && (
          <p class="small muted">
            What the account lacks is borrowed against its collateral, at {decimal(market.lending.borrowE6 / 1e4, 2)} %
            a year now; cash that others leave in earns {decimal(market.lending.earnE6 / 1e4, 2)} %. A deposit pays it
            back.
          </p>
        )}
        <Compare answer={preview} empty="Enter an amount to see the margin before and after." />
        <div class="row">
          <button
            type="button"
            class="main"
            disabled={!connection || !amount.ok || !!problem || work.busy}
            onClick={() => send(kind)}
          >
            {work.busy ? "Waiting for the wallet…" : kind === "borrow" ? "Borrow" : "Withdraw"}
          </button>
          {aboveVault && (
            <button type="button" disabled={!connection || work.busy} onClick={() => send("queue")}>
              Queue it
            </button>
          )}
          {!connection && <span class="small muted">Connect the wallet of this account to withdraw.</span>}
        </div>
        {work.problem && <Message tone="bad">{work.problem}</Message>}
      </div>
    </Panel>
  );
}
