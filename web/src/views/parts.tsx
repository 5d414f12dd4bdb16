/** Small parts that several views share. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

export type Tone = "plain" | "good" | "warn" | "bad";

const toneClass = (tone: Tone): string => (tone === "plain" ? "" : ` ${tone}-tone`);

export function Panel(props: { title: string; aside?: ComponentChildren; children: ComponentChildren }) {
  const id = useId();
  return (
    <section class="panel" aria-labelledby={id}>
      <header>
        <h2 id={id}>{props.title}</h2>
        {props.aside !== undefined && <div class="small muted">{props.aside}</div>}
      </header>
      {props.children}
    </section>
  );
}

/** A sentence that matters now; announced to screen readers when it appears. */
export function Message(props: { tone: Tone; children: ComponentChildren; onClose?: () => void }) {
  return (
    <div class={`message${toneClass(props.tone)}`} role={props.tone === "bad" ? "alert" : "status"}>
      <div>{props.children}</div>
      {props.onClose && (
        <button type="button" class="plain slim" onClick={props.onClose}>
          Close
        </button>
      )}
    </div>
  );
}

export function Chip(props: { tone: Tone; children: ComponentChildren }) {
  return <span class={`chip${toneClass(props.tone)}`}>{props.children}</span>;
}

export interface Figure {
  readonly name: string;
  readonly value: ComponentChildren;
  readonly hint?: string;
  readonly tone?: Tone;
  readonly large?: boolean;
}

export function Figures(props: { items: readonly Figure[] }) {
  return (
    <dl class="figures">
      {props.items.map(({ name, value, hint, tone = "plain", large = false }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class={`${large ? "large" : ""}${tone === "plain" ? "" : ` ${tone}`}`}>
            {value}
            {hint && <small>{hint}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** A table that scrolls by itself where it is wider than the screen; reachable by keyboard for that. */
export function Scroll(props: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would bring its own frame
    <div class="scroll" tabIndex={0} role="group" aria-label={props.label}>
      {props.children}
    </div>
  );
}

export function Field(props: {
  label: string;
  value: string;
  onInput: (value: string) => void;
  problem?: string | undefined;
  placeholder?: string;
  aside?: ComponentChildren;
  /** Letters as well as digits. */
  isText?: boolean;
}) {
  const id = useId();
  return (
    <div>
      <label for={id}>{props.label}</label>
      <div class="with-button">
        <input
          id={id}
          type="text"
          inputMode={props.isText ? "text" : "decimal"}
          autoComplete="off"
          spellcheck={false}
          value={props.value}
          placeholder={props.placeholder}
          aria-invalid={props.problem ? "true" : undefined}
          aria-describedby={props.problem ? `${id}-problem` : undefined}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
        {props.aside}
      </div>
      {props.problem && (
        <p id={`${id}-problem`} class="small bad">
          {props.problem}
        </p>
      )}
    </div>
  );
}

export function Select<T extends string>(props: {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}) {
  const id = useId();
  return (
    <div>
      <label for={id}>{props.label}</label>
      <select id={id} value={props.value} onChange={(event) => props.onChange(event.currentTarget.value as T)}>
        {props.options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

export function Segments<T extends string>(props: {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would bring its own frame
    <div class="segments" role="group" aria-label={props.label}>
      {props.options.map(([value, text]) => (
        <button
          key={value}
          type="button"
          class="slim"
          aria-pressed={value === props.value}
          onClick={() => props.onChange(value)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

export interface Work {
  readonly busy: boolean;
  readonly problem: string;
  readonly run: (work: () => Promise<void>) => Promise<void>;
  readonly clear: () => void;
}

/** One thing at a time, and what went wrong with it as a sentence. */
export function useWork(): Work {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const running = useRef(false);
  const run = async (work: () => Promise<void>) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setProblem("");
    try {
      await work();
    } catch (thrown) {
      setProblem(thrown instanceof Error ? thrown.message : String(thrown));
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return { busy, problem, run, clear: () => setProblem("") };
}

export interface Answer<T> {
  readonly value: T | null;
  readonly problem: string;
  readonly isOld: boolean;
}

/**
 * The answer to a question that is asked anew when its key changes; an answer to an older question is never shown as
 * one to a newer. A pause before asking keeps typing from becoming traffic.
 */
export function useAnswer<T>(
  key: string,
  ask: (() => Promise<T>) | null,
  explain: (thrown: unknown) => Promise<string>,
  pauseMs = 0,
): Answer<T> {
  const [answer, setAnswer] = useState<{ key: string; value: T | null; problem: string }>({
    key: "",
    value: null,
    problem: "",
  });
  const latest = useRef({ ask, explain });
  latest.current = { ask, explain };
  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(() => {
      const { ask: question, explain: words } = latest.current;
      if (!question) return setAnswer({ key, value: null, problem: "" });
      question()
        .then((value) => isCurrent && setAnswer({ key, value, problem: "" }))
        .catch(async (thrown: unknown) => {
          const problem = await words(thrown);
          if (isCurrent) setAnswer((before) => ({ key, value: before.value, problem }));
        });
    }, pauseMs);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [key, pauseMs]);
  return { value: answer.value, problem: answer.key === key ? answer.problem : "", isOld: answer.key !== key };
}

/** A button with what it is for in words, for tables. */
export function SlimButton(props: { onClick: () => void; label: string; children: ComponentChildren }): JSX.Element {
  return (
    <button type="button" class="slim" aria-label={props.label} onClick={props.onClick}>
      {props.children}
    </button>
  );
}

/** Gain and loss by sign. */
export const signTone = (value: bigint): string => (value > 0n ? "good" : value < 0n ? "bad" : "");
