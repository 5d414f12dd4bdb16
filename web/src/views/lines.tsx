/** Guarantee lines: who stands for this account, and for whom it stands with cash that is set aside. */
import { useState } from "preact/hooks";
import { encodeFunctionData } from "viem";
import { guaranteesAbi } from "../chain/abi.ts";
import { KEEP_MODE } from "../chain/account.ts";
import { countedOf, type Guarantee, readGuarantees } from "../chain/lines.ts";
import { readProblem } from "../chain/refusal.ts";
import { cash, DAY_SEC, moment, parseUnits } from "../chain/units.ts";
import { head } from "../state/app.ts";
import { useStore } from "../state/store.ts";
import type { Call } from "../wallet/send.ts";
import { Compare, usePreview } from "./compare.tsx";
import { type ControlProps, SendButton } from "./control.tsx";
import { LIVES } from "./keys.tsx";
import { Field, Message, Panel, Select, useAnswer } from "./parts.tsx";

/** For how long before its end a line fades: long enough for an auction to find a bidder. */
const RAMPS = [
  ["900", "15 minutes"],
  ["86400", "1 day"],
  ["604800", "7 days"],
] as const;
/** Accounts 0 and 1 are the protocol's own. */
const FIRST_ID = 2n;

/** The id of another account as somebody typed it, or what is wrong with it. */
function otherAccount(text: string, own: bigint): { id: bigint | null; problem: string | undefined } {
  if (text === "") return { id: null, problem: undefined };
  if (!/^\d{1,9}$/.test(text)) return { id: null, problem: "Enter the number of an account." };
  const id = BigInt(text);
  if (id < FIRST_ID) return { id: null, problem: "Accounts 0 and 1 are the protocol's own." };
  if (id === own) return { id: null, problem: "An account cannot stand for itself." };
  return { id, problem: undefined };
}

type Act = (functionName: "release" | "settle", line: Guarantee) => () => Call;

function InviteForm({ app, account, connection, invitedId }: ControlProps & { invitedId: bigint }) {
  const [sponsor, setSponsor] = useState("");
  const { id, problem } = otherAccount(sponsor, account.id);
  const call = (): Call => ({
    to: app.context.deployment.contracts.Guarantees,
    data: encodeFunctionData({ abi: guaranteesAbi, functionName: "invite", args: [account.id, id ?? 0n] }),
    label: `Invite account ${sponsor}`,
  });
  return (
    <div class="stack">
      <Field label="Account that may give a line" value={sponsor} problem={problem} onInput={setSponsor} />
      <div class="row">
        <SendButton
          app={app}
          connection={connection}
          call={id === null ? null : call}
          isMain
          onSent={() => setSponsor("")}
        >
          Invite a sponsor
        </SendButton>
        {invitedId !== 0n && <span class="small muted">Account {String(invitedId)} is invited now.</span>}
      </div>
    </div>
  );
}

function GiveForm({ app, account, connection }: ControlProps) {
  const block = useStore(head);
  const [beneficiary, setBeneficiary] = useState("");
  const [amountText, setAmountText] = useState("");
  const [days, setDays] = useState<string>("30");
  const [ramp, setRamp] = useState<string>("86400");
  const { id, problem } = otherAccount(beneficiary, account.id);
  const amount = amountText ? parseUnits(amountText, 18) : null;
  const tooMuch = amount?.ok && amount.value > account.cashWad;
  const tooShort = Number(ramp) > Number(days) * DAY_SEC;
  const amountProblem =
    amount && !amount.ok ? amount.problem : tooMuch ? `The account has ${cash(account.cashWad)} of cash.` : undefined;
  const value = amount?.ok && !tooMuch ? amount.value : null;
  const changes = value
    ? { mode: KEEP_MODE, cashDeltaWad: -value, tokenIds: [], amountDeltasWad: [], positions: [] }
    : null;
  const preview = usePreview(app, account.id, changes);
  const ready = id !== null && value !== null && !tooShort && block !== null;
  const call = (): Call => {
    const endTs = (block?.ts ?? 0) + Number(days) * DAY_SEC;
    const args = [account.id, id ?? 0n, value ?? 0n, endTs, Number(ramp)] as const;
    const data = encodeFunctionData({ abi: guaranteesAbi, functionName: "give", args });
    const label = `Stand for account ${beneficiary} with ${cash(value ?? 0n)}`;
    return { to: app.context.deployment.contracts.Guarantees, data, label };
  };
  return (
    <div class="stack">
      <div class="fields">
        <Field label="Account to stand for" value={beneficiary} problem={problem} onInput={setBeneficiary} />
        <Field label="Cash to set aside" value={amountText} problem={amountProblem} onInput={setAmountText} />
        <Select label="For" value={days} options={LIVES} onChange={setDays} />
        <Select label="Fades in the last" value={ramp} options={RAMPS} onChange={setRamp} />
      </div>
      {tooShort && <Message tone="bad">A line must last at least as long as it fades out.</Message>}
      {changes && <Compare answer={preview} empty="Asking the contracts…" />}
      <p class="small muted">
        All of it can be lost: the other account may borrow against it, and its losses are paid from it. Its owner has
        to invite this account first.
      </p>
      <div>
        <SendButton
          app={app}
          connection={connection}
          call={ready ? call : null}
          isMain
          onSent={() => setAmountText("")}
        >
          Give the line
        </SendButton>
      </div>
    </div>
  );
}

function LineRow(props: ControlProps & { line: Guarantee; nowTs: number; isGiven: boolean; act: Act }) {
  const { app, connection, line, nowTs, isGiven, act } = props;
  const other = isGiven ? line.beneficiaryId : line.sponsorId;
  const isOver = line.endTs <= nowTs;
  return (
    <div class="row" style="justify-content:space-between">
      <div>
        <strong>{isGiven ? `For account ${other}` : `By account ${other}`}</strong>{" "}
        <span class="muted small">
          {isOver ? "ended" : "until"} {moment(line.endTs)}
        </span>
        <p class="small muted">
          holds {cash(line.heldWad)}, counts {cash(countedOf(line, nowTs))}
          {isOver ? "" : `, less from ${moment(line.endTs - line.rampSec)} on`}
        </p>
      </div>
      {isOver ? (
        <SendButton app={app} connection={connection} call={act("settle", line)}>
          {isGiven ? "Take back" : "Settle"}
        </SendButton>
      ) : (
        !isGiven && (
          <SendButton app={app} connection={connection} call={act("release", line)}>
            Release
          </SendButton>
        )
      )}
    </div>
  );
}

export function LinesPanel(props: ControlProps) {
  const { app, account } = props;
  const block = useStore(head);
  const answer = useAnswer(
    `${account.id}|${block?.hash}`,
    () => readGuarantees(app.context, account.id),
    (thrown) => readProblem(thrown, app.context),
  );
  const act: Act = (functionName, line) => () => ({
    to: app.context.deployment.contracts.Guarantees,
    data: encodeFunctionData({ abi: guaranteesAbi, functionName, args: [line.id] }),
    label: functionName === "release" ? `Release the line of account ${line.sponsorId}` : "Settle a guarantee line",
  });
  const nowTs = block?.ts ?? 0;
  const { received, given, invitedId } = answer.value ?? { received: [], given: [], invitedId: 0n };
  return (
    <Panel title="Guarantee lines">
      <div class="stack">
        <p class="small muted">
          A sponsor sets cash aside for another account until a time: it fills up what that account lacks of its
          margins, and pays its losses before the insurance fund does. What is left goes back to the sponsor.
        </p>
        {answer.problem && <Message tone="bad">{answer.problem}</Message>}
        {received.map((line) => (
          <LineRow key={String(line.id)} {...props} line={line} nowTs={nowTs} isGiven={false} act={act} />
        ))}
        {given.map((line) => (
          <LineRow key={String(line.id)} {...props} line={line} nowTs={nowTs} isGiven act={act} />
        ))}
        <InviteForm {...props} invitedId={invitedId} />
        <GiveForm {...props} />
      </div>
    </Panel>
  );
}
