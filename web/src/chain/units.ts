/** Numbers of the chain as a person reads them, and back. Integers stay integers: no amount passes through a float. */

export const WAD = 10n ** 18n;
export const DAY_SEC = 86_400;
export const YEAR_SEC = 365 * DAY_SEC;

const GROUP = /\B(?=(\d{3})+(?!\d))/g;

/** An integer of `decimals` decimals with `digits` of them, rounded to the nearest, thousands apart. */
export function formatUnits(value: bigint, decimals: number, digits: number): string {
  const step = 10n ** BigInt(Math.max(0, decimals - digits));
  const size = value < 0n ? -value : value;
  const rounded = (size + step / 2n) / step;
  const shown = Math.min(digits, decimals);
  const text = rounded.toString().padStart(shown + 1, "0");
  const whole = (shown ? text.slice(0, -shown) : text).replace(GROUP, ",");
  const sign = value < 0n && rounded > 0n ? "−" : "";
  return shown ? `${sign}${whole}.${text.slice(-shown)}` : sign + whole;
}

/** Cash, to the cent. */
export const cash = (valueWad: bigint): string => formatUnits(valueWad, 18, 2);

/** Cash with a sign that is always there: what changes. */
export const change = (valueWad: bigint): string => (valueWad > 0n ? `+${cash(valueWad)}` : cash(valueWad));

/** A quantity with as many decimals as it has, up to `most`. */
export function quantity(value: bigint, decimals = 18, most = 6): string {
  const text = formatUnits(value, decimals, most);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** A share, wad, as per cent. */
export const percent = (shareWad: bigint, digits = 1): string => `${formatUnits(shareWad * 100n, 18, digits)} %`;

/** A float with a fixed number of decimals, thousands apart; for what the page derives for display alone. */
export function decimal(value: number, digits: number): string {
  if (!Number.isFinite(value)) return "–";
  const text = Math.abs(value).toFixed(digits);
  const [whole = "0", part] = text.split(".");
  const sign = value < 0 && Number(text) !== 0 ? "−" : "";
  return sign + whole.replace(GROUP, ",") + (part ? `.${part}` : "");
}

/** A wad as a float, for widths, colours and curves; never for an amount that is sent. */
export const toFloat = (valueWad: bigint): number => Number(valueWad) / 1e18;

export type Parsed = { ok: true; value: bigint } | { ok: false; problem: string };

const NUMBER = /^(\d+)(?:\.(\d*))?$|^\.(\d+)$/;

/** What a person typed as an integer of `decimals` decimals; refuses what it would have to guess about. */
export function parseUnits(text: string, decimals: number): Parsed {
  const trimmed = text.trim();
  if (trimmed === "") return { ok: false, problem: "Enter an amount." };
  if (trimmed.includes(",")) return { ok: false, problem: "Write the amount with a point and without commas." };
  const found = NUMBER.exec(trimmed);
  if (!found) return { ok: false, problem: `“${trimmed}” is not a positive number.` };
  const part = found[2] ?? found[3] ?? "";
  if (part.length > decimals) return { ok: false, problem: `This takes at most ${decimals} decimals.` };
  const value = BigInt((found[1] ?? "") + part.padEnd(decimals, "0"));
  if (value === 0n) return { ok: false, problem: "The amount must be above 0." };
  if (value >= 2n ** 127n) return { ok: false, problem: "The amount is larger than any account can hold." };
  return { ok: true, value };
}

/** The same for a number that may be negative or 0. */
export function parseSigned(text: string, decimals: number): Parsed {
  const trimmed = text.trim();
  const isNegative = /^[-−]/.test(trimmed);
  const size = isNegative ? trimmed.slice(1) : trimmed;
  if (/^0*\.?0*$/.test(size) && /0/.test(size)) return { ok: true, value: 0n };
  const found = parseUnits(size, decimals);
  return found.ok && isNegative ? { ok: true, value: -found.value } : found;
}

/** An integer as a person would type it, for filling a field. */
export const plainUnits = (value: bigint, decimals: number): string =>
  quantity(value, decimals, decimals).replaceAll(",", "");

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The UTC day of a time as exchanges write it, `27 Mar 26`. */
export function day(ts: number): string {
  const date = new Date(ts * 1000);
  const year = String(date.getUTCFullYear() % 100).padStart(2, "0");
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${year}`;
}

/** A UTC time to the minute. */
export function moment(ts: number): string {
  const date = new Date(ts * 1000);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${day(ts)}, ${two(date.getUTCHours())}:${two(date.getUTCMinutes())} UTC`;
}

/** A length of time in its largest unit. */
export function duration(seconds: number): string {
  const sec = Math.max(0, Math.round(seconds));
  if (sec < 60) return `${sec} s`;
  if (sec < 3600) return `${Math.floor(sec / 60)} min`;
  if (sec < 2 * DAY_SEC) return `${Math.floor(sec / 3600)} h ${Math.floor((sec % 3600) / 60)} min`;
  return `${Math.floor(sec / DAY_SEC)} days`;
}

/** An address as people recognise it. */
export const short = (address: string): string => `${address.slice(0, 6)}…${address.slice(-4)}`;
