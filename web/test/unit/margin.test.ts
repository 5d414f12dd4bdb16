import { describe, expect, it } from "vitest";
import { filledUp, type Margin, type UnderlyingDetail, type UnderlyingRisk } from "../../src/chain/account.ts";
import { countedOf } from "../../src/chain/lines.ts";
import { unpack } from "../../src/chain/words.ts";
import { barOf, useOf } from "../../src/margin/bar.ts";
import { changesOf, type Draft, EMPTY, isEmpty, premiumOf } from "../../src/margin/draft.ts";
import { averageOf, profitOf } from "../../src/margin/profit.ts";
import { distanceOf, heatOf, rowsOf } from "../../src/margin/scenarios.ts";
import { strikesAround, volAt } from "../../src/margin/smile.ts";

const WAD = 10n ** 18n;
const wad = (value: number): bigint => BigInt(Math.round(value * 1e9)) * 10n ** 9n;

const book = {
  gridMovesWad: [-1, -0.4, 0, 0.4, 1].map(wad),
  gridVols: [0, 1, 2],
  tailMovesWad: [4, 5].map(wad),
  tailVols: [1],
};

describe("scenario rows", () => {
  const rows = rowsOf(book, wad(0.285));

  it("come in the order of the contract: the grid by rising price, then the tails, merged where they are clamped", () => {
    expect(rows).toHaveLength(15 + 4 - 1);
    expect(rows.slice(0, 3).map((row) => row.vol)).toEqual([0, 1, 2]);
    expect(rows[0]?.move).toBeCloseTo(-0.285);
    expect(rows[15]).toMatchObject({ move: -0.95, vol: 1 });
    expect(rows[15]?.weight).toBeCloseTo(0.3);
    expect(rows.at(-1)?.move).toBeCloseTo(1.425);
  });

  const detail = (pnl: (move: number) => number, vega = 0): UnderlyingDetail => ({
    rowPnlWad: rows.map((row) => wad(pnl(row.move) * row.weight)),
    deltaWad: 0n,
    gammaWad: 0n,
    vegaWad: wad(vega),
    thetaWad: 0n,
    expiries: [],
  });

  it("make a table with the worst cell marked", () => {
    const lines = heatOf(
      rows,
      { worstRow: 1n } as UnderlyingRisk,
      detail((move) => 100 * move),
    );
    expect([...lines.keys()].map((move) => Number(move.toFixed(3)))).toEqual([
      -0.95, -0.285, -0.114, 0, 0.114, 0.285, 1.14, 1.425,
    ]);
    expect(lines.get(-0.285)?.map((cell) => cell.isWorst)).toEqual([false, true, false]);
  });

  it("give the distance to liquidation of a straight line exactly, through the tails as well", () => {
    const found = distanceOf(
      rows,
      detail((move) => 1000 * move, -50),
      wad(700),
      wad(200),
    );
    expect(found.down).toBeCloseTo(-0.5, 9);
    expect(found.up).toBeNull();
    expect(found.volPoints).toBeCloseTo(1000);
    expect(
      distanceOf(
        rows,
        detail((move) => -1000 * move),
        wad(300),
        wad(200),
      ).up,
    ).toBeCloseTo(0.1, 9);
  });

  it("say zero for who is there already", () => {
    expect(
      distanceOf(
        rows,
        detail(() => 0),
        wad(1),
        wad(2),
      ),
    ).toEqual({ down: 0, up: 0, volPoints: 0 });
  });
});

describe("the load line", () => {
  const margin = (equity: number) =>
    ({ equityWad: wad(equity), initialWad: wad(50), maintenanceWad: wad(40) }) as Parameters<typeof barOf>[0];

  it("keeps equity and both margins on one scale", () => {
    const bar = barOf(margin(100));
    expect(bar.zero).toBe(0);
    expect(bar.equity / bar.initial).toBeCloseTo(2);
    expect(useOf(margin(100))).toBeCloseTo(0.5);
  });

  it("shows an equity below zero to the left of it", () => {
    const bar = barOf(margin(-20));
    expect(bar.equity).toBeLessThan(bar.zero);
    expect(useOf(margin(-20))).toBeNull();
  });
});

describe("a draft", () => {
  const call = { underlyingId: 1, kind: 0, expiryTs: 1774598400, strikeE8: 1900n * 10n ** 8n };
  const perp = { underlyingId: 1, kind: 3, expiryTs: 0, strikeE8: 0n };

  it("moves cash by premiums, rounded against the drafter, and enters linear legs at their price", () => {
    const draft: Draft = {
      legs: [
        { key: "1", instrument: call, quantityWad: 2n * WAD, priceWad: wad(85.25) },
        { key: "2", instrument: perp, quantityWad: -3n * WAD, priceWad: wad(1900) },
      ],
      tokens: new Map([
        [0, wad(100)],
        [1, -wad(2)],
        [2, 0n],
      ]),
      mode: 2,
    };
    const changes = changesOf(draft);
    expect(changes.cashDeltaWad).toBe(wad(100) - wad(170.5));
    expect(changes.tokenIds).toEqual([1n]);
    expect(changes.amountDeltasWad).toEqual([-wad(2)]);
    expect(changes.positions.map((word) => unpack(word).quantityWad)).toEqual([2n * WAD, -3n * WAD]);
    expect(unpack(changes.positions[1] ?? 0n).entryE8).toBe(1900n * 10n ** 8n);
    expect(premiumOf({ key: "", instrument: call, quantityWad: 1n, priceWad: 1n })).toBe(1n);
    expect(premiumOf({ key: "", instrument: call, quantityWad: -1n, priceWad: 1n })).toBe(0n);
  });

  it("knows that it is empty", () => {
    expect(isEmpty(EMPTY)).toBe(true);
    expect(isEmpty({ ...EMPTY, tokens: new Map([[0, 0n]]) })).toBe(true);
    expect(isEmpty({ ...EMPTY, mode: 0 })).toBe(false);
  });
});

describe("average entries", () => {
  const fill = (quantity: number, price: number) => ({ quantityWad: wad(quantity), priceWad: wad(price) });

  it("average what opens, keep what closes, and start anew what turns around", () => {
    expect(averageOf([fill(1, 10), fill(3, 20)])).toEqual({ quantityWad: wad(4), priceWad: wad(17.5) });
    expect(averageOf([fill(4, 10), fill(-1, 99)])).toEqual({ quantityWad: wad(3), priceWad: wad(10) });
    expect(averageOf([fill(1, 10), fill(-3, 30)])).toEqual({ quantityWad: -wad(2), priceWad: wad(30) });
    expect(averageOf([fill(1, 10), fill(-1, 30)])).toEqual({ quantityWad: 0n, priceWad: 0n });
  });

  it("give a profit only where they explain the position", () => {
    const average = averageOf([fill(-2, 30)]);
    expect(profitOf(-wad(2), -wad(50), average)).toBe(wad(10));
    expect(profitOf(-wad(3), -wad(50), average)).toBeNull();
  });
});

describe("the smile", () => {
  const surface = {
    expiryTs: 1774598400,
    forwardWad: wad(1910),
    rateWad: 0n,
    aWad: wad(0.022),
    bWad: wad(0.07),
    rhoWad: wad(-0.25),
    mWad: 0n,
    sWad: wad(0.2),
  };
  const roundTs = 1774598400 - 365 * 86_400;

  it("is raw SVI", () => {
    expect(volAt(surface, roundTs, 1910)).toBeCloseTo(Math.sqrt(0.022 + 0.07 * 0.2), 12);
    expect(volAt(surface, 1774598400, 1910)).toBeNull();
  });

  it("lists round strikes on both sides of the forward", () => {
    const strikes = strikesAround(surface, roundTs);
    expect(strikes.length).toBeLessThanOrEqual(20);
    expect(strikes.length).toBeGreaterThan(8);
    expect(strikes.every((strike) => strike % 50 === 0)).toBe(true);
    expect(strikes[0]).toBeLessThan(1910);
    expect(strikes.at(-1)).toBeGreaterThan(1910);
  });
});

describe("guarantee lines", () => {
  const short: Margin = {
    state: 3,
    equityWad: wad(-50),
    marketEquityWad: wad(-40),
    markToMarketWad: 0n,
    initialWad: wad(100),
    maintenanceWad: wad(80),
    debtChargeWad: 0n,
    underlyings: [],
    details: [],
  };

  it.each([
    [0, 0, 3],
    [30, 30, 3],
    [100, 100, 2],
    [140, 140, 1],
    [150, 150, 0],
    [1000, 150, 0],
  ])("of %d add %d to the equity and leave state %d, as the contracts count them", (credit, added, state) => {
    const found = filledUp(short, wad(credit));
    expect(found.guaranteedWad).toBe(wad(added));
    expect(found.margin).toEqual({ ...short, equityWad: wad(-50 + added), state });
  });

  it("add nothing to an account that has its initial margin", () => {
    const rich = { ...short, state: 0, equityWad: wad(100), marketEquityWad: wad(100) };
    expect(filledUp(rich, wad(500))).toEqual({ margin: rich, guaranteedWad: 0n });
  });

  it.each([
    [2001, 90],
    [1000, 90],
    [500, 45],
    [0, 0],
    [-5, 0],
  ])("count along their ramp: %d s before the end %d of 90", (leftSec, counted) => {
    const line = { id: 9n, sponsorId: 2n, beneficiaryId: 3n, endTs: 5000, rampSec: 1000, heldWad: wad(90) };
    expect(countedOf(line, 5000 - leftSec)).toBe(wad(counted));
  });
});
