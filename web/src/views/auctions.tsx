/** Running auctions: where the price is, what a bid would do to my margin, and the bid. */
import { useState } from "preact/hooks";
import { encodeFunctionData } from "viem";
import { bidLimit, FAST_SEC, INSOLVENT_SEC, pathPoints, priceFactor } from "../auction/path.ts";
import { auctionAbi } from "../chain/abi.ts";
import { marginFrom } from "../chain/account.ts";
import { previewBid, quoteBid, type Running, readAuctions } from "../chain/auctions.ts";
import { readProblem } from "../chain/refusal.ts";
import { cash, change, decimal, duration, parseUnits, percent, WAD } from "../chain/units.ts";
import { clock, head, loaded } from "../state/app.ts";
import { useStore } from "../state/store.ts";
import { sendCall } from "../wallet/send.ts";
import { session } from "../wallet/session.ts";
import { Compare, TYPING_MS } from "./compare.tsx";
import type { ViewProps } from "./frame.tsx";
import { Chip, Field, Figures, Message, Panel, useAnswer, useWork } from "./parts.tsx";
import { Plot } from "./plot.tsx";

/** What a bid may cost more, or bring less, than was shown. */
const SLACK_BPS = 100n;
const SHOWN_SEC = 2 * 3600;
const TIME_STEPS = [300, 900, 1800, 3600, 7200, 14_400] as const;

/** Where the price is on its path. */
function PricePath({ sinceSec }: { sinceSec: number }) {
  const { at, factor } = pathPoints(Math.max(SHOWN_SEC, sinceSec));
  const here = at.map((sec, index) => {
    const next = at[index + 1] ?? Number.POSITIVE_INFINITY;
    return sinceSec >= sec && sinceSec < next ? priceFactor(sinceSec) : null;
  });
  return (
    <Plot
      label={`Price path: now ${decimal(priceFactor(sinceSec) * 100, 1)} % of the value, after ${duration(sinceSec)}`}
      x={at}
      curves={[
        { label: "path", values: factor, colour: "accent" },
        { label: "now", values: here, colour: "bad", isPoints: true },
      ]}
      xText={(sec) => duration(sec)}
      yText={(value) => `${decimal(value * 100, 0)} %`}
      height={150}
      xSteps={TIME_STEPS}
    />
  );
}

function AuctionPanel({ app, running, bidderId }: ViewProps & { running: Running; bidderId: bigint | null }) {
  const block = useStore(head);
  const wall = useStore(clock);
  const who = useStore(session);
  const [share, setShare] = useState("100");
  const work = useWork();
  const parsed = parseUnits(share, 16);
  const fractionWad = parsed.ok && parsed.value <= WAD ? parsed.value : null;
  const isMine = bidderId === running.accountId;
  const explain = (thrown: unknown) => readProblem(thrown, app.context);
  const key = `${running.accountId}|${bidderId}|${block?.hash}|${fractionWad}`;
  const quote = useAnswer(
    fractionWad ? key : "",
    fractionWad ? () => quoteBid(app.context, running.accountId, fractionWad) : null,
    explain,
    TYPING_MS,
  );
  const preview = useAnswer(
    fractionWad && bidderId !== null && !isMine ? key : "",
    fractionWad && bidderId !== null && !isMine
      ? () => previewBid(app.context, running.accountId, bidderId, fractionWad)
      : null,
    explain,
    TYPING_MS,
  );
  const now = quote.value;
  const startTs = running.solventTs || running.insolventTs;
  const sinceSec = startTs ? Math.max(wall, block?.ts ?? 0) - startTs : 0;
  const result = preview.value;
  const comparison = result
    ? { ...preview, value: { before: marginFrom(result.bidderBefore, []), after: marginFrom(result.bidderAfter, []) } }
    : { ...preview, value: null };
  const connection = who.kind === "connected" ? who.connection : null;
  const bid = () =>
    work.run(async () => {
      if (!connection || bidderId === null || !now || !fractionWad) return;
      const limit = bidLimit(now.cashWad, now.feeWad, now.isSolvent, SLACK_BPS);
      const args = [running.accountId, bidderId, fractionWad, now.isSolvent, limit] as const;
      const data = encodeFunctionData({ abi: auctionAbi, functionName: "bid", args });
      const label = `Bid for ${share} % of account ${running.accountId}`;
      await sendCall(app.context, connection, { to: app.context.deployment.contracts.Auction, data, label });
    });
  return (
    <Panel
      title={`Account ${running.accountId}`}
      aside={
        <span class="row">
          {startTs > 0 && <span>{duration(sinceSec)} running</span>}
          {now && <Chip tone={now.isSolvent ? "warn" : "bad"}>{now.isSolvent ? "solvent" : "insolvent"}</Chip>}
          {isMine && <Chip tone="bad">yours</Chip>}
        </span>
      }
    >
      <div class="stack">
        {running.solventTs > 0 && <PricePath sinceSec={sinceSec} />}
        <p class="small muted">
          {now && !now.isSolvent
            ? `An insolvent account: the bidder is paid for taking it over, more with every minute of the first ${duration(INSOLVENT_SEC)}.`
            : `A slice is sold below its value: from 98 % to 70 % in ${duration(FAST_SEC)}, then slowly to nothing in 12 h. A slice takes the same share of everything, so hedges stay whole.`}
        </p>
        <div class="fields">
          <Field
            label="Largest share to take, per cent"
            value={share}
            problem={fractionWad ? undefined : parsed.ok ? "At most 100." : parsed.problem}
            onInput={setShare}
          />
        </div>
        {quote.problem && <Message tone="warn">{quote.problem}</Message>}
        {now && (
          <Figures
            items={[
              {
                name: "Share that is sold",
                value: percent(now.fractionWad, 2),
                hint: "no more than restores the account",
              },
              {
                name: now.isSolvent ? "You pay" : "You are paid",
                value: cash(now.cashWad),
                hint: `fee ${cash(now.feeWad)}`,
              },
              ...(result
                ? [
                    {
                      name: "Gain at the mark",
                      value: change(result.profitWad),
                      hint: "value of the slice less what it costs",
                      tone: result.profitWad < 0n ? ("bad" as const) : ("good" as const),
                    },
                  ]
                : []),
            ]}
          />
        )}
        {bidderId !== null && !isMine && (
          <Compare answer={comparison} empty="Asking what the bid does to your margin…" />
        )}
        {result && !result.isAllowed && (
          <Message tone="warn">
            Your account would be below its own initial margin: take a smaller share or deposit first.
          </Message>
        )}
        <div class="row">
          <button
            type="button"
            class="main"
            disabled={!connection || !result?.isAllowed || preview.isOld || work.busy}
            onClick={bid}
          >
            {work.busy ? "Waiting for the wallet…" : "Bid"}
          </button>
          <span class="small muted">
            {isMine
              ? "An account cannot bid for itself."
              : bidderId === null
                ? "A bid needs an account of your own that takes the slice."
                : "Fails rather than cost more than 1 % above this."}
          </span>
        </div>
        {work.problem && <Message tone="bad">{work.problem}</Message>}
      </div>
    </Panel>
  );
}

export function AuctionsView({ app }: ViewProps) {
  const block = useStore(head);
  const mine = useStore(loaded);
  const answer = useAnswer(
    block?.hash ?? "",
    () => readAuctions(app.context),
    (thrown) => readProblem(thrown, app.context),
  );
  const list = answer.value ?? [];
  if (answer.problem) return <Message tone="bad">{answer.problem}</Message>;
  if (!list.length) {
    return (
      <Panel title="Auctions">
        <p class="empty">
          {answer.value
            ? "No account is being liquidated. When one falls below its maintenance margin, slices of it are sold here, and anybody with an account may bid."
            : "Reading the chain…"}
        </p>
      </Panel>
    );
  }
  return (
    <div class="grid halves">
      {list.map((running) => (
        <AuctionPanel
          key={String(running.accountId)}
          app={app}
          running={running}
          bidderId={mine?.account?.id ?? null}
        />
      ))}
    </div>
  );
}
