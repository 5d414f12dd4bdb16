/** Operators: an address may do named things with the account, and withdraw to its owner alone. */
import { useState } from "preact/hooks";
import { type Address, encodeFunctionData, isAddress } from "viem";
import { accountsAbi, operatorsAbi } from "../chain/abi.ts";
import { isApproved, type Operator, ROLES, readOperators } from "../chain/permissions.ts";
import { readProblem } from "../chain/refusal.ts";
import { DAY_SEC, moment, parseUnits, quantity, short } from "../chain/units.ts";
import { head } from "../state/app.ts";
import { useStore } from "../state/store.ts";
import type { Call } from "../wallet/send.ts";
import { type ControlProps, SendButton } from "./control.tsx";
import { LIVES } from "./keys.tsx";
import { Field, Message, Panel, Select, useAnswer } from "./parts.tsx";

const WITHDRAW = 1;

function GrantForm({ app, account, market, connection }: ControlProps) {
  const block = useStore(head);
  const [operator, setOperator] = useState("");
  const [days, setDays] = useState<string>("30");
  const [roles, setRoles] = useState(0);
  const [amounts, setAmounts] = useState<Readonly<Record<number, string>>>({});
  const problem = operator && !isAddress(operator, { strict: false }) ? "That is no address." : undefined;
  const withdraws = (roles & WITHDRAW) !== 0;
  const allowances = market.tokens.flatMap((token) => {
    const text = amounts[token.tokenId] ?? "";
    return withdraws && text ? [{ token, amount: parseUnits(text, token.decimals) }] : [];
  });
  const complete = allowances.every((entry) => entry.amount.ok) && (!withdraws || allowances.length > 0);
  const ready = operator !== "" && !problem && roles > 0 && complete && block !== null;
  const call = (): Call => {
    const terms = {
      untilTs: (block?.ts ?? 0) + Number(days) * DAY_SEC,
      roles,
      allowances: allowances.map(({ token, amount }) => ({
        tokenId: token.tokenId,
        maxRaw: amount.ok ? amount.value : 0n,
      })),
    };
    const args = [account.id, operator as Address, terms] as const;
    const data = encodeFunctionData({ abi: operatorsAbi, functionName: "grant", args });
    return { to: app.context.deployment.contracts.Operators, data, label: `Give ${short(operator)} roles` };
  };
  return (
    <div class="stack">
      <div class="fields">
        <Field
          label="Address of the operator"
          value={operator}
          isText
          placeholder="0x…"
          problem={problem}
          onInput={setOperator}
        />
        <Select label="For" value={days} options={LIVES} onChange={setDays} />
      </div>
      <div class="row">
        {ROLES.map((role) => (
          <label class="check" key={role.bit}>
            <input type="checkbox" checked={(roles & role.bit) !== 0} onChange={() => setRoles(roles ^ role.bit)} />
            {role.name}
          </label>
        ))}
      </div>
      {withdraws && (
        <div class="fields">
          {market.tokens.map((token) => {
            const found = allowances.find((entry) => entry.token.tokenId === token.tokenId)?.amount;
            return (
              <Field
                key={token.tokenId}
                label={`${token.symbol} a day`}
                value={amounts[token.tokenId] ?? ""}
                placeholder="none"
                problem={found && !found.ok ? found.problem : undefined}
                onInput={(text) => setAmounts({ ...amounts, [token.tokenId]: text })}
              />
            );
          })}
        </div>
      )}
      <div>
        <SendButton app={app} connection={connection} call={ready ? call : null} isMain onSent={() => setOperator("")}>
          Give the roles
        </SendButton>
      </div>
    </div>
  );
}

function roleText(
  operator: Operator,
  symbolOf: (id: number) => { symbol: string; decimals: number } | undefined,
): string {
  const names = ROLES.filter((role) => operator.roles & role.bit).map((role) => role.name);
  const amounts = operator.allowances.map(({ tokenId, leftRaw, maxRaw }) => {
    const token = symbolOf(tokenId);
    return token
      ? `${quantity(leftRaw, token.decimals)} of ${quantity(maxRaw, token.decimals)} ${token.symbol} left today`
      : "";
  });
  return [...names, ...amounts].join("; ");
}

export function OperatorsPanel(props: ControlProps) {
  const { app, account, connection } = props;
  const block = useStore(head);
  const answer = useAnswer(
    `${account.id}|${account.owner}|${block?.hash}`,
    async () => {
      const [operators, approved] = await Promise.all([
        readOperators(app.context, account.id),
        isApproved(app.context, account.owner),
      ]);
      return { operators, approved };
    },
    (thrown) => readProblem(thrown, app.context),
  );
  const { Accounts, Operators } = app.context.deployment.contracts;
  const approve = (on: boolean) => (): Call => ({
    to: Accounts,
    data: encodeFunctionData({ abi: accountsAbi, functionName: "setApprovalForAll", args: [Operators, on] }),
    label: on ? "Let operators act" : "Stop every operator",
  });
  const revoke = (operator: Operator) => (): Call => ({
    to: Operators,
    data: encodeFunctionData({ abi: operatorsAbi, functionName: "revoke", args: [account.id, operator.address] }),
    label: `Revoke ${short(operator.address)}`,
  });
  const approved = answer.value?.approved ?? false;
  return (
    <Panel title="Operators">
      <div class="stack">
        <p class="small muted">
          An operator does named things with this account: withdrawals go to the owner alone and end at a daily amount.
          Operators act through one contract, which you approve once; taking that back stops all of them.
        </p>
        {answer.problem && <Message tone="bad">{answer.problem}</Message>}
        {answer.value && (
          <div class="row">
            <span class="small">
              {approved
                ? "Operators may act for your accounts."
                : "No operator may act until you approve their contract."}
            </span>
            <SendButton app={app} connection={connection} call={approve(!approved)}>
              {approved ? "Stop every operator" : "Approve the contract of operators"}
            </SendButton>
          </div>
        )}
        {(answer.value?.operators ?? []).map((operator) => (
          <div class="row" key={operator.address} style="justify-content:space-between">
            <div>
              <strong>{short(operator.address)}</strong>{" "}
              <span class="muted small">
                {operator.untilTs < (block?.ts ?? 0) ? "ended" : "until"} {moment(operator.untilTs)}
              </span>
              <p class="small muted">{roleText(operator, (id) => app.context.deployment.tokens[id])}</p>
            </div>
            <SendButton app={app} connection={connection} call={revoke(operator)}>
              Revoke
            </SendButton>
          </div>
        ))}
        <GrantForm key={String(account.id)} {...props} />
      </div>
    </Panel>
  );
}
