/** Trader keys: a key may sign orders of the account within kinds, greeks, a loss and a time, and nothing else. */
import { useState } from "preact/hooks";
import { type Address, encodeFunctionData, isAddress } from "viem";
import { delegationAbi } from "../chain/abi.ts";
import { KINDS } from "../chain/kinds.ts";
import { readKeys, type TraderKey, UNBOUNDED } from "../chain/permissions.ts";
import { readProblem } from "../chain/refusal.ts";
import { cash, DAY_SEC, moment, parseUnits, quantity, short } from "../chain/units.ts";
import { head } from "../state/app.ts";
import { useStore } from "../state/store.ts";
import type { Call } from "../wallet/send.ts";
import { type ControlProps, SendButton } from "./control.tsx";
import { Field, Message, Panel, Select, useAnswer } from "./parts.tsx";
import { PasskeyMaker } from "./passkey.tsx";

export const LIVES = [
  ["1", "1 day"],
  ["7", "7 days"],
  ["30", "30 days"],
  ["365", "a year"],
] as const;

const kindsText = (kinds: number): string =>
  KINDS.filter((_, kind) => kinds & (1 << kind))
    .map((entry) => entry.title)
    .join(", ");

const lossText = (key: TraderKey): string =>
  key.maxLossWad === UNBOUNDED ? "no bound on losses" : `lost ${cash(key.lossWad)} of at most ${cash(key.maxLossWad)}`;

/** An amount, or no bound where nothing was typed. */
function bound(text: string): { ok: true; value: bigint } | { ok: false; problem: string } {
  return text.trim() === "" ? { ok: true, value: UNBOUNDED } : parseUnits(text, 18);
}

function GrantForm({ app, account, market, connection }: ControlProps) {
  const block = useStore(head);
  const [key, setKey] = useState("");
  const [days, setDays] = useState<string>("7");
  const [kinds, setKinds] = useState(15);
  const [loss, setLoss] = useState("500");
  const [picked, setPicked] = useState<ReadonlySet<number>>(new Set(market.underlyings.map((entry) => entry.id)));
  const [limits, setLimits] = useState<Readonly<Record<string, string>>>({});
  const maxLoss = bound(loss);
  const keyProblem = key && !isAddress(key, { strict: false }) ? "That is no address." : undefined;
  const parsed = market.underlyings
    .filter((entry) => picked.has(entry.id))
    .map((entry) => {
      const of = (name: string) => bound(limits[`${entry.id}${name}`] ?? "");
      return { id: entry.id, delta: of("delta"), vega: of("vega") };
    });
  const complete = parsed.every((entry) => entry.delta.ok && entry.vega.ok);
  const ready = key !== "" && !keyProblem && maxLoss.ok && complete && parsed.length > 0 && kinds > 0 && block !== null;
  const call = (): Call => {
    const terms = {
      untilTs: (block?.ts ?? 0) + Number(days) * DAY_SEC,
      kinds,
      maxLossWad: maxLoss.ok ? maxLoss.value : 0n,
      limits: parsed.map(({ id, delta, vega }) => ({
        underlyingId: id,
        maxDeltaWad: delta.ok ? delta.value : 0n,
        maxGammaWad: UNBOUNDED,
        maxVegaWad: vega.ok ? vega.value : 0n,
      })),
    };
    const data = encodeFunctionData({
      abi: delegationAbi,
      functionName: "grant",
      args: [account.id, key as Address, terms],
    });
    return { to: app.context.deployment.contracts.Delegation, data, label: `Let ${short(key)} trade` };
  };
  return (
    <div class="stack">
      <PasskeyMaker app={app} account={account} connection={connection} onMade={setKey} />
      <Field label="Address of the key" value={key} isText placeholder="0x…" problem={keyProblem} onInput={setKey} />
      <div class="fields">
        <Select label="For" value={days} options={LIVES} onChange={setDays} />
        <Field
          label="May lose at most"
          value={loss}
          placeholder="no bound"
          problem={maxLoss.ok ? undefined : maxLoss.problem}
          onInput={setLoss}
        />
      </div>
      <div class="row">
        {KINDS.map((entry, kind) => (
          <label class="check" key={entry.word}>
            <input
              type="checkbox"
              checked={(kinds & (1 << kind)) !== 0}
              onChange={() => setKinds(kinds ^ (1 << kind))}
            />
            {entry.title}s
          </label>
        ))}
      </div>
      {market.underlyings.map((entry) => {
        const field = (name: string) => {
          const text = limits[`${entry.id}${name}`] ?? "";
          const found = bound(text);
          return (
            <Field
              label={`Largest ${entry.symbol} ${name}`}
              value={text}
              placeholder="no bound"
              problem={found.ok ? undefined : found.problem}
              onInput={(value) => setLimits({ ...limits, [`${entry.id}${name}`]: value })}
            />
          );
        };
        const isPicked = picked.has(entry.id);
        const toggle = () =>
          setPicked(new Set(isPicked ? [...picked].filter((id) => id !== entry.id) : [...picked, entry.id]));
        return (
          <div class="fields wide" key={entry.id}>
            <label class="check">
              <input type="checkbox" checked={isPicked} onChange={toggle} />
              {entry.symbol}
            </label>
            {isPicked && field("delta")}
            {isPicked && field("vega")}
          </div>
        );
      })}
      <div>
        <SendButton app={app} connection={connection} call={ready ? call : null} isMain onSent={() => setKey("")}>
          Let the key trade
        </SendButton>
      </div>
    </div>
  );
}

export function KeysPanel(props: ControlProps) {
  const { app, account, connection } = props;
  const block = useStore(head);
  const answer = useAnswer(
    `${account.id}|${block?.hash}`,
    () => readKeys(app.context, account.id),
    (thrown) => readProblem(thrown, app.context),
  );
  const revoke = (key: TraderKey) => (): Call => ({
    to: app.context.deployment.contracts.Delegation,
    data: encodeFunctionData({ abi: delegationAbi, functionName: "revoke", args: [account.id, key.address] }),
    label: `Revoke ${short(key.address)}`,
  });
  return (
    <Panel title="Trader keys">
      <div class="stack">
        <p class="small muted">
          A trader key signs orders of this account and can do nothing else: it cannot withdraw, move or grant anything.
          Limits count the whole account after a fill.
        </p>
        {answer.problem && <Message tone="bad">{answer.problem}</Message>}
        {(answer.value ?? []).map((key) => (
          <div class="row" key={key.address} style="justify-content:space-between">
            <div>
              <strong>{short(key.address)}</strong>{" "}
              <span class={key.untilTs < (block?.ts ?? 0) ? "warn small" : "muted small"}>
                {key.untilTs < (block?.ts ?? 0) ? "ended" : "until"} {moment(key.untilTs)}
              </span>
              <p class="small muted">
                {kindsText(key.kinds)}; {lossText(key)};{" "}
                {key.limits
                  .map((limit) => {
                    const symbol = app.context.deployment.underlyings.get(limit.underlyingId);
                    const delta =
                      limit.maxDeltaWad === UNBOUNDED ? "any delta" : `delta ±${quantity(limit.maxDeltaWad)}`;
                    const vega = limit.maxVegaWad === UNBOUNDED ? "any vega" : `vega ±${quantity(limit.maxVegaWad)}`;
                    return `${symbol} ${delta}, ${vega}`;
                  })
                  .join("; ")}
              </p>
            </div>
            <SendButton app={app} connection={connection} call={revoke(key)}>
              Revoke
            </SendButton>
          </div>
        ))}
        <GrantForm key={String(account.id)} {...props} />
      </div>
    </Panel>
  );
}
