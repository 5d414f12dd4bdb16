import { type AbiParameter, encodeAbiParameters, type Hex } from "viem";
import { describe, expect, it } from "vitest";
import { parseDeployment } from "../../src/chain/deployment.ts";
import { errorTable } from "../../src/chain/errors.ts";
import { decodeRefusal, revertData } from "../../src/chain/refusal.ts";
import { record } from "./record.ts";

const wording = { deployment: parseDeployment(record()) };

const dataOf = (name: string, ...values: unknown[]): Hex => {
  const [selector, entry] = Object.entries(errorTable).find(([, found]) => found[0] === name) ?? [];
  if (!selector || !entry) throw new Error(`there is no error ${name}`);
  const types = entry[2].map(([, type]) => ({ type }) as AbiParameter);
  return `${selector}${encodeAbiParameters(types, values).slice(2)}` as Hex;
};

/** Some value of each type that errors have. */
const sample = (type: string): unknown => {
  if (type.startsWith("(")) return null;
  if (type === "address") return "0x000000000022D473030F116dDEE9F6B43aC78BA3";
  if (type === "bool") return true;
  if (type === "bytes32") return `0x${"41".repeat(32)}`;
  if (type === "bytes4") return "0x01020304";
  if (type === "string") return "why";
  return /int(8|16|24|32|40|48)$/.test(type) ? 7 : 7n;
};

describe("every custom error of the contracts", () => {
  const entries = Object.entries(errorTable).filter(([, [, , args]]) =>
    args.every(([, type]) => sample(type) !== null),
  );

  it("is in the table, all contracts together", () => expect(entries.length).toBeGreaterThan(250));

  it.each(entries.map(([selector, [name, , args]]) => [name, selector, args] as const))(
    "%s is a sentence with its numbers",
    async (name, selector, args) => {
      const body = encodeAbiParameters(
        args.map(([, type]) => ({ type }) as AbiParameter),
        args.map(([, type]) => sample(type)),
      );
      const refusal = await decodeRefusal(`${selector}${body.slice(2)}` as Hex, wording);
      expect(refusal.name).toBe(name);
      expect(refusal.sentence).toMatch(/^[A-Z0-9].*\.$/s);
      expect(refusal.sentence).not.toMatch(/undefined|null|\[object/);
      expect(refusal.sentence).not.toContain("__");
    },
  );
});

describe("sentences with both numbers in their units", () => {
  it.each([
    [
      dataOf("MarginEngine__BelowInitial", 10n ** 20n, 2n * 10n ** 20n),
      "This would leave an equity of 100.00, below the initial margin of 200.00.",
    ],
    [
      dataOf("Vault__CapExceeded", 5_000_000n, 1_500_000n),
      "The vault takes 1.5 USDC more of this token, and this is 5 USDC.",
    ],
    [
      dataOf("Accounts__TooManyPositions", 129n, 128n),
      "Refused: an account would hold too many positions (observed 129, limit 128).",
    ],
    ["0x" as Hex, "The contract refused and gave no reason."],
    ["0xdeadbeef" as Hex, "The contract refused with an error that is not known here (0xdeadbeef)."],
    [
      `0x08c379a0${encodeAbiParameters([{ type: "string" }], ["paused"]).slice(2)}` as Hex,
      "The contract refused: paused.",
    ],
  ])("%s", async (data, sentence) => {
    const token = { symbol: "USDC", decimals: 6 };
    expect((await decodeRefusal(data, { ...wording, token })).sentence).toBe(sentence);
  });
});

describe("where nodes and wallets hide revert data", () => {
  it.each([
    [{ data: "0x01" }, "0x01"],
    [{ code: 3, data: { data: "0x02" } }, "0x02"],
    [{ cause: { cause: { raw: "0x03" } } }, "0x03"],
    [{ data: { originalError: { data: "0x04" } } }, "0x04"],
    [{ error: { data: "0x05" } }, "0x05"],
    [{ message: "no data" }, null],
    ["text", null],
  ])("%j", (thrown, data) => expect(revertData(thrown)).toBe(data));

  it("does not run in circles", () => {
    const thrown: Record<string, unknown> = {};
    thrown.cause = thrown;
    expect(revertData(thrown)).toBeNull();
  });
});
