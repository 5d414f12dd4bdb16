import { describe, expect, it } from "vitest";
import {
  cash,
  change,
  day,
  decimal,
  duration,
  formatUnits,
  moment,
  parseUnits,
  percent,
  plainUnits,
  quantity,
} from "../../src/chain/units.ts";

const wad = (text: string): bigint => {
  const found = parseUnits(text, 18);
  if (!found.ok) throw new Error(found.problem);
  return found.value;
};

describe("what a person reads", () => {
  it.each([
    [0n, "0.00"],
    [1n, "0.00"],
    [-1n, "0.00"],
    [5n * 10n ** 15n, "0.01"],
    [-5n * 10n ** 15n, "−0.01"],
    [wad("1234567.891"), "1,234,567.89"],
    [-wad("999.995"), "−1,000.00"],
  ])("cash of %s", (value, text) => expect(cash(value)).toBe(text));

  it("says the sign of a change", () => {
    expect(change(wad("12"))).toBe("+12.00");
    expect(change(-wad("12"))).toBe("−12.00");
    expect(change(0n)).toBe("0.00");
  });

  it("shows as many decimals as a quantity has", () => {
    expect(quantity(wad("3"))).toBe("3");
    expect(quantity(wad("0.1"))).toBe("0.1");
    expect(quantity(1_500_000n, 6)).toBe("1.5");
    expect(quantity(100n * 10n ** 18n)).toBe("100");
  });

  it("keeps every digit where a field is filled", () => {
    expect(plainUnits(1_234_567_890_123n, 6)).toBe("1234567.890123");
    expect(parseUnits(plainUnits(7n, 18), 18)).toEqual({ ok: true, value: 7n });
  });

  it("shows shares, floats, times", () => {
    expect(percent(wad("0.02"))).toBe("2.0 %");
    expect(decimal(-1234.5, 1)).toBe("−1,234.5");
    expect(decimal(-0.0001, 2)).toBe("0.00");
    expect(decimal(Number.NaN, 2)).toBe("–");
    expect(day(1774598400)).toBe("27 Mar 26");
    expect(moment(1774598400)).toBe("27 Mar 26, 08:00 UTC");
    expect([duration(5), duration(61), duration(8000), duration(3 * 86_400)]).toEqual([
      "5 s",
      "1 min",
      "2 h 13 min",
      "3 days",
    ]);
  });

  it("rounds to the nearest and never through a float", () => {
    expect(formatUnits(2n ** 200n + 1n, 0, 0)).toBe((2n ** 200n + 1n).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ","));
  });
});

describe("what a person types", () => {
  it.each([
    ["", "Enter an amount."],
    ["1,5", "Write the amount with a point and without commas."],
    ["-1", "“-1” is not a positive number."],
    ["1e5", "“1e5” is not a positive number."],
    ["abc", "“abc” is not a positive number."],
    ["0", "The amount must be above 0."],
    ["0.0000001", "This takes at most 6 decimals."],
    ["9".repeat(60), "The amount is larger than any account can hold."],
  ])("refuses %j", (text, problem) => expect(parseUnits(text, 6)).toEqual({ ok: false, problem }));

  it.each([
    ["1", 1_000_000n],
    [" 2.5 ", 2_500_000n],
    [".5", 500_000n],
    ["3.", 3_000_000n],
  ])("reads %j", (text, value) => expect(parseUnits(text, 6)).toEqual({ ok: true, value }));
});
