/** What can go wrong with a wallet, each as one sentence. */

export type ProblemKind =
  | "none"
  | "locked"
  | "rejected"
  | "timeout"
  | "switched"
  | "wrong chain"
  | "unsupported"
  | "busy"
  | "funds"
  | "disconnected"
  | "refused"
  | "stale"
  | "offline"
  | "unknown";

export class WalletProblem extends Error {
  readonly kind: ProblemKind;

  constructor(kind: ProblemKind, sentence: string, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}

const SENTENCES: Readonly<Partial<Record<ProblemKind, string>>> = {
  none: "No wallet answers in this browser. Install one, or look at an address without a wallet.",
  locked: "The wallet is locked or shows this page no account. Unlock it and connect again.",
  rejected: "You declined in the wallet. Nothing was signed and nothing was sent.",
  busy: "The wallet already has a request open. Answer that one first.",
  unsupported: "The wallet does not know this kind of request.",
  funds: "The wallet has too little of the chain's coin to pay for the transaction.",
  disconnected: "The wallet has lost its connection to the chain.",
};

const BY_CODE: Readonly<Record<number, ProblemKind>> = {
  4001: "rejected",
  5750: "unsupported",
  4100: "locked",
  4200: "unsupported",
  [-32601]: "unsupported",
  [-32004]: "unsupported",
  4900: "disconnected",
  4901: "disconnected",
  [-32002]: "busy",
};

export function problem(kind: ProblemKind, cause?: unknown): WalletProblem {
  return new WalletProblem(kind, SENTENCES[kind] ?? "The wallet failed.", cause);
}

/** Error code and message of what a provider threw, which nests differently in every wallet. */
function inner(thrown: unknown): { codes: number[]; text: string } {
  const codes: number[] = [];
  let text = "";
  let next: unknown = thrown;
  for (let depth = 0; depth < 6 && typeof next === "object" && next !== null; depth += 1) {
    const { code, message, cause, data } = next as Record<string, unknown>;
    if (typeof code === "number") codes.push(code);
    if (!text && typeof message === "string") text = message;
    const original = typeof data === "object" && data !== null ? (data as Record<string, unknown>).originalError : null;
    next = cause ?? original;
  }
  return { codes, text };
}

/** What a provider threw, as a problem with a sentence. */
export function problemOf(thrown: unknown): WalletProblem {
  if (thrown instanceof WalletProblem) return thrown;
  const { codes, text } = inner(thrown);
  const known = codes.map((code) => BY_CODE[code]).find((kind) => kind !== undefined);
  if (known) return problem(known, thrown);
  if (/user (rejected|denied|cancel)/i.test(text)) return problem("rejected", thrown);
  if (/insufficient funds/i.test(text)) return problem("funds", thrown);
  const shown = text ? ` It says: ${text.split("\n")[0]?.slice(0, 160)}` : "";
  return new WalletProblem("unknown", `The wallet failed without a known reason.${shown}`, thrown);
}

/** A promise that is given up after a time; the wallet may still answer, and its answer is then not used. */
export async function withTimeout<T>(work: Promise<T>, limitMs: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const sentence = `The wallet did not answer ${what} within ${Math.round(limitMs / 1000)} seconds. Whatever it answers later is not used.`;
      reject(new WalletProblem("timeout", sentence));
    }, limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
