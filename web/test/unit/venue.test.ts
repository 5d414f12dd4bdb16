import { hashTypedData } from "viem";
import { describe, expect, it } from "vitest";
import { parseDeployment } from "../../src/chain/deployment.ts";
import { bookOf, changed } from "../../src/venue/book.ts";
import { rowsFrom } from "../../src/venue/chain-rows.ts";
import { loginTypedData } from "../../src/venue/login.ts";
import { describeOrder, freshNonce, fromWire, orderOf, orderTypedData, toWire } from "../../src/venue/order.ts";
import { answersRequest } from "../../src/venue/quote.ts";
import { judge } from "../../src/venue/sequence.ts";
import { record } from "./record.ts";

const deployment = parseDeployment(record());
const WAD = 10n ** 18n;
const call = { underlyingId: 1, kind: 0, expiryTs: 1774598400, strikeE8: 1900n * 10n ** 8n };

describe("sequence numbers", () => {
  const at = (epoch: string, seq: number, prev: number) => ({ epoch, seq, prev });
  it.each([
    ["a snapshot starts a channel", null, at("a", 7, 0), true, "apply"],
    ["a snapshot starts it anew", { epoch: "a", seq: 9 }, at("b", 1, 0), true, "apply"],
    ["a change without a snapshot", null, at("a", 7, 6), false, "gap"],
    ["the next change", { epoch: "a", seq: 6 }, at("a", 7, 6), false, "apply"],
    ["a change of the same predecessor with numbers left out", { epoch: "a", seq: 6 }, at("a", 12, 6), false, "apply"],
    ["a change whose predecessor was missed", { epoch: "a", seq: 6 }, at("a", 9, 8), false, "gap"],
    ["a change that was seen", { epoch: "a", seq: 9 }, at("a", 9, 8), false, "old"],
    ["a change of another run of the service", { epoch: "a", seq: 9 }, at("b", 10, 9), false, "gap"],
  ] as const)("%s", (_, last, message, isSnapshot, verdict) => expect(judge(last, message, isSnapshot)).toBe(verdict));

  it("takes a resumed first message as a change", () => {
    expect(judge({ epoch: "a", seq: 6 }, { epoch: "a", seq: 6, prev: 6, isResumed: true }, true)).toBe("old");
  });
});

describe("a book", () => {
  const level = (price: bigint, size: bigint) => ({
    priceWad: (price * WAD).toString(),
    quantityWad: (size * WAD).toString(),
    orders: 1,
  });
  const book = bookOf({ bids: [level(10n, 1n), level(9n, 2n)], asks: [level(11n, 3n)] });

  it("keeps the best price first while levels come, change and go", () => {
    const next = changed(book, { bids: [level(12n, 5n), level(9n, 0n)], asks: [level(11n, 4n), level(13n, 1n)] });
    expect(next.bids.map((entry) => entry.priceWad / WAD)).toEqual([12n, 10n]);
    expect(next.asks.map((entry) => [entry.priceWad / WAD, entry.quantityWad / WAD])).toEqual([
      [11n, 4n],
      [13n, 1n],
    ]);
  });

  it("leaves a side that nothing changed as it was", () => {
    expect(changed(book, { bids: [], asks: [] }).bids).toBe(book.bids);
  });
});

describe("an order", () => {
  const order = orderOf(
    {
      accountId: 5n,
      instrument: call,
      isBuy: true,
      quantityWad: 2n * WAD,
      priceWad: 85n * WAD,
      kind: 2,
      reduceOnly: true,
      expiryTs: 1774598400,
      maxFeeWad: 10n ** 15n,
      signer: "0x278134e6B86181E5AC41aCC195385AaBd09a5331",
      transferCount: 1n,
      wait: { side: "atOrBelow", spotWad: 1_800n * WAD },
      nowTs: 1774594800,
      exclusive: true,
    },
    9n,
  );

  it("is described whole before it is signed", () => {
    expect(describeOrder(order, call, "ETH")).toEqual([
      ["Order", "Buy at most 2 ETH 27 Mar 26 1,900 call"],
      ["At most", "85.00 a unit"],
      ["Kind", "post only, reduces only"],
      ["Good until", "27 Mar 26, 08:00 UTC"],
      ["Highest fee", "0.100 % of the price"],
      ["For", "account 5"],
      ["Waits for", "a round after 27 Mar 26, 07:00 UTC with ETH at or below 1,800.00"],
      ["Exclusive", "the chain fills at most one such order of its nonce"],
    ]);
  });

  it("goes out with its numbers as text", () => {
    const wire = toWire(order);
    expect(wire.quantityWad).toBe("2000000000000000000");
    expect(wire.accountId).toBe(5);
    expect(wire.transferCount).toBe(1);
    expect(JSON.parse(JSON.stringify(wire))).toEqual(wire);
    expect(fromWire(wire)).toEqual(order);
  });

  it("has a digest that every field moves", () => {
    const digest = hashTypedData(orderTypedData(deployment, order));
    const others = [
      { ...order, nonce: 10n },
      { ...order, reduceOnly: false },
      { ...order, transferCount: 2n },
      { ...order, maxFeeWad: 1n },
      { ...order, triggerWad: 1n },
      { ...order, triggerAbove: true },
      { ...order, triggerAfterTs: 1 },
      { ...order, exclusive: false },
    ].map((other) => hashTypedData(orderTypedData(deployment, other)));
    expect(new Set([digest, ...others]).size).toBe(9);
  });

  it("has a nonce that grows with time", () => {
    expect(freshNonce(2, 0n)).toBeGreaterThan(freshNonce(1, 2n ** 63n));
  });

  it("has a nonce in nanoseconds, so that the Python client's later ones are above it", () => {
    expect(freshNonce(1_700_000_000_000, 999_999n)).toBeLessThan(1_700_000_000_001_000_000n);
  });
});

describe("a login", () => {
  it("is the page's own text of the service's message: nothing else can be signed by it", () => {
    const message = {
      account: "0x278134e6B86181E5AC41aCC195385AaBd09a5331",
      statement: "Log in",
      nonce: "n",
      issuedTs: 1,
      expiryTs: 2,
    };
    const typed = loginTypedData(31337, deployment.contracts.Exchange, { message });
    expect(typed.primaryType).toBe("Login");
    expect(typed.domain).toMatchObject({ name: "Plimsoll Venue" });
  });
});

describe("a quote", () => {
  const legs = [{ instrument: call, isBuy: true, quantityWad: WAD }];
  const quote = (change: Record<string, unknown> = {}) => ({
    accountId: 2,
    takerId: 5,
    legs: [
      {
        instrument: ((call.strikeE8 << 128n) | (1774598400n << 200n) | (1n << 248n)).toString(),
        isBuy: false,
        quantityWad: WAD.toString(),
        priceWad: "1",
        ...change,
      },
    ],
    nonce: "1",
    expiryTs: 1,
    signer: "0x278134e6B86181E5AC41aCC195385AaBd09a5331",
    maxFeeWad: "0",
    transferCount: 0,
  });

  it("is taken only when it is for what was asked, from the other side", () => {
    expect(answersRequest(quote(), legs, 5n)).toBe(true);
    expect(answersRequest(quote(), legs, 6n)).toBe(false);
    expect(answersRequest(quote({ isBuy: true }), legs, 5n)).toBe(false);
    expect(answersRequest(quote({ quantityWad: "1" }), legs, 5n)).toBe(false);
    expect(answersRequest(quote({ instrument: "1" }), legs, 5n)).toBe(false);
  });
});

describe("the option chain", () => {
  it("puts calls and puts of a strike in one row, by rising strike", () => {
    const entry = (kind: "call" | "put" | "perp", strike: string) =>
      ({ kind, strikeE8: strike, markWad: "5", bidWad: null, askWad: "6" }) as Parameters<typeof rowsFrom>[0][number];
    const rows = rowsFrom([entry("put", "200"), entry("call", "100"), entry("call", "200"), entry("perp", "0")]);
    expect(rows.map((row) => row.strikeE8)).toEqual([100n, 200n]);
    expect(rows[1]).toMatchObject({ call: { askWad: 6n }, put: { bidWad: null, markWad: 5n } });
    expect(rows[0]?.put.markWad).toBeNull();
  });
});
