import { describe, expect, it } from "vitest";
import { bidLimit, pathPoints, priceFactor } from "../../src/auction/path.ts";
import { extend } from "../../src/state/head.ts";
import { chooseWay, type Facts } from "../../src/wallet/deposit.ts";
import { problemOf, WalletProblem, withTimeout } from "../../src/wallet/problems.ts";
import { advance, type Sent } from "../../src/wallet/transactions.ts";

describe("the way of a deposit", () => {
  const plain: Facts = {
    amountRaw: 100n,
    allowanceRaw: 0n,
    canBatch: false,
    isContract: false,
    permitDomain: null,
    permit2Raw: 0n,
    opens: false,
  };
  it.each([
    ["approve", "nothing", {}],
    ["direct", "an allowance", { allowanceRaw: 100n, canBatch: true }],
    ["batch", "a wallet that batches", { canBatch: true, permitDomain: {} }],
    ["permit", "a permit", { permitDomain: {} }],
    ["approve", "a permit that a contract cannot sign", { permitDomain: {}, isContract: true }],
    ["permit2", "Permit2 for a contract", { permit2Raw: 100n, isContract: true, permitDomain: {} }],
    ["approve", "too little for Permit2", { permit2Raw: 99n }],
    ["approve", "Permit2 where an account is opened", { permit2Raw: 100n, opens: true }],
    ["permit", "both permits", { permit2Raw: 100n, permitDomain: {} }],
  ] as const)("%s with %s", (way, _, facts) => expect(chooseWay({ ...plain, ...facts })).toBe(way));
});

describe("what wallets throw", () => {
  it.each([
    [{ code: 4001, message: "User rejected" }, "rejected"],
    [{ code: -32603, cause: { code: 4001 } }, "rejected"],
    [{ message: "MetaMask Tx Signature: User denied transaction signature." }, "rejected"],
    [{ code: 4100 }, "locked"],
    [{ code: -32002 }, "busy"],
    [{ code: 4900 }, "disconnected"],
    [{ code: -32601 }, "unsupported"],
    [{ code: -32000, message: "insufficient funds for gas * price + value" }, "funds"],
    [{ code: -32603, data: { originalError: { code: 4902 } } }, "unknown"],
    [new Error("boom"), "unknown"],
    ["text", "unknown"],
  ] as const)("%j is %s", (thrown, kind) => {
    const found = problemOf(thrown);
    expect(found.kind).toBe(kind);
    expect(found.message).toMatch(/\.$|boom$/);
  });

  it("keeps a problem that has its sentence already", () => {
    const known = new WalletProblem("switched", "Another account.");
    expect(problemOf(known)).toBe(known);
  });

  it("gives up on a wallet that never answers", async () => {
    await expect(withTimeout(new Promise(() => undefined), 5, "the request")).rejects.toMatchObject({
      kind: "timeout",
    });
    await expect(withTimeout(Promise.resolve(1), 5, "the request")).resolves.toBe(1);
  });
});

describe("the life of a transaction", () => {
  const waiting: Sent = {
    hash: "0x1",
    label: "Deposit",
    stage: "waiting",
    blockHash: null,
    blockNumber: null,
    note: "",
  };
  const receipt = { blockHash: "0xa", blockNumber: 10n, succeeded: true } as const;

  it("waits, is mined, settles", () => {
    expect(advance(waiting, null, 10n, 2n)).toBe(waiting);
    const mined = advance(waiting, receipt, 10n, 2n);
    expect(mined).toMatchObject({ stage: "mined", blockNumber: 10n, note: "" });
    expect(advance(mined, receipt, 11n, 2n)).toBe(mined);
    expect(advance(mined, receipt, 12n, 2n).stage).toBe("settled");
  });

  it("fails", () => expect(advance(waiting, { ...receipt, succeeded: false }, 10n, 2n).stage).toBe("failed"));

  it("is given back by a reorganisation, and comes again in another block", () => {
    const mined = advance(waiting, receipt, 10n, 2n);
    const back = advance(mined, null, 11n, 2n);
    expect(back).toMatchObject({ stage: "returned", blockHash: null });
    expect(back.note).toContain("reorganised");
    const again = advance(back, { ...receipt, blockHash: "0xb", blockNumber: 12n }, 12n, 2n);
    expect(again).toMatchObject({ stage: "mined", blockNumber: 12n });
    expect(again.note).toContain("in again");
    expect(advance(mined, { ...receipt, blockHash: "0xc" }, 10n, 2n).note).toContain("in again");
  });
});

describe("the head of the chain", () => {
  const block = (number: bigint, hash: string, parent: string) =>
    ({ number, hash: `0x${hash}`, parent: `0x${parent}`, ts: Number(number) }) as const;
  const one = extend([], block(1n, "a", "0")).blocks;

  it("grows, and a block that is known changes nothing", () => {
    const two = extend(one, block(2n, "b", "a"));
    expect(two.isReorganised).toBe(false);
    expect(extend(two.blocks, block(2n, "b", "a")).blocks).toBe(two.blocks);
  });

  it("may leave blocks out that nobody saw", () => {
    expect(extend(one, block(5n, "e", "d")).isReorganised).toBe(false);
  });

  it("is reorganised when a number has another hash, a parent is another, or it falls back", () => {
    expect(extend(one, block(1n, "x", "0")).isReorganised).toBe(true);
    expect(extend(one, block(2n, "y", "x")).isReorganised).toBe(true);
    const five = extend(one, block(5n, "e", "d")).blocks;
    expect(extend(five, block(3n, "z", "y")).isReorganised).toBe(true);
  });
});

describe("an auction", () => {
  it("falls from 98 % to 70 % in 15 minutes and to nothing in 12 hours", () => {
    expect(priceFactor(0)).toBe(0.98);
    expect(priceFactor(900)).toBeCloseTo(0.7);
    expect(priceFactor(900 + 6 * 3600)).toBeCloseTo(0.35);
    expect(priceFactor(10 ** 6)).toBe(0);
    const { at, factor } = pathPoints(3600);
    expect(at).toHaveLength(factor.length);
    expect(factor.every((value, index) => index === 0 || value <= (factor[index - 1] ?? 1))).toBe(true);
  });

  it("limits a bid on the side that hurts", () => {
    expect(bidLimit(1000n, 10n, true, 100n)).toBe(1020n);
    expect(bidLimit(1000n, 10n, false, 100n)).toBe(990n);
  });
});
