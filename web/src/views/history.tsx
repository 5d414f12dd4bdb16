/** What happened to the account, from the events of the contracts. */
import { readHistory } from "../chain/history.ts";
import { readProblem } from "../chain/refusal.ts";
import { change, moment, short } from "../chain/units.ts";
import { head, loaded } from "../state/app.ts";
import { useStore } from "../state/store.ts";
import type { ViewProps } from "./frame.tsx";
import { Message, Panel, Scroll, signTone, useAnswer } from "./parts.tsx";

export function HistoryView({ app }: ViewProps) {
  const now = useStore(loaded);
  const block = useStore(head);
  const account = now?.account ?? null;
  const answer = useAnswer(
    account ? `${account.id}|${block?.hash}` : "",
    account ? () => readHistory(app.context, account.id) : null,
    (thrown) => readProblem(thrown, app.context),
  );
  if (!account) {
    return (
      <Panel title="History">
        <p class="empty">Without an account there is no history.</p>
      </Panel>
    );
  }
  const entries = answer.value ?? [];
  return (
    <Panel title={`History of account ${account.id}`} aside="from the contracts' events, newest first">
      {answer.problem && <Message tone="bad">{answer.problem}</Message>}
      <Scroll label="History">
        <table>
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col" class="number">
                Cash
              </th>
              <th scope="col" class="hide-narrow">
                When
              </th>
              <th scope="col" class="hide-narrow">
                Transaction
              </th>
            </tr>
          </thead>
          <tbody>
            {entries.map((entry, index) => (
              <tr key={`${entry.hash}${entries.length - index}`}>
                <th scope="row" class={entry.tone === "warn" ? "warn" : ""}>
                  {entry.title}
                  <span class="sub">
                    {entry.detail}
                    {entry.ts > 0 && <span class="only-narrow"> · {moment(entry.ts)}</span>}
                  </span>
                </th>
                <td class={`number ${signTone(entry.cashWad ?? 0n)}`}>
                  {entry.cashWad === null ? "" : change(entry.cashWad)}
                </td>
                <td class="hide-narrow muted" style="white-space:nowrap">
                  {entry.ts ? moment(entry.ts) : ""}
                </td>
                <td class="hide-narrow muted">{short(entry.hash)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {!answer.value && !answer.problem && <p class="empty">Reading events…</p>}
    </Panel>
  );
}
