/** Control of an account: its mode, isolation of a position, guarantee lines, trader keys, operators. */
import { useState } from "preact/hooks";
import { encodeFunctionData } from "viem";
import { accountsAbi } from "../chain/abi.ts";
import { type Account, evaluate, KEEP_MODE } from "../chain/account.ts";
import type { Market } from "../chain/market.ts";
import { readProblem } from "../chain/refusal.ts";
import { cash, parseUnits, quantity } from "../chain/units.ts";
import { instrumentName } from "../chain/words.ts";
import { head, loaded, market } from "../state/app.ts";
import { useStore } from "../state/store.ts";
import { type Call, sendCall } from "../wallet/send.ts";
import { type Connection, session } from "../wallet/session.ts";
import { Compare, TYPING_MS, usePreview } from "./compare.tsx";
import type { ViewProps } from "./frame.tsx";
import { KeysPanel } from "./keys.tsx";
import { LinesPanel } from "./lines.tsx";
import { ModeChoice } from "./mode.tsx";
import { OperatorsPanel } from "./operators.tsx";
import { Field, Figures, Message, Panel, Select, useAnswer, useWork } from "./parts.tsx";

export interface ControlProps extends ViewProps {
  readonly account: Account;
  readonly market: Market;
  readonly connection: Connection | null;
}

/** A button that sends one call, and what went wrong with it. */
export function SendButton(props: {
  app: ViewProps["app"];
  connection: Connection | null;
  call: (() => Call) | null;
  isMain?: boolean;
  children: string;
  onSent?: () => void;
}) {
  const work = useWork();
  const { app, connection, call } = props;
  const send = () =>
    work.run(async () => {
      if (!connection || !call) return;
      await sendCall(app.context, connection, call());
      props.onSent?.();
    });
  return (
    <>
      <button
        type="button"
        class={props.isMain ? "main" : "slim"}
        disabled={!connection || !call || work.busy}
        onClick={send}
      >
        {work.busy ? "Waiting for the wallet…" : props.children}
      </button>
      {work.problem && <Message tone="bad">{work.problem}</Message>}
    </>
  );
}

function ModePanel({ app, account, connection }: ControlProps) {
  const [mode, setMode] = useState(account.mode);
  const changes =
    mode === account.mode ? null : { mode, cashDeltaWad: 0n, tokenIds: [], amountDeltasWad: [], positions: [] };
  const preview = usePreview(app, account.id, changes);
  const call = (): Call => ({
    to: app.context.deployment.contracts.Accounts,
    data: encodeFunctionData({ abi: accountsAbi, functionName: "setMode", args: [account.id, mode] }),
    label: "Change the margin mode",
  });
  return (
    <Panel title="Margin mode">
      <div class="stack">
        <ModeChoice value={mode} onChange={setMode} />
        {changes && <Compare answer={preview} empty="Asking the contracts…" />}
        <div>
          <SendButton app={app} connection={connection} call={changes && !preview.problem ? call : null} isMain>
            Change the mode
          </SendButton>
        </div>
      </div>
    </Panel>
  );
}

/** Moves one position with some cash and collateral into an account of its own. */
function IsolatePanel({ app, account, market: now, connection }: ControlProps) {
  const block = useStore(head);
  const [index, setIndex] = useState("0");
  const [cashText, setCashText] = useState("");
  const [tokenId, setTokenId] = useState("0");
  const [amountText, setAmountText] = useState("");
  const position = account.positions[Number(index)];
  const cashWad = cashText ? parseUnits(cashText, 18) : ({ ok: true, value: 0n } as const);
  const amount = amountText && tokenId !== "0" ? parseUnits(amountText, 18) : ({ ok: true, value: 0n } as const);
  const ready = position !== undefined && cashWad.ok && amount.ok;
  const changes = ready
    ? {
        mode: KEEP_MODE,
        cashDeltaWad: -cashWad.value,
        tokenIds: amount.value ? [BigInt(tokenId)] : [],
        amountDeltasWad: amount.value ? [-amount.value] : [],
        // The quantity that leaves, at the entry that it has.
        positions: [(position.word & ~(2n ** 128n - 1n)) | BigInt.asUintN(128, -position.quantityWad)],
      }
    : null;
  const preview = usePreview(app, account.id, changes);
  const part = ready
    ? {
        mode: account.mode,
        cashWad: cashWad.value,
        tokenIds: amount.value ? [BigInt(tokenId)] : [],
        amountsWad: amount.value ? [amount.value] : [],
        positions: [position.word],
      }
    : null;
  const fresh = useAnswer(
    part ? `${position?.word}|${part.cashWad}|${tokenId}|${part.amountsWad.join()}|${block?.hash}` : "",
    part ? () => evaluate(app.context, part) : null,
    (thrown) => readProblem(thrown, app.context),
    TYPING_MS,
  );
  const call = (): Call => {
    if (!position || !cashWad.ok || !amount.ok) throw new Error("the form is incomplete");
    const args = [account.id, position.word, BigInt(tokenId), amount.value, cashWad.value] as const;
    const data = encodeFunctionData({ abi: accountsAbi, functionName: "isolate", args });
    return { to: app.context.deployment.contracts.Accounts, data, label: "Isolate a position" };
  };
  if (!account.positions.length) return null;
  const symbolOf = (id: number) => now.underlyings.find((entry) => entry.id === id)?.symbol ?? `#${id}`;
  return (
    <Panel title="Isolate a position">
      <div class="stack">
        <p class="small muted">
          Moves a position into a new account of yours, where it can lose no more than goes along with it. Both accounts
          must have their initial margin afterwards.
        </p>
        <div class="fields wide">
          <Select
            label="Position"
            value={index}
            options={account.positions.map(
              (each, number) =>
                [
                  String(number),
                  `${quantity(each.quantityWad)} ${instrumentName(each, symbolOf(each.underlyingId))}`,
                ] as const,
            )}
            onChange={setIndex}
          />
          <Field
            label="Cash to go along"
            value={cashText}
            placeholder="0"
            problem={cashWad.ok ? undefined : cashWad.problem}
            onInput={setCashText}
          />
          {account.holdings.length > 0 && (
            <Select
              label="Collateral to go along"
              value={tokenId}
              options={[
                ["0", "none"],
                ...account.holdings.map(
                  (holding) =>
                    [String(holding.tokenId), now.tokens[holding.tokenId]?.symbol ?? `${holding.tokenId}`] as const,
                ),
              ]}
              onChange={setTokenId}
            />
          )}
          {tokenId !== "0" && (
            <Field
              label="Amount of it"
              value={amountText}
              problem={amount.ok ? undefined : amount.problem}
              onInput={setAmountText}
            />
          )}
        </div>
        <Compare answer={preview} empty="Asking the contracts what stays…" />
        {fresh.value && (
          <Figures
            items={[
              { name: "Equity of the new account", value: cash(fresh.value.equityWad) },
              {
                name: "Its initial margin",
                value: cash(fresh.value.initialWad),
                tone: fresh.value.equityWad < fresh.value.initialWad ? "bad" : "plain",
                hint: fresh.value.equityWad < fresh.value.initialWad ? "more has to go along" : "covered",
              },
            ]}
          />
        )}
        {fresh.problem && <Message tone="bad">{fresh.problem}</Message>}
        <div>
          <SendButton app={app} connection={connection} call={ready ? call : null} isMain>
            Isolate
          </SendButton>
        </div>
      </div>
    </Panel>
  );
}

export function ControlView({ app }: ViewProps) {
  const now = useStore(market);
  const mine = useStore(loaded);
  const who = useStore(session);
  if (!now) return <p class="empty">Reading the chain…</p>;
  const account = mine?.account ?? null;
  if (!account) {
    return (
      <Panel title="Control">
        <p class="empty">
          Modes, isolation, trader keys and operators belong to an account; a first deposit opens one.
        </p>
      </Panel>
    );
  }
  const props = { app, account, market: now, connection: who.kind === "connected" ? who.connection : null };
  return (
    <div class="grid halves">
      <div class="stack">
        <ModePanel key={`${account.id}:${account.mode}`} {...props} />
        <IsolatePanel key={`i${account.id}`} {...props} />
        <LinesPanel key={`g${account.id}`} {...props} />
      </div>
      <div class="stack">
        <KeysPanel {...props} />
        <OperatorsPanel {...props} />
      </div>
    </div>
  );
}
