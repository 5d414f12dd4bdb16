/** Protection of a market maker: the service pulls all quotes of an account when too much of them fills at once. */
import { useState } from "preact/hooks";
import type { Account } from "../chain/account.ts";
import { decimal, parseUnits, plainUnits, quantity, toFloat } from "../chain/units.ts";
import { useStore } from "../state/store.ts";
import type { Protection, ProtectionView } from "../venue/client.ts";
import type { Connection } from "../wallet/session.ts";
import { Chip, Field, Message, Panel, useAnswer, useWork } from "./parts.tsx";
import { loggedIn, venueAt } from "./venue-state.ts";

interface Props {
  readonly url: string;
  readonly account: Account;
  readonly connection: Connection;
  /** Changes when fills do: a fill may have tripped the protection. */
  readonly fills: number;
}

/** Vega counts for a whole 1.00 of volatility on chain, and people say points. */
const POINTS = 100n;
const MS_DECIMALS = 3;

interface Form {
  readonly windowSec: string;
  readonly fills: string;
  readonly delta: string;
  readonly vega: string;
}

const textOf = (wad: string | null | undefined, per = 1n): string =>
  wad == null ? "" : plainUnits(BigInt(wad) / per, 18);

const formOf = (found: Protection | null): Form => ({
  windowSec: found ? plainUnits(BigInt(found.windowMs), MS_DECIMALS) : "10",
  fills: found?.maxFills == null ? "" : String(found.maxFills),
  delta: textOf(found?.maxDeltaWad),
  vega: textOf(found?.maxVegaWad, POINTS),
});

type Bound = { ok: true; value: bigint | null } | { ok: false; problem: string };
const bound = (text: string, decimals: number): Bound =>
  text.trim() === "" ? { ok: true, value: null } : parseUnits(text, decimals);

function boundsText({ windowMs, maxFills, maxDeltaWad, maxVegaWad }: Protection): string {
  const parts = [
    maxFills == null ? "" : `more than ${maxFills} fills`,
    maxDeltaWad == null ? "" : `a delta beyond ${quantity(BigInt(maxDeltaWad))}`,
    maxVegaWad == null ? "" : `a vega beyond ${decimal(toFloat(BigInt(maxVegaWad)) / Number(POINTS), 2)} a point`,
  ].filter((part) => part !== "");
  return `${parts.join(" or ")} within ${windowMs / 1000} s`;
}

function ProtectionForm({
  accountId,
  found,
  onSet,
}: {
  accountId: bigint;
  found: Protection | null;
  onSet: (wanted: Protection) => Promise<void>;
}) {
  const work = useWork();
  const [form, setForm] = useState<Form>(formOf(found));
  const set = (more: Partial<Form>) => setForm({ ...form, ...more });
  const windowMs = parseUnits(form.windowSec, MS_DECIMALS);
  const fills = bound(form.fills, 0);
  const delta = bound(form.delta, 18);
  const vega = bound(form.vega, 18);
  const isEmpty = [fills, delta, vega].every((entry) => entry.ok && entry.value === null);
  const wanted: Protection | null =
    windowMs.ok && fills.ok && delta.ok && vega.ok && !isEmpty
      ? {
          accountId: Number(accountId),
          windowMs: Number(windowMs.value),
          maxFills: fills.value === null ? null : Number(fills.value),
          maxDeltaWad: delta.value?.toString() ?? null,
          maxVegaWad: vega.value === null ? null : (vega.value * POINTS).toString(),
        }
      : null;
  const problemOf = (entry: { ok: true } | { ok: false; problem: string }) => (entry.ok ? undefined : entry.problem);
  return (
    <>
      <div class="fields">
        <Field
          label="Window, seconds"
          value={form.windowSec}
          problem={problemOf(windowMs)}
          onInput={(windowSec) => set({ windowSec })}
        />
        <Field
          label="Most fills"
          value={form.fills}
          placeholder="no bound"
          problem={problemOf(fills)}
          onInput={(text) => set({ fills: text })}
        />
        <Field
          label="Most delta"
          value={form.delta}
          placeholder="no bound"
          problem={problemOf(delta)}
          onInput={(text) => set({ delta: text })}
        />
        <Field
          label="Most vega a point"
          value={form.vega}
          placeholder="no bound"
          problem={problemOf(vega)}
          onInput={(text) => set({ vega: text })}
        />
      </div>
      {wanted && (
        <p class="small">
          After {boundsText(wanted)} every order of this account is pulled, and none is taken until you set this again.
        </p>
      )}
      <div>
        <button
          type="button"
          disabled={!wanted || work.busy}
          onClick={() =>
            work.run(async () => {
              if (wanted) await onSet(wanted);
            })
          }
        >
          Set the protection
        </button>
      </div>
      {work.problem && <Message tone="bad">{work.problem}</Message>}
    </>
  );
}

export function ProtectionPanel({ url, account, connection, fills }: Props) {
  const who = useStore(loggedIn);
  const { venue } = venueAt(url);
  const [changes, setChanges] = useState(0);
  const isIn = who === connection.address;
  const answer = useAnswer<{ found: ProtectionView | null }>(
    isIn ? `${account.id}|${changes}|${fills}` : "",
    isIn ? async () => ({ found: await venue.protection(account.id) }) : null,
    async (thrown) => (thrown instanceof Error ? thrown.message : String(thrown)),
  );
  if (!isIn) return null;
  const found = answer.value?.found ?? null;
  const set = async (wanted: Protection) => {
    await venue.protect(wanted);
    setChanges((count) => count + 1);
  };
  return (
    <Panel
      title="Protection of quotes"
      aside={
        <Chip tone={found?.isTripped ? "bad" : found ? "good" : "plain"}>
          {found?.isTripped ? "tripped" : found ? "on" : "none"}
        </Chip>
      }
    >
      <div class="stack">
        <p class="small muted">
          Bounds of the order service for who quotes both sides: it costs nothing and signs nothing. A fill that passes
          one pulls the rest of the quotes before the next meets them; what is on its way to the chain by then goes on.
        </p>
        {found?.isTripped && (
          <Message tone="warn">
            The protection has tripped and the account's orders were pulled: {found.reason}. Set it again to quote on.
          </Message>
        )}
        {answer.problem && <Message tone="bad">{answer.problem}</Message>}
        {answer.value && (
          <ProtectionForm
            key={JSON.stringify(found?.protection ?? null)}
            accountId={account.id}
            found={found?.protection ?? null}
            onSet={set}
          />
        )}
      </div>
    </Panel>
  );
}
