/** A deposit: what the wallet will be asked, and the margin before and after. */
import { useState } from "preact/hooks";
import { encodeFunctionData } from "viem";
import { localTokenAbi } from "../chain/abi.ts";
import type { Account } from "../chain/account.ts";
import type { Market, Token } from "../chain/market.ts";
import { readProblem } from "../chain/refusal.ts";
import { decimal, parseUnits, plainUnits, quantity } from "../chain/units.ts";
import { CONFIRMATIONS, chooseWay, deposit, type Facts, gatherFacts, type Wish } from "../wallet/deposit.ts";
import { sendCall } from "../wallet/send.ts";
import type { Connection } from "../wallet/session.ts";
import { Compare, TYPING_MS, usePreview } from "./compare.tsx";
import type { ViewProps } from "./frame.tsx";
import { ModeChoice } from "./mode.tsx";
import { Field, Message, Panel, Select, useAnswer, useWork } from "./parts.tsx";
import { tokenChanges, toWad, useBalances } from "./tokens.tsx";

interface Props extends ViewProps {
  readonly account: Account | null;
  readonly market: Market;
  readonly connection: Connection | null;
  /** Whether it is known which accounts there are: before that a deposit would seem to open another one. */
  readonly isKnown: boolean;
}

const accountChoices = (account: Account | null) =>
  account === null
    ? ([["new", "a new account"]] as const)
    : ([
        ["this", `account ${account.id}`],
        ["new", "a new account"],
      ] as const);

export function DepositPanel({ app, account, market, connection, isKnown }: Props) {
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
  const ready = isKnown && connection && wish && facts.value && !facts.isOld && !problem;
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
            {work.busy
              ? "Waiting for the wallet…"
              : !isKnown
                ? "Reading the chain…"
                : accountId === null
                  ? "Open an account and deposit"
                  : "Deposit"}
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
