import { describe, expect, it } from "vitest";
import { CALL, FUTURE, KINDS, PERP, PUT } from "../../src/chain/kinds.ts";
import {
  hasExpiry,
  instrumentName,
  instrumentWord,
  isOption,
  pack,
  sameInstrument,
  unpack,
} from "../../src/chain/words.ts";

const put = { underlyingId: 1, kind: PUT, expiryTs: 1774598400, strikeE8: 1700n * 10n ** 8n };

describe("position words", () => {
  it("come back as they were packed, sign and all", () => {
    const word = pack(put, put.strikeE8, -20n * 10n ** 18n);
    expect(unpack(word)).toMatchObject({ ...put, entryE8: 0n, quantityWad: -20n * 10n ** 18n });
  });

  it("keep the entry of a linear position apart from strikes", () => {
    const perp = { underlyingId: 2, kind: PERP, expiryTs: 0, strikeE8: 0n };
    const found = unpack(pack(perp, -5n, 1n));
    expect(found).toMatchObject({ entryE8: -5n, strikeE8: 0n, quantityWad: 1n });
    expect(instrumentWord(found)).toBe(instrumentWord(perp));
  });

  it("lie where PositionWord.sol puts them", () => {
    const word = pack({ underlyingId: 0xab, kind: CALL, expiryTs: 0x0102030405, strikeE8: 7n }, 7n, 9n);
    expect(word.toString(16).padStart(64, "0")).toBe(`ab000102030405${"7".padStart(18, "0")}${"9".padStart(32, "0")}`);
  });

  it("have names", () => {
    expect(instrumentName(put, "ETH")).toBe("ETH 27 Mar 26 1,700 put");
    expect(instrumentName({ ...put, kind: FUTURE, strikeE8: 0n }, "ETH")).toBe("ETH 27 Mar 26 future");
    expect(instrumentName({ ...put, kind: PERP }, "ETH")).toBe("ETH perpetual");
    expect(sameInstrument(put, { ...put, kind: CALL })).toBe(false);
  });

  it("know what every kind is, and refuse a kind that is none", () => {
    expect([CALL, PUT, FUTURE, PERP].map(isOption)).toEqual([true, true, false, false]);
    expect([CALL, PUT, FUTURE, PERP].map(hasExpiry)).toEqual([true, true, true, false]);
    expect(() => isOption(KINDS.length)).toThrow(`no instrument kind has the number ${KINDS.length}`);
  });
});
