/** Intents: sign what should be true of the account, and any solver may bring it about within what it may cost. */
import { useState } from "preact/hooks";
import { encodeFunctionData } from "viem";
import { readContract } from "viem/actions";
import { accountsAbi, exchangeAbi } from "../chain/abi.ts";
import { type Account, KEEP_MODE } from "../chain/account.ts";
import { KINDS, PERP } from "../chain/kinds.ts";
import type { Market } from "../chain/market.ts";
import { readProblem } from "../chain/refusal.ts";
import { cash, DAY_SEC, type Parsed, parseSigned, parseUnits, quantity } from "../chain/units.ts";
import { changesOf } from "../margin/draft.ts";
import { head } from "../state/app.ts";
import { chainNow } from "../state/clocks.ts";
import { useStore } from "../state/store.ts";
import type { IntentEntry } from "../venue/client.ts";
import {
  approveIntents,
  describeIntent,
  type Intent,
  intentTypedData,
  mayFillIntents,
  wireIntent,
} from "../venue/intent.ts";
import { nextNonce } from "../venue/order.ts";
import { isContract } from "../wallet/deposit.ts";
import { sendCall, signTyped } from "../wallet/send.ts";
import type { Connection } from "../wallet/session.ts";
import { Compare, usePreview } from "./compare.tsx";
import type { ViewProps } from "./frame.tsx";
import { Chip, Field, Message, Panel, Segments, Select, SlimButton, useAnswer, useWork } from "./parts.tsx";
import { venueAt } from "./venue-state.ts";

interface Props extends ViewProps {
  readonly url: string;
  readonly account: Account;
  readonly connection: Connection;
  readonly market: Market;
}

const LIVES = [
  ["3600", "an hour"],
  [String(DAY_SEC), "a day"],
  [String(7 * DAY_SEC), "7 days"],
] as const;

/** Kinds that never expire: a trade in them changes delta, and next to nothing else. */
const UNDATED = KINDS.reduce((bits, { hasExpiry }, kind) => (hasExpiry ? bits : bits | (1 << kind)), 0);

type Kind = Intent["kind"];

interface Form {
  readonly kind: Kind;
  readonly underlyingId: number;
  readonly kinds: number;
  readonly from: string;
  readonly to: string;
  readonly cost: string;
  readonly excess: string;
  readonly life: string;
}

const problemOf = (text: string, found: Parsed): string | undefined => (text && !found.ok ? found.problem : undefined);

/** Delta of the whole account in one underlying, linked collateral included, as the margin engine has it. */
const deltaOf = (account: Account, underlyingId: number): bigint => {
  const index = account.margin?.underlyings.findIndex((risk) => risk.underlyingId === underlyingId) ?? -1;
  return account.margin?.details[index]?.deltaWad ?? 0n;
};

/** The trade in perpetuals that brings delta just within bounds; null when it is within. */
function nearest(deltaWad: bigint, minWad: bigint, maxWad: bigint): bigint | null {
  if (deltaWad < minWad) return minWad - deltaWad;
  if (deltaWad > maxWad) return maxWad - deltaWad;
  return null;
}

function IntentForm({ app, url, account, connection, market, onGiven }: Props & { onGiven: () => void }) {
  const { venue } = venueAt(url);
  const block = useStore(head);
  const work = useWork();
  const [given, setGiven] = useState("");
  const [form, setForm] = useState<Form>({
    kind: "delta",
    underlyingId: market.underlyings[0]?.id ?? 1,
    kinds: UNDATED,
    from: "-0.5",
    to: "0.5",
    cost: "50",
    excess: "0",
    life: String(DAY_SEC),
  });
  const set = (more: Partial<Form>) => setForm({ ...form, ...more });
  const [from, to] = [parseSigned(form.from, 18), parseSigned(form.to, 18)];
  const [cost, excess] = [parseUnits(form.cost, 18), parseSigned(form.excess, 18)];
  const underlying = market.underlyings.find((entry) => entry.id === form.underlyingId);
  const symbol = underlying?.symbol ?? "";
  const deltaWad = deltaOf(account, form.underlyingId);
  const isOrdered = from.ok && to.ok && from.value <= to.value;
  const isDelta = form.kind === "delta";
  const tradeWad = isDelta && isOrdered ? nearest(deltaWad, from.value, to.value) : null;
  const perpWad = underlying?.perpWad || underlying?.spotWad || 0n;
  const instrument = { underlyingId: form.underlyingId, kind: PERP, expiryTs: 0, strikeE8: 0n };
  const changes = tradeWad
    ? changesOf({
        legs: [{ key: "intent", instrument, quantityWad: tradeWad, priceWad: perpWad }],
        tokens: new Map(),
        mode: KEEP_MODE,
      })
    : null;
  const preview = usePreview(app, account.id, changes);
  const intentOf = (nonce: bigint, transferCount: bigint): Intent | null => {
    if (!block || !cost.ok || !excess.ok || (isDelta && !isOrdered)) return null;
    const shared = {
      accountId: account.id,
      minExcessWad: excess.value,
      maxCostWad: cost.value,
      transferCount,
      nonce,
      expiryTs: chainNow(block) + Number(form.life),
      signer: connection.address,
    };
    if (!isDelta) return { kind: "close", intent: shared };
    if (!from.ok || !to.ok || !form.kinds) return null;
    const { underlyingId, kinds } = form;
    return {
      kind: "delta",
      intent: { ...shared, underlyingId, kinds, minDeltaWad: from.value, maxDeltaWad: to.value },
    };
  };
  const shown = intentOf(0n, 0n);
  const sign = () =>
    work.run(async () => {
      setGiven("");
      const transferCount = await readContract(app.context.client, {
        address: app.context.deployment.contracts.Accounts,
        abi: accountsAbi,
        functionName: "transferCountOf",
        args: [account.id],
      });
      const intent = intentOf(nextNonce(), transferCount);
      if (!intent) return;
      const contract = await isContract(app.context, connection.address);
      const typed = intentTypedData(app.context.deployment, intent);
      await venue.intend(wireIntent(intent, await signTyped(app.context, connection, typed, contract)));
      setGiven("Solvers can see the intent now. It is filled once and whole, or not at all.");
      onGiven();
    });
  const leftWad = account.margin ? account.margin.equityWad - account.margin.initialWad : null;
  return (
    <>
      <Segments
        label="What should be true"
        value={form.kind}
        options={[
          ["delta", "Delta within bounds"],
          ["close", "Close before a margin call"],
        ]}
        onChange={(kind) => set({ kind })}
      />
      {isDelta && (
        <>
          <div class="fields">
            <Select
              label="Delta of"
              value={String(form.underlyingId)}
              options={market.underlyings.map((entry) => [String(entry.id), entry.symbol] as const)}
              onChange={(text) => set({ underlyingId: Number(text) })}
            />
            <Field
              label="From"
              value={form.from}
              problem={problemOf(form.from, from)}
              onInput={(text) => set({ from: text })}
            />
            <Field
              label="To"
              value={form.to}
              problem={
                problemOf(form.to, to) ?? (from.ok && to.ok && !isOrdered ? "Below the other bound." : undefined)
              }
              onInput={(text) => set({ to: text })}
            />
          </div>
          <div class="row">
            {KINDS.map(({ title }, kind) => (
              <label class="check" key={title}>
                <input
                  type="checkbox"
                  checked={(form.kinds & (1 << kind)) !== 0}
                  onChange={() => set({ kinds: form.kinds ^ (1 << kind) })}
                />
                by {title}s
              </label>
            ))}
          </div>
        </>
      )}
      <div class="fields">
        <Field
          label={isDelta ? "Left to use afterwards, at least" : "When less is left to use than"}
          value={form.excess}
          problem={problemOf(form.excess, excess)}
          onInput={(text) => set({ excess: text })}
        />
        <Field
          label="May cost at most"
          value={form.cost}
          problem={problemOf(form.cost, cost)}
          onInput={(text) => set({ cost: text })}
        />
        <Select label="Intent good for" value={form.life} options={LIVES} onChange={(life) => set({ life })} />
      </div>
      {isDelta && isOrdered && (
        <p class="small muted">
          Delta of {symbol} is {quantity(deltaWad, 18, 3)} now
          {tradeWad === null
            ? ", within these bounds: the intent waits until it leaves them."
            : `; a trade of ${quantity(tradeWad, 18, 3)} perpetuals at ${cash(perpWad)} would do. With it:`}
        </p>
      )}
      {!isDelta && leftWad !== null && excess.ok && (
        <p class="small muted">
          {cash(leftWad)} is left to use now
          {leftWad < excess.value
            ? ": a solver may close positions at once. Which ones is the solver's choice; the cost is the bound."
            : `; nothing is closed before ${cash(leftWad - excess.value)} of it is gone. Which positions then is the solver's choice; the cost is the bound.`}
        </p>
      )}
      {tradeWad !== null && isDelta && <Compare answer={preview} empty="Asking the contracts…" />}
      {shown && (
        <details>
          <summary class="small muted">What is signed as an intent</summary>
          <table>
            <tbody>
              {describeIntent(shown, symbol).map(([name, text]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{text}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
      <div>
        <button type="button" disabled={!shown || work.busy} onClick={sign}>
          {work.busy ? "Waiting for the wallet…" : "Sign the intent"}
        </button>
      </div>
      {given && <Message tone="good">{given}</Message>}
      {work.problem && <Message tone="bad">{work.problem}</Message>}
    </>
  );
}

/** An intent of the service's list, read back into words. */
function wordsOf({ kind, intent }: IntentEntry, symbolOf: (id: number) => string): string {
  if (kind === "close") return `Close when less than ${cash(BigInt(intent.minExcessWad))} is left to use`;
  const [from, to] = [quantity(BigInt(intent.minDeltaWad)), quantity(BigInt(intent.maxDeltaWad))];
  return `Delta of ${symbolOf(intent.underlyingId)} between ${from} and ${to}`;
}

export function IntentsPanel(props: Props) {
  const { app, url, account, connection, market } = props;
  const { venue } = venueAt(url);
  const block = useStore(head);
  const work = useWork();
  const [changes, setChanges] = useState(0);
  const key = `${account.id}|${block?.hash}|${changes}`;
  const explain = (thrown: unknown) => readProblem(thrown, app.context);
  const isApproved = useAnswer<{ isApproved: boolean }>(
    key,
    async () => ({ isApproved: await mayFillIntents(app.context, account.id, account.owner) }),
    explain,
  );
  const open = useAnswer<IntentEntry[]>(
    key,
    () => venue.intents(account.id),
    async (thrown) => (thrown instanceof Error ? thrown.message : String(thrown)),
  );
  const approve = () =>
    work.run(async () => {
      const call = {
        to: app.context.deployment.contracts.Accounts,
        data: approveIntents(app.context.deployment, account.id),
        label: "Let signed intents be filled",
      };
      await sendCall(app.context, connection, call);
    });
  const revoke = (nonce: string) =>
    work.run(async () => {
      const data = encodeFunctionData({ abi: exchangeAbi, functionName: "cancel", args: [BigInt(nonce)] });
      const to = app.context.deployment.contracts.Exchange;
      await sendCall(app.context, connection, { to, data, label: "Make the intent worthless on chain" });
    });
  const symbolOf = (id: number) => market.underlyings.find((entry) => entry.id === id)?.symbol ?? `#${id}`;
  const list = open.value ?? [];
  return (
    <Panel
      title="Intents for solvers"
      aside={
        isApproved.value && (
          <Chip tone={isApproved.value.isApproved ? "good" : "plain"}>
            {isApproved.value.isApproved ? "may be filled" : "not approved"}
          </Chip>
        )
      }
    >
      <div class="stack">
        <p class="small muted">
          You sign what should be true of the account; any solver trades with it to bring that about, and the contract
          measures delta, cost and margin afterwards, or undoes everything.
        </p>
        {isApproved.value?.isApproved === false && (
          <Message tone="plain">
            The contract of intents may not take quotes for this account yet. It uses the approval for signed intents
            and nothing else.{" "}
            <button type="button" class="slim" disabled={work.busy} onClick={approve}>
              Approve it for account {String(account.id)}
            </button>
          </Message>
        )}
        {list.length > 0 && (
          <table aria-label="Open intents">
            <tbody>
              {list.map((entry) => (
                <tr key={entry.signature}>
                  <th scope="row">
                    {wordsOf(entry, symbolOf)}
                    <span class="sub">for at most {cash(BigInt(entry.intent.maxCostWad))}</span>
                  </th>
                  <td class="number">
                    <SlimButton
                      label={`Revoke the intent ${wordsOf(entry, symbolOf)}`}
                      onClick={() => revoke(entry.intent.nonce)}
                    >
                      Revoke
                    </SlimButton>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {open.problem && <Message tone="bad">{open.problem}</Message>}
        {work.problem && <Message tone="bad">{work.problem}</Message>}
        <IntentForm key={String(account.id)} {...props} onGiven={() => setChanges((count) => count + 1)} />
      </div>
    </Panel>
  );
}
