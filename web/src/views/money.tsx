/** Money in and out: deposit, withdraw, borrow, and the queue of withdrawals. */

import { useState } from "preact/hooks";
import { encodeFunctionData } from "viem";
import { readContract } from "viem/actions";
import { actionPreviewAbi, localTokenAbi, vaultAbi } from "../chain/abi.ts";
import { type Account, type Changes, KEEP_MODE } from "../chain/account.ts";
import type { Market, Token } from "../chain/market.ts";
import { readProblem } from "../chain/refusal.ts";
import { cash, decimal, formatUnits, parseUnits, percent, plainUnits, quantity } from "../chain/units.ts";
import { head, loaded, market } from "../state/app.ts";
import { useStore } from "../state/store.ts";
import { CONFIRMATIONS, chooseWay, deposit, type Facts, gatherFacts, type Wish } from "../wallet/deposit.ts";
import { type Call, sendCall } from "../wallet/send.ts";
import { addressOf, type Connection, session } from "../wallet/session.ts";
import { Compare, TYPING_MS, usePreview } from "./compare.tsx";
import type { ViewProps } from "./frame.tsx";
import { ModeChoice } from "./mode.tsx";
import { Field, Message, Panel, Scroll, Segments, Select, useAnswer, useWork } from "./parts.tsx";
import { QueuePanel } from "./queue.tsx";

interface Props extends ViewProps {
  readonly account: Account | null;
  readonly market: Market;
}

const toWad = (raw: bigint, decimals: number): bigint => raw * 10n ** BigInt(18 - decimals);

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

function useBalances(app: ViewProps["app"], tokens: readonly Token[]): ReadonlyMap<number, bigint> {
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

function TokenTable({ tokens, balances }: { tokens: readonly Token[]; balances: ReadonlyMap<number, bigint> }) {
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
                  </span>
                </th>
                <td class="number">
                  {balances.has(token.tokenId) ? quantity(balances.get(token.tokenId) ?? 0n, token.decimals, 4) : "–"}
                </td>
                <td class="number">{cash(token.priceWad)}</td>
                <td class="number">{token.tokenId === 0 ? "none" : percent(token.haircutWad)}</td>
                <td class="number hide-narrow">
                  {formatUnits(token.capRaw > token.heldRaw ? token.capRaw - token.heldRaw : 0n, token.decimals, 0)}
                </td>
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

const accountChoices = (account: Account | null) =>
  account === null
    ? ([["new", "a new account"]] as const)
    : ([
        ["this", `account ${account.id}`],
        ["new", "a new account"],
      ] as const);

function DepositPanel({ app, account, market, connection }: Props & { connection: Connection | null }) {
  const [tokenId, setTokenId] = useState("0");
  const [text, setText] = useState("");
  const [target, setTarget] = useState<"this" | "new">("this");
  const [mode, setMode] = useState(0);
  const work = useWork();
  const balances = useBalances(app, market.tokens);
  const token = market.tokens[Number(tokenId)];
  const amount = parseUnits(text, token?.decimals ?? 18);
  const balance = balances.get(Number(tokenId));
  const accountId = target === "this" && account ? account.id : null;
  const wish: Wish | null = token && amount.ok ? { token, amountRaw: amount.value, accountId, mode } : null;
  const facts = useAnswer<Facts>(
    connection && wish
      ? `${connection.address}|${connection.wallet.id}|${tokenId}|${amount.ok && amount.value}|${accountId}`
      : "",
    connection && wish ? () => gatherFacts(app.context, connection, wish) : null,
    (thrown) => readProblem(thrown, app.context),
    TYPING_MS,
  );
  const changes =
    token && wish && accountId !== null ? tokenChanges(token, toWad(wish.amountRaw, token.decimals)) : null;
  const preview = usePreview(app, accountId, changes);
  if (!token) return null;
  const tooMuch = amount.ok && balance !== undefined && amount.value > balance;
  const shortage = tooMuch ? `The wallet holds ${quantity(balance, token.decimals)} ${token.symbol}.` : undefined;
  const problem = text && !amount.ok ? amount.problem : shortage;
  const ready = connection && wish && facts.value && !facts.isOld && !problem;
  const way = facts.value && wish ? chooseWay({ ...facts.value, amountRaw: wish.amountRaw }) : null;
  const send = () =>
    work.run(async () => {
      if (!connection || !wish) return;
      // What was read while the person typed may have changed.
      const now = await gatherFacts(app.context, connection, wish);
      await deposit(app.context, connection, wish, now, (hash) => app.mined(hash));
      setText("");
      await app.refresh();
    });
  return (
    <Panel title="Deposit">
      <div class="stack">
        <div class="fields">
          <Select
            label="Token"
            value={tokenId}
            options={market.tokens.map((entry) => [String(entry.tokenId), entry.symbol] as const)}
            onChange={setTokenId}
          />
          <Field
            label="Amount to deposit"
            value={text}
            placeholder="0"
            problem={problem}
            onInput={setText}
            aside={
              balance ? (
                <button type="button" onClick={() => setText(plainUnits(balance, token.decimals))}>
                  All
                </button>
              ) : undefined
            }
          />
          <Select
            label="Into"
            value={account ? target : "new"}
            options={accountChoices(account)}
            onChange={setTarget}
          />
        </div>
        {accountId === null && <ModeChoice value={mode} onChange={setMode} />}
        {way && wish && (
          <div>
            <span class="label">The wallet will ask for</span>
            <ol class="steps">
              {CONFIRMATIONS[way].map((step) => (
                <li key={step}>
                  <span>{step}</span>
                </li>
              ))}
            </ol>
          </div>
        )}
        {changes && <Compare answer={preview} empty="Asking the contracts…" />}
        {facts.problem && <Message tone="bad">{facts.problem}</Message>}
        <div class="row">
          <button type="button" class="main" disabled={!ready || work.busy} onClick={send}>
            {work.busy ? "Waiting for the wallet…" : accountId === null ? "Open an account and deposit" : "Deposit"}
          </button>
          {!connection && <span class="small muted">Connect a wallet to deposit.</span>}
        </div>
        {work.problem && <Message tone="bad">{work.problem}</Message>}
      </div>
      {app.isLocal && connection && <Faucet app={app} token={token} connection={connection} />}
    </Panel>
  );
}

/** Tokens of a local chain may be made by anybody; elsewhere they are real and this is not shown. */
function Faucet({ app, token, connection }: ViewProps & { token: Token; connection: Connection }) {
  const work = useWork();
  const amount = token.tokenId === 0 ? 10_000n : 10n;
  const mint = () =>
    work.run(async () => {
      const args = [connection.address, amount * 10n ** BigInt(token.decimals)] as const;
      const data = encodeFunctionData({ abi: localTokenAbi, functionName: "mint", args });
      await sendCall(app.context, connection, { to: token.address, data, label: `Make ${amount} ${token.symbol}` });
    });
  return (
    <p class="note">
      This is a local chain: tokens cost nothing.{" "}
      <button type="button" class="slim" disabled={work.busy} onClick={mint}>
        Make {decimal(Number(amount), 0)} {token.symbol}
      </button>
      {work.problem && <span class="bad"> {work.problem}</span>}
    </p>
  );
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
function useLimits(app: ViewProps["app"], account: Account, token: Token) {
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

function WithdrawPanel({
  app,
  account,
  market,
  connection,
}: Props & { account: Account; connection: Connection | null }) {
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
  readonly account: Account;
  readonly connection: Connection | null;
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

export function MoneyView({ app }: ViewProps) {
  const state = useStore(market);
  const now = useStore(loaded);
  const who = useStore(session);
  const balances = useBalances(app, state?.tokens ?? []);
  if (!state) return <p class="empty">Reading the chain…</p>;
  const connection = who.kind === "connected" ? who.connection : null;
  const account = now?.account ?? null;
  return (
    <div class="grid halves">
      <div class="stack">
        <DepositPanel app={app} account={account} market={state} connection={connection} />
        <TokenTable tokens={state.tokens} balances={balances} />
      </div>
      <div class="stack">
        {account ? (
          <>
            <WithdrawPanel app={app} account={account} market={state} connection={connection} />
            <QueuePanel app={app} account={account} connection={connection} />
          </>
        ) : (
          <Panel title="Withdraw">
            <p class="empty">Nothing to withdraw before there is an account.</p>
          </Panel>
        )}
      </div>
    </div>
  );
}
