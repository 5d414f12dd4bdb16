import { describe, expect, it } from "vitest";
import { parseDeployment, recordOfService } from "../../src/chain/deployment.ts";
import { record } from "./record.ts";

describe("the record of a deployment", () => {
  it("is read with its tokens by id", () => {
    const found = parseDeployment(record());
    expect(found.tokens.map((token) => token.symbol)).toEqual(["USDC", "WETH"]);
    expect([...found.underlyings]).toEqual([
      [1, "ETH"],
      [2, "BTC"],
    ]);
    expect(found.firstBlock).toBe(7n);
  });

  it.each([
    [{ schema: "other" }, "deployment.json: schema is not plimsoll.deployment/1."],
    [{ contracts: { Vault: "0x12" } }, "deployment.json: contract Accounts is no address."],
    [{ tokens: [] }, "deployment.json: tokens is no object."],
    [{ chain_id: "1" }, "deployment.json: chain_id is no whole number."],
    [{ block: -1 }, "deployment.json: block is no whole number."],
  ])("refuses %j", (change, message) => expect(() => parseDeployment({ ...record(), ...change })).toThrow(message));

  it("is what an order service says of itself as well", () => {
    const base = record();
    const service = {
      network: "local",
      chainId: 31337,
      firstBlock: 17,
      contracts: base.contracts,
      underlyings: base.underlyings,
      tokens: [{ tokenId: 0, symbol: "USDC", address: `0x${"a".repeat(40)}`, decimals: 6 }],
    };
    const found = parseDeployment(recordOfService(service));
    expect(found.tokens).toHaveLength(1);
    expect(found.firstBlock).toBe(17n);
  });
});
