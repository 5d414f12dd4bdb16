/** What happened to an account, from the events of the contracts, newest first. */
import {
  type Address,
  decodeEventLog,
  type Hex,
  hexToBigInt,
  hexToNumber,
  isAddressEqual,
  numberToHex,
  pad,
  type RpcLog,
} from "viem";
import type { Fill } from "../margin/profit.ts";
import {
  accountsAbi,
  auctionAbi,
  delegationAbi,
  exchangeAbi,
  guaranteesAbi,
  operatorsAbi,
  settlementAbi,
  vaultAbi,
} from "./abi.ts";
import { MODES } from "./account.ts";
import type { Context } from "./client.ts";
import { type Filter, readLogs } from "./logs.ts";
import { cash, quantity, short } from "./units.ts";
import { instrumentName, instrumentWord, type Position, unpack } from "./words.ts";

export interface Entry {
  readonly hash: Hex;
  readonly block: bigint;
  /** Unix seconds; 0 when the node does not say. */
  readonly ts: number;
  readonly title: string;
  readonly detail: string;
  /** Change of cash that it is about, wad; null for what moves none. */
  readonly cashWad: bigint | null;
  readonly tone: "plain" | "warn";
}

interface Event {
  readonly name: string;
  readonly args: Record<string, unknown>;
  readonly hash: Hex;
  readonly block: bigint;
  readonly index: number;
}

const REASONS = [
  "deposit",
  "withdrawal",
  "trade",
  "transfer",
  "settlement",
  "liquidation",
  "loss shared by all",
  "clearing",
  "funding",
  "interest",
  "reserve",
] as const;

const TRADE = REASONS.indexOf("trade");

const idTopic = (id: bigint): Hex => pad(numberToHex(id), { size: 32 });

function decoders(context: Context) {
  const { contracts } = context.deployment;
  return [
    [contracts.Accounts, accountsAbi],
    [contracts.Vault, vaultAbi],
    [contracts.Exchange, exchangeAbi],
    [contracts.Auction, auctionAbi],
    [contracts.Delegation, delegationAbi],
    [contracts.Operators, operatorsAbi],
    [contracts.Guarantees, guaranteesAbi],
    [contracts.Settlement, settlementAbi],
  ] as const;
}

function decodeLog(context: Context, log: RpcLog): Event | null {
  const found = decoders(context).find(([address]) => isAddressEqual(address, log.address));
  if (!found || log.blockNumber === null || log.transactionHash === null || log.logIndex === null) return null;
  try {
    const { eventName, args } = decodeEventLog({
      abi: found[1],
      data: log.data,
      topics: log.topics as [Hex, ...Hex[]],
    });
    return {
      name: String(eventName),
      args: (args ?? {}) as Record<string, unknown>,
      hash: log.transactionHash,
      block: hexToBigInt(log.blockNumber),
      index: hexToNumber(log.logIndex),
    };
  } catch {
    // Events that the page has no use for are not in its ABI.
    return null;
  }
}

async function eventsOf(context: Context, id: bigint): Promise<Event[]> {
  const { contracts } = context.deployment;
  const first: Address[] = [
    contracts.Accounts,
    contracts.Auction,
    contracts.Delegation,
    contracts.Operators,
    contracts.Settlement,
  ];
  const topic = idTopic(id);
  const filters: Filter[] = [
    { address: first, topics: [null, topic] },
    { address: [contracts.Auction, contracts.Exchange, contracts.Guarantees], topics: [null, null, topic] },
    { address: [contracts.Vault, contracts.Guarantees], topics: [null, null, null, topic] },
  ];
  const logs = (await Promise.all(filters.map((filter) => readLogs(context, filter)))).flat();
  const events = logs.map((log) => decodeLog(context, log)).filter((event) => event !== null);
  return events.sort((a, b) => (a.block === b.block ? a.index - b.index : a.block < b.block ? -1 : 1));
}

export type Line = Pick<Entry, "title" | "detail" | "cashWad" | "tone">;

export interface Naming {
  readonly symbolOf: (underlyingId: number) => string;
  readonly tokenOf: (tokenId: number) => string;
}

/** One event as its describer sees it. */
interface Told {
  readonly number: (key: string) => bigint;
  readonly text: (key: string) => string;
  readonly naming: Naming;
  /** Account whose history it is. */
  readonly id: bigint;
  /** Whether its transaction is a bid, which moves positions without a trade. */
  readonly isSlice: boolean;
}

const line = (title: string, detail = "", cashWad: bigint | null = null, tone: Line["tone"] = "plain"): Line => ({
  title,
  detail,
  cashWad,
  tone,
});

const named = (word: bigint, { symbolOf }: Naming): string => {
  const found = unpack(word);
  return instrumentName(found, symbolOf(found.underlyingId));
};

function positionLine({ number, naming, isSlice }: Told): Line {
  const [before, after] = [number("oldWord"), number("newWord")];
  const now = after === 0n ? 0n : unpack(after).quantityWad;
  const delta = now - (before === 0n ? 0n : unpack(before).quantityWad);
  const verb = isSlice ? (delta > 0n ? "Took over" : "Gave up") : delta > 0n ? "Bought" : "Sold";
  const size = quantity(delta < 0n ? -delta : delta);
  const rest = now === 0n ? "closed" : `${quantity(now)} after it`;
  return line(`${verb} ${size} ${named(after === 0n ? before : after, naming)}`, rest);
}

function bidLine({ number, id }: Told): Line {
  const detail = `${quantity(number("fractionWad") * 100n, 18, 2)} % for ${cash(number("cashWad"))}`;
  return number("accountId") === id
    ? line("A slice was liquidated", detail, null, "warn")
    : line(`Bid filled in account ${number("accountId")}`, detail);
}

function collateralLine({ number, naming }: Told): Line {
  const symbol = naming.tokenOf(Number(number("tokenId")));
  const delta = number("deltaWad");
  const size = `${delta > 0n ? "+" : ""}${quantity(delta)} ${symbol}`;
  return line(`${symbol} ${delta < 0n ? "out" : "in"}`, `${size}, ${quantity(number("amountWad"))} after it`);
}

const mode = (value: bigint): string => MODES[Number(value)] ?? `mode ${value}`;

/** How each event reads. */
const DESCRIBE: Readonly<Record<string, (told: Told) => Line>> = {
  AccountOpened: ({ number }) => line("Account opened", `mode ${mode(number("mode"))}`),
  AccountClosed: () => line("Account closed"),
  ModeChanged: ({ number }) => line("Mode changed", `${mode(number("oldMode"))} to ${mode(number("newMode"))}`),
  CashChanged: ({ number }) =>
    line(
      `Cash: ${REASONS[Number(number("reason"))] ?? "change"}`,
      `${cash(number("cashWad"))} after it`,
      number("deltaWad"),
    ),
  CollateralChanged: collateralLine,
  PositionChanged: positionLine,
  FeePaid: ({ number }) => line("Fee paid", `to account ${number("toId")}`),
  MarginCalled: ({ number }) =>
    line(
      "Margin call",
      `equity ${cash(number("equityWad"))}, initial margin ${cash(number("initialWad"))}`,
      null,
      "warn",
    ),
  MarginCallMet: ({ number }) => line("Margin call met", `equity ${cash(number("equityWad"))}`),
  AuctionStarted: ({ number }) =>
    line(
      "Liquidation started",
      `equity ${cash(number("equityWad"))}, maintenance margin ${cash(number("maintenanceWad"))}`,
      null,
      "warn",
    ),
  BidFilled: bidLine,
  AuctionEnded: ({ number }) => line("Liquidation ended", `equity ${cash(number("equityWad"))}`),
  AccountSettled: ({ number, naming }) =>
    line("Settled at expiry", `${naming.symbolOf(Number(number("underlyingId")))} at ${cash(number("priceWad"))}`),
  Granted: ({ text }) => line("Permission granted", `to ${short(text("delegate") || text("operator"))}`),
  Revoked: ({ text }) => line("Permission revoked", `of ${short(text("delegate") || text("operator"))}`),
  WithdrawalRequested: ({ number, naming }) =>
    line("Withdrawal queued", `${naming.tokenOf(Number(number("tokenId")))}, place ${number("requestId")}`),
  LineGiven: ({ number, id }) =>
    number("beneficiaryId") === id
      ? line("Guarantee line received", `${cash(number("amountWad"))} from account ${number("sponsorId")}`)
      : line("Guarantee line given", `${cash(number("amountWad"))} for account ${number("beneficiaryId")}`),
  LineDrawn: ({ number }) =>
    line("A guarantee line paid", `${cash(number("paidWad"))} to account ${number("toId")}`, null, "warn"),
  LineEnded: ({ number }) => line("Guarantee line ended", `${cash(number("returnedWad"))} came back`),
  OperatorWithdrew: ({ number, text, naming }) =>
    line("Withdrawn by an operator", `${naming.tokenOf(Number(number("tokenId")))}, by ${short(text("operator"))}`),
};

/** Events of one transaction as the lines that a person would write down. */
export function linesOf(events: readonly Pick<Event, "name" | "args">[], id: bigint, naming: Naming): Line[] {
  const isSlice = events.some((event) => event.name === "BidFilled");
  const lines: Line[] = [];
  let lastName = "";
  for (const { name, args } of events) {
    const tell = DESCRIBE[name];
    if (!tell) continue;
    const number = (key: string) => BigInt((args[key] as bigint | number | undefined) ?? 0);
    const text = (key: string) => String(args[key] ?? "");
    const told = tell({ number, text, naming, id, isSlice });
    const last = lines.at(-1);
    // The cash of a trade belongs to the trade.
    const isPremium = name === "CashChanged" && Number(number("reason")) === TRADE && lastName === "PositionChanged";
    if (isPremium && last) lines[lines.length - 1] = { ...last, cashWad: told.cashWad };
    else lines.push(told);
    lastName = name;
  }
  return lines;
}

/** The history of an account with its times. */
export async function readHistory(context: Context, id: bigint): Promise<Entry[]> {
  const events = await eventsOf(context, id);
  const blocks = [...new Set(events.map((event) => event.block))];
  const times = new Map(
    await Promise.all(
      blocks.map(async (block) => {
        const raw = await context.client.request({
          method: "eth_getBlockByNumber",
          params: [numberToHex(block), false],
        });
        return [block, raw ? hexToNumber(raw.timestamp) : 0] as const;
      }),
    ),
  );
  const naming = {
    symbolOf: (underlyingId: number) => context.deployment.underlyings.get(underlyingId) ?? `#${underlyingId}`,
    tokenOf: (tokenId: number) => context.deployment.tokens[tokenId]?.symbol ?? `token ${tokenId}`,
  };
  const byHash = grouped(events);
  const entries = [...byHash].flatMap(([hash, group]) => {
    const block = group[0]?.block ?? 0n;
    return linesOf(group, id, naming).map((told) => ({ ...told, hash, block, ts: times.get(block) ?? 0 }));
  });
  return entries.reverse();
}

function grouped(events: readonly Event[]): Map<Hex, Event[]> {
  const found = new Map<Hex, Event[]>();
  for (const event of events) found.set(event.hash, [...(found.get(event.hash) ?? []), event]);
  return found;
}

const SETTLED = "Settled";

/** Fills of an account in the option positions that it holds, by instrument, in their order. */
export async function readFills(
  context: Context,
  id: bigint,
  positions: readonly Position[],
): Promise<Map<bigint, Fill[]>> {
  const words = positions.map(instrumentWord);
  const found = new Map<bigint, Fill[]>(words.map((word) => [word, []]));
  if (!words.length) return found;
  const topics = words.map((word) => pad(numberToHex(word), { size: 32 }));
  const logs = await readLogs(context, {
    address: [context.deployment.contracts.Exchange],
    topics: [null, null, null, topics],
  });
  for (const log of logs) {
    const event = decodeLog(context, log);
    if (event?.name !== SETTLED) continue;
    const { instrument, buyerId, sellerId, quantityWad, priceWad } = event.args as Record<string, bigint>;
    if (instrument === undefined || quantityWad === undefined || priceWad === undefined) continue;
    const signed = buyerId === id ? quantityWad : sellerId === id ? -quantityWad : 0n;
    if (signed !== 0n) found.get(instrument)?.push({ quantityWad: signed, priceWad });
  }
  return found;
}
