/** What the ticket makes of a form: orders, pairs, costs; intents; and the clocks and curves beside them. */
import { hashTypedData } from "viem";
import { describe, expect, it } from "vitest";
import { parseDeployment } from "../../src/chain/deployment.ts";
import type { Surface, Underlying } from "../../src/chain/market.ts";
import { parseSigned } from "../../src/chain/units.ts";
import { best, candidates, shortKey } from "../../src/margin/hedge.ts";
import { black76, impliedVol } from "../../src/margin/implied.ts";
import { clockNotes } from "../../src/state/clocks.ts";
import { describeIntent, type Intent, intentTypedData, wireIntent } from "../../src/venue/intent.ts";
import { waitOf } from "../../src/venue/order.ts";
import { costOf, feesOf, planned, wayOf } from "../../src/venue/plan.ts";
import { record } from "./record.ts";

const WAD = 10n ** 18n;
const wad = (value: number): bigint => BigInt(Math.round(value * 1e9)) * 10n ** 9n;
const signer = "0x278134e6B86181E5AC41aCC195385AaBd09a5331";
const perp = { underlyingId: 1, kind: 3, expiryTs: 0, strikeE8: 0n };
const terms = {
  accountId: 5n,
  instrument: perp,
  isBuy: true,
  quantityWad: 2n * WAD,
  priceWad: 1500n * WAD,
  reduceOnly: false,
  expiryTs: 1_774_598_400,
  maxFeeWad: 10n ** 15n,
  signer,
  transferCount: 0n,
  wait: null,
  nowTs: 1_700_000_000,
  exclusive: false,
} as const;

describe("a plan of orders", () => {
  it("is one order with the kind and the time in force of its way", () => {
    const [only, ...rest] = planned(terms, "fok", null, 7n);
    expect(rest).toEqual([]);
    expect(only).toMatchObject({ timeInForce: "ioc", order: { kind: 1, nonce: 7n, triggerWad: 0n, exclusive: false } });
  });

  it("sends of a pair the one that waits first, and gives both one nonce that is exclusive", () => {
    const wait = { side: "atOrAbove", spotWad: 2_000n * WAD } as const;
    const pair = planned(terms, "post", { priceWad: 2_100n * WAD, wait }, 7n);
    expect(pair.map(({ order }) => [waitOf(order), order.triggerAfterTs, order.exclusive])).toEqual([
      [wait, 1_700_000_000, true],
      [null, 0, true],
    ]);
    expect(pair.map(({ order }) => [order.nonce, order.kind, order.priceWad])).toEqual([
      [7n, 0, 2_100n * WAD],
      [7n, 2, 1_500n * WAD],
    ]);
  });

  it.each(["limit", "post", "ioc", "fok"] as const)("reads the way %s back from what the service tells", (way) => {
    const [first] = planned(terms, way, null, 7n);
    expect(wayOf({ order: { kind: first?.order.kind }, timeInForce: first?.timeInForce } as never)).toBe(way);
  });
});

describe("what an order costs", () => {
  const rates = { makerWad: wad(0.0002), takerWad: wad(0.0005) };

  it("is premium and fee of an option, against the payer by a wei", () => {
    const cost = costOf(0, true, 3n, WAD / 2n, rates);
    expect(cost.premiumWad).toBe(2n);
    expect(costOf(0, false, 3n, WAD / 2n, rates).premiumWad).toBe(-1n);
    expect(cost.makerFeeWad).toBe(1n);
  });

  it("is a fee alone of a linear instrument, as a share of its value", () => {
    const cost = costOf(3, true, 2n * WAD, 1_500n * WAD, rates);
    expect(cost).toEqual({ premiumWad: 0n, makerFeeWad: wad(0.6), takerFeeWad: wad(1.5) });
    expect(feesOf("limit", cost)).toEqual([wad(0.6), wad(1.5)]);
    expect(feesOf("post", cost)).toEqual([wad(0.6), wad(0.6)]);
    expect(feesOf("fok", cost)).toEqual([wad(1.5), wad(1.5)]);
  });
});

describe("an intent", () => {
  const deployment = parseDeployment(record());
  const shared = {
    accountId: 5n,
    minExcessWad: -WAD,
    maxCostWad: 50n * WAD,
    transferCount: 1n,
    nonce: 9n,
    expiryTs: 1_774_598_400,
    signer,
  } as const;
  const delta: Intent = {
    kind: "delta",
    intent: { ...shared, underlyingId: 1, kinds: 9, minDeltaWad: -WAD, maxDeltaWad: WAD / 2n },
  };

  it("is described whole before it is signed", () => {
    expect(describeIntent(delta, "ETH")).toEqual([
      ["Wish", "Delta of ETH between −1 and 0.5"],
      ["By trades in", "calls, perpetuals of ETH"],
      ["Left to use afterwards", "at least −1.00"],
      ["Costs at most", "50.00 against the marks, fees included"],
      ["Good until", "27 Mar 26, 08:00 UTC"],
      ["For", "account 5"],
    ]);
  });

  it("is signed for the contract of intents, and every field moves its digest", () => {
    expect(intentTypedData(deployment, delta).domain?.verifyingContract).toBe(deployment.contracts.Intents);
    const close = { kind: "close", intent: shared } as const;
    const digests = [
      delta,
      { ...delta, intent: { ...delta.intent, maxDeltaWad: WAD } },
      { ...delta, intent: { ...delta.intent, maxCostWad: WAD } },
      close,
      { ...close, intent: { ...shared, minExcessWad: 0n } },
    ].map((intent) => hashTypedData(intentTypedData(deployment, intent)));
    expect(new Set(digests).size).toBe(5);
  });

  it("goes out with its numbers as text", () => {
    const wire = wireIntent(delta, "0x12");
    expect(wire).toMatchObject({ kind: "delta", intent: { minDeltaWad: (-WAD).toString(), accountId: 5 } });
    expect(JSON.parse(JSON.stringify(wire))).toEqual(wire);
    expect(wireIntent({ kind: "close", intent: shared }, "0x12").intent).not.toHaveProperty("kinds");
  });
});

describe("a signed number", () => {
  it.each([
    ["-0.5", -(WAD / 2n)],
    ["−2", -2n * WAD],
    ["0", 0n],
    ["-0.00", 0n],
    ["1.5", (3n * WAD) / 2n],
  ] as const)("%s", (text, value) => expect(parseSigned(text, 18)).toEqual({ ok: true, value }));

  it.each(["", "-", "--1", "1,5", "."])("refuses “%s”", (text) => expect(parseSigned(text, 18).ok).toBe(false));
});

describe("clocks", () => {
  const block = (ts: number) => ({ number: 1n, hash: "0x1", parent: "0x0", ts }) as const;

  it("are left alone while they agree", () => {
    expect(clockNotes(4_900, block(1_000), 1_030, false)).toEqual([]);
    expect(clockNotes(0, null, 1_000, false)).toEqual([]);
  });

  it("are told apart from the service's in both directions", () => {
    expect(clockNotes(600_000, null, 0, true)[0]).toContain("10 min behind the order service's");
    expect(clockNotes(-30_000, null, 0, true)[0]).toContain("30 s ahead of the order service's");
  });

  it("are told apart from the chain's, but not from a local one", () => {
    expect(clockNotes(0, block(1_300), 1_000, false)[0]).toContain("The chain's clock is 5 min ahead");
    expect(clockNotes(0, block(1_000), 2_200, false)[0]).toContain("The last block is 20 min old");
    expect(clockNotes(0, block(1_300), 1_000, true)).toEqual([]);
  });
});

const YEAR = 365 * 86_400;
const surface: Surface = {
  expiryTs: YEAR / 4,
  forwardWad: wad(1_000),
  rateWad: wad(0.05),
  aWad: wad(0.04),
  bWad: 0n,
  rhoWad: 0n,
  mWad: 0n,
  sWad: wad(0.1),
};

describe("volatility that a price implies", () => {
  it("is the one that the price was made with, discounted as the chain discounts", () => {
    for (const [isCall, strike, vol] of [
      [true, 1_200, 0.7],
      [false, 800, 0.9],
      [true, 1_000, 0.2],
    ] as const) {
      const premium = black76(isCall, 1_000, strike, 0.25, vol) * Math.exp(-0.05 * 0.25);
      expect(impliedVol(surface, 0, isCall, strike, wad(premium))).toBeCloseTo(vol, 4);
    }
  });

  it("is that of the textbook at the money, where the formula is short", () => {
    expect(black76(true, 100, 100, 1, 0.2)).toBeCloseTo(7.965567, 4);
  });

  it("is none below what the option is worth at once, and none above 500 %", () => {
    expect(impliedVol(surface, 0, true, 900, wad(90))).toBeNull();
    expect(impliedVol(surface, 0, true, 1_000, wad(999))).toBeNull();
  });
});

describe("hedges that are proposed", () => {
  const underlying: Underlying = {
    id: 1,
    symbol: "ETH",
    spotWad: wad(1_000),
    perpWad: wad(1_000),
    roundTs: 0,
    surfaces: [surface],
    fundingWad: 0n,
  };
  const margin = {
    underlyings: [{ underlyingId: 1 }],
    details: [{ deltaWad: wad(-8), expiries: [{ expiryTs: surface.expiryTs }] }],
  };
  const market = { underlyings: [underlying] };
  const propose = (shortWad: bigint) =>
    candidates(margin as never, new Map([[shortKey(1, surface.expiryTs), shortWad]]), market as never);

  it("take delta away in shares, and buy options only where some were sold", () => {
    expect(propose(0n).map((entry) => entry.quantityWad)).toEqual([2, 4, 6, 8].map(wad));
    const more = propose(wad(10)).slice(4);
    expect(new Set(more.map((entry) => entry.quantityWad))).toEqual(new Set([wad(5), wad(10)]));
    expect(new Set(more.map((entry) => entry.instrument.kind))).toEqual(new Set([0, 1]));
  });

  it("are kept when they free margin, the best size of each instrument, best first", () => {
    const judged = (quantity: number, frees: number, strikeE8 = 0n) => ({
      instrument: { ...perp, strikeE8 },
      quantityWad: wad(quantity),
      priceWad: WAD,
      freesWad: wad(frees),
    });
    const kept = best([judged(1, 5), judged(2, 9), judged(3, -4), judged(4, 7, 1n), judged(5, -1, 2n)], 4);
    expect(kept.map((entry) => entry.freesWad)).toEqual([wad(9), wad(7)]);
  });
});
