/** The margin before and after something that is only tried, side by side. */
import { type Changes, type Comparison, previewChanges, STATES } from "../chain/account.ts";
import { readProblem } from "../chain/refusal.ts";
import { cash, change } from "../chain/units.ts";
import { head } from "../state/app.ts";
import { useStore } from "../state/store.ts";
import type { ViewProps } from "./frame.tsx";
import { type Answer, Message, signTone, useAnswer } from "./parts.tsx";

/** A person types a number in less time than this between two digits. */
export const TYPING_MS = 250;

const text = (changes: Changes): string =>
  JSON.stringify(changes, (_, value) => (typeof value === "bigint" ? value.toString() : value));

/** The contracts' own answer to hypothetical changes, asked again with every block. */
export function usePreview(app: ViewProps["app"], id: bigint | null, changes: Changes | null): Answer<Comparison> {
  const block = useStore(head);
  const key = id === null || changes === null ? "" : `${id}|${block?.hash}|${text(changes)}`;
  const ask = id === null || changes === null ? null : () => previewChanges(app.context, id, changes);
  return useAnswer(key, ask, (thrown) => readProblem(thrown, app.context), TYPING_MS);
}

interface Line {
  readonly name: string;
  readonly before: bigint;
  readonly after: bigint;
  /** Whether more is better. */
  readonly isGood: boolean;
}

const linesOf = ({ before, after }: Comparison): readonly Line[] => [
  { name: "Equity", before: before.equityWad, after: after.equityWad, isGood: true },
  { name: "Initial margin", before: before.initialWad, after: after.initialWad, isGood: false },
  {
    name: "Left to use",
    before: before.equityWad - before.initialWad,
    after: after.equityWad - after.initialWad,
    isGood: true,
  },
  { name: "Maintenance margin", before: before.maintenanceWad, after: after.maintenanceWad, isGood: false },
  {
    name: "Cushion",
    before: before.equityWad - before.maintenanceWad,
    after: after.equityWad - after.maintenanceWad,
    isGood: true,
  },
];

export function Compare({ answer, empty }: { answer: Answer<Comparison>; empty: string }) {
  if (answer.problem) return <Message tone="bad">{answer.problem}</Message>;
  if (!answer.value) return <p class="empty">{empty}</p>;
  const { before, after } = answer.value;
  return (
    <div aria-busy={answer.isOld} aria-live="polite">
      <table>
        <caption class="visually-hidden">Margin before and after</caption>
        <thead>
          <tr>
            <th scope="col">Margin</th>
            <th scope="col" class="number">
              before
            </th>
            <th scope="col" class="number">
              after
            </th>
            <th scope="col" class="number hide-narrow">
              change
            </th>
          </tr>
        </thead>
        <tbody>
          {linesOf(answer.value).map((line) => {
            const exact = line.after - line.before;
            // What rounds to nothing is no change, and has no colour.
            const difference = cash(exact) === cash(0n) ? 0n : exact;
            return (
              <tr key={line.name}>
                <th scope="row">{line.name}</th>
                <td class="number">{cash(line.before)}</td>
                <td class={`number ${line.after < 0n ? "bad" : ""}`}>{cash(line.after)}</td>
                <td class={`number hide-narrow ${signTone(line.isGood ? difference : -difference)}`}>
                  {difference === 0n ? "" : change(difference)}
                </td>
              </tr>
            );
          })}
          <tr>
            <th scope="row">State</th>
            <td class="number">{STATES[before.state]}</td>
            <td class={`number ${after.state === 0 ? "" : after.state === 1 ? "warn" : "bad"}`}>
              {STATES[after.state]}
            </td>
            <td class="hide-narrow" />
          </tr>
        </tbody>
      </table>
    </div>
  );
}
