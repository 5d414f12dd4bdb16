import { describe, expect, it } from "vitest";
import { linesOf } from "../../src/chain/history.ts";
import { pack } from "../../src/chain/words.ts";

const WAD = 10n ** 18n;
const naming = { symbolOf: () => "ETH", tokenOf: (id: number) => (id ? "WETH" : "USDC") };
const put = { underlyingId: 1, kind: 1, expiryTs: 1774598400, strikeE8: 1700n * 10n ** 8n };
const word = (quantity: bigint) => pack(put, put.strikeE8, quantity * WAD);

describe("events of one transaction", () => {
  it("read as a trade with its premium in one line", () => {
    const events = [
      { name: "PositionChanged", args: { oldWord: 0n, newWord: word(-8n) } },
      { name: "CashChanged", args: { deltaWad: 500n * WAD, cashWad: 1500n * WAD, reason: 2 } },
    ];
    expect(linesOf(events, 5n, naming)).toEqual([
      { title: "Sold 8 ETH 27 Mar 26 1,700 put", detail: "−8 after it", cashWad: 500n * WAD, tone: "plain" },
    ]);
  });

  it("tell a liquidation from a trade", () => {
    const events = [
      { name: "PositionChanged", args: { oldWord: word(-8n), newWord: 0n } },
      { name: "BidFilled", args: { accountId: 5n, bidderId: 2n, fractionWad: WAD / 4n, cashWad: 10n * WAD } },
    ];
    const lines = linesOf(events, 5n, naming);
    expect(lines.map((line) => line.title)).toEqual(["Took over 8 ETH 27 Mar 26 1,700 put", "A slice was liquidated"]);
    expect(lines[1]).toMatchObject({ tone: "warn", detail: "25 % for 10.00" });
    expect(linesOf(events, 2n, naming)[1]?.title).toBe("Bid filled in account 5");
  });

  it("leave out what nobody would write down", () => {
    expect(linesOf([{ name: "Transfer", args: {} }], 5n, naming)).toEqual([]);
  });
});
