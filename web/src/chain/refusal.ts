/** Why a contract refused, as one sentence with both numbers. */
import { type AbiParameter, BaseError, decodeAbiParameters, type Hex, isHex } from "viem";
import type { Deployment } from "./deployment.ts";
import { cash, duration, moment, percent, quantity, short } from "./units.ts";
import { instrumentName, unpack } from "./words.ts";

/** What a sentence may need to know: names of underlyings, and the decimals of the token that was acted on. */
export interface Wording {
  readonly deployment: Deployment;
  readonly token?: { readonly symbol: string; readonly decimals: number };
}

export interface Refusal {
  /** Name of the custom error; `Error` and `Panic` are Solidity's own. */
  readonly name: string;
  readonly sentence: string;
}

type Values = Readonly<Record<string, string>>;

/** Sentences for what people meet; every other error gets the reason that its contract states. */
const SENTENCES: Readonly<Record<string, (v: Values) => string>> = {
  MarginEngine__BelowInitial: (v) =>
    `This would leave an equity of ${v.equityWad}, below the initial margin of ${v.initialWad}.`,
  Accounts__Unhealthy: (v) =>
    `This needs an account with its initial margin: an equity of ${v.equityWad} would stand below an initial margin of ${v.initialWad}.`,
  MarginEngine__EquityFell: (v) =>
    `Below its initial margin an account may only reduce risk at a fair price: this would cost ${v.observedWad}, at most ${v.limitWad} may be lost.`,
  MarginEngine__BelowMaintenance: (v) =>
    `This would leave ${v.observedWad} above the maintenance margin; at least ${v.limitWad} must remain.`,
  Accounts__InsufficientCash: (v) => `The account has ${v.observedWad} of cash, and this needs ${v.neededWad}.`,
  Accounts__InsufficientCollateral: (v) =>
    `The account has ${v.observedWad} of the token, and this needs ${v.neededWad}.`,
  Accounts__UtilisationAboveCap: (v) => `This would leave ${v.observedWad} lent out, and at most ${v.limitWad} may be.`,
  Vault__AboveOutflow: (v) =>
    `The vault lets out at most ${v.limitRaw} now, and this is ${v.observedRaw}: take less, or queue the withdrawal.`,
  Vault__CapExceeded: (v) => `The vault takes ${v.limitRaw} more of this token, and this is ${v.observedRaw}.`,
  Vault__Illiquid: (v) =>
    `The vault holds ${v.limitRaw} now, less than the ${v.observedRaw} asked for: the rest is lent out.`,
  Vault__RequestAboveHolding: (v) => `The account has ${v.limitRaw}, and the request is for ${v.observedRaw}.`,
  Vault__NotAuthorised: (v) => `${v.caller} may not act for account ${v.accountId}.`,
  Oracle__Stale: (v) =>
    `The latest prices are of ${v.observedTs}; only those after ${v.limitTs} count. Nothing that needs a price works until a new round is posted.`,
  Exchange__OrderExpired: (v) => `The order was good until ${v.observedTs}, and it is ${v.limitTs}.`,
  Exchange__Overfilled: (v) => `The order has ${v.limitWad} left, and this fill is of ${v.observedWad}.`,
  Exchange__PriceAboveLimit: (v) => `The price is ${v.observedWad}, above the limit of ${v.limitWad}.`,
  Exchange__PriceBelowLimit: (v) => `The price is ${v.observedWad}, below the limit of ${v.limitWad}.`,
  Exchange__FeeAboveLimit: (v) =>
    `The fee is ${v.observedWad} of the trade, above the ${v.limitWad} that was accepted.`,
  Auction__LimitMissed: (v) =>
    `The bid would move ${v.observedWad} of cash, beyond your limit of ${v.limitWad}: the price has moved.`,
  Auction__BidderBelowInitial: (v) =>
    `Your account would have an equity of ${v.equityWad} after this bid, below its initial margin of ${v.initialWad}.`,
  Auction__NotLiquidatable: (v) =>
    `The account has an equity of ${v.equityWad}, not below its maintenance margin of ${v.maintenanceWad}.`,
  ERC20InsufficientBalance: (v) => `The wallet holds ${v.balance} of the token, and this needs ${v.needed}.`,
  ERC20InsufficientAllowance: (v) => `The token's allowance is ${v.allowance}, and this needs ${v.needed}.`,
};

/** Fees are shares, not cash. */
const SHARES = new Set(["Exchange__FeeAboveLimit", "Exchange__FeeAboveCap"]);
const RAW_NAMES = new Set(["balance", "needed", "allowance"]);

function tokenAmount(value: bigint, wording: Wording): string {
  return wording.token ? `${quantity(value, wording.token.decimals)} ${wording.token.symbol}` : `${value} raw units`;
}

/** One argument in the unit that the end of its name states. */
function show(error: string, name: string, value: unknown, wording: Wording): string {
  if (typeof value === "number") return show(error, name, BigInt(value), wording);
  if (typeof value !== "bigint") return typeof value === "string" && value.length === 42 ? short(value) : String(value);
  if (name.endsWith("LnWad")) return percent(value);
  if (name.endsWith("Wad")) return SHARES.has(error) ? percent(value, 3) : cash(value);
  if (name.endsWith("Raw") || RAW_NAMES.has(name)) return tokenAmount(value, wording);
  if (name.endsWith("Ts")) return moment(Number(value));
  if (name.endsWith("Sec")) return duration(Number(value));
  if (name.endsWith("E6")) return percent(value * 10n ** 12n, 2);
  if (name.endsWith("Bps")) return percent(value * 10n ** 14n, 2);
  if (name.toLowerCase().endsWith("instrument")) {
    const found = unpack(value);
    return instrumentName(found, wording.deployment.underlyings.get(found.underlyingId) ?? `#${found.underlyingId}`);
  }
  return value.toString();
}

const UNIT = /(LnWad|Wad|Raw|Ts|Sec|E6|E8|Bps)$/;

/** `limitWad` as `limit`, `neededRaw` as `needed`, `nextId` as `next id`. */
const spoken = (name: string): string =>
  name
    .replace(UNIT, "")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase();

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** A name that has no reason, as words: `FailedCall` as `failed call`. */
const words = (name: string): string =>
  name
    .replace(/^\w+?__/, "")
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase();

const PANICS: Readonly<Record<string, string>> = {
  "17": "a number left its range",
  "18": "a division by zero",
  "50": "an entry that a list does not have",
};

/** The refusal behind revert data; loads the table of errors the first time. */
export async function decodeRefusal(data: Hex, wording: Wording): Promise<Refusal> {
  const selector = data.slice(0, 10);
  const body = `0x${data.slice(10)}` as Hex;
  if (data === "0x" || data.length < 10) return { name: "", sentence: "The contract refused and gave no reason." };
  if (selector === "0x08c379a0") {
    const [text] = decodeAbiParameters([{ type: "string" }], body);
    return { name: "Error", sentence: `The contract refused: ${text}.` };
  }
  if (selector === "0x4e487b71") {
    const [code] = decodeAbiParameters([{ type: "uint256" }], body);
    const what = PANICS[code.toString()] ?? `code ${code}`;
    return { name: "Panic", sentence: `The contract stopped at ${what}; that is a defect worth reporting.` };
  }
  const { errorTable } = await import("./errors.ts");
  const entry = errorTable[selector];
  if (!entry)
    return { name: selector, sentence: `The contract refused with an error that is not known here (${selector}).` };
  const [name, reason, parameters] = entry;
  const decoded = decodeAbiParameters(
    parameters.map(([, type]) => ({ type }) as AbiParameter),
    body,
  );
  const values = Object.fromEntries(
    parameters.map(([argument], index) => [argument, show(name, argument, decoded[index], wording)]),
  );
  const own = SENTENCES[name];
  if (own) return { name, sentence: own(values) };
  const numbers = Object.entries(values).map(([argument, text]) => `${spoken(argument)} ${text}`);
  const tail = numbers.length ? ` (${numbers.join(", ")})` : "";
  return { name, sentence: `Refused: ${reason || words(name)}${tail}.` };
}

/** Revert data inside whatever a node, a wallet or viem threw; null when it was no refusal of a contract. */
export function revertData(thrown: unknown): Hex | null {
  const seen = new Set<unknown>();
  const queue: unknown[] = [thrown];
  while (queue.length) {
    const next = queue.shift();
    if (typeof next !== "object" || next === null || seen.has(next)) continue;
    seen.add(next);
    const { data, raw, cause, error, originalError } = next as Record<string, unknown>;
    for (const candidate of [raw, data]) if (isHex(candidate)) return candidate;
    queue.push(data, cause, error, originalError);
    if (next instanceof BaseError) queue.push(next.walk());
  }
  return null;
}

/** A sentence for anything that went wrong while reading from the chain. */
export async function readProblem(thrown: unknown, wording: Wording): Promise<string> {
  const data = revertData(thrown);
  if (data) return (await decodeRefusal(data, wording)).sentence;
  return "The node does not answer. What is shown may be old; it is read again as soon as the node is back.";
}

export { capital };
