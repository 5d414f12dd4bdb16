/** Assertions of passkeys as contracts take them. */
import { bytesToHex, decodeAbiParameters, hexToBytes } from "viem";
import { describe, expect, it } from "vitest";
import { encodeAssertion, signatureNumbers } from "../../src/wallet/passkey.ts";

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Two numbers as DER holds them: without leading zeros, and with one where the first bit is set. */
function der(r: bigint, s: bigint): Uint8Array {
  const number = (value: bigint): string => {
    const digits = value.toString(16);
    const even = digits.padStart(digits.length + (digits.length % 2), "0");
    const bytes = Number.parseInt(even.slice(0, 2), 16) > 127 ? `00${even}` : even;
    return `02${(bytes.length / 2).toString(16).padStart(2, "0")}${bytes}`;
  };
  const body = number(r) + number(s);
  return hexToBytes(`0x30${(body.length / 2).toString(16).padStart(2, "0")}${body}`);
}

describe("an assertion", () => {
  it.each([
    ["short numbers", 5n, 7n, 7n],
    ["numbers of a set first bit", ORDER - 1n, ORDER / 2n, ORDER / 2n],
    ["a number of the upper half, as its twin", 2n ** 200n, ORDER - 9n, 9n],
  ])("gives %s", (_, r, s, lower) => {
    expect(signatureNumbers(der(r, s))).toEqual([r, lower]);
  });

  it("says where type and challenge are, whatever the order of the fields", () => {
    const client = '{"origin":"http://localhost","challenge":"AAEC","type":"webauthn.get"}';
    const data = new Uint8Array([1, 2, 3]);
    const types = ["bytes32", "bytes32", "uint256", "uint256", "bytes", "string"].map((type) => ({ type }));
    const [r, s, challengeAt, typeAt, found, text] = decodeAbiParameters(
      types,
      encodeAssertion(data, client, der(5n, 7n)),
    );
    expect([BigInt(r as string), BigInt(s as string), found, text]).toEqual([5n, 7n, bytesToHex(data), client]);
    expect(client.slice(Number(challengeAt)).startsWith('"challenge":"AAEC"')).toBe(true);
    expect(client.slice(Number(typeAt)).startsWith('"type":"webauthn.get"')).toBe(true);
  });
});
