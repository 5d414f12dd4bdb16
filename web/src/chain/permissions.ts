/** Who else may act for an account: trader keys, and operators with roles. */
import { type Address, encodeEventTopics, getAddress, type Hex, numberToHex, pad } from "viem";
import { readContract } from "viem/actions";
import { accountsAbi, delegationAbi, operatorsAbi } from "./abi.ts";
import type { Context } from "./client.ts";
import { readLogs } from "./logs.ts";

export interface KeyLimits {
  readonly underlyingId: number;
  readonly maxDeltaWad: bigint;
  readonly maxGammaWad: bigint;
  readonly maxVegaWad: bigint;
}

export interface TraderKey {
  readonly address: Address;
  readonly untilTs: number;
  readonly kinds: number;
  readonly maxLossWad: bigint;
  readonly lossWad: bigint;
  readonly limits: readonly KeyLimits[];
}

export interface Operator {
  readonly address: Address;
  readonly untilTs: number;
  readonly roles: number;
  readonly allowances: readonly { readonly tokenId: number; readonly leftRaw: bigint; readonly maxRaw: bigint }[];
}

/** The largest number stands for no bound. */
export const UNBOUNDED = 2n ** 128n - 1n;
export const ROLES = [
  { bit: 1, name: "withdraw to the owner" },
  { bit: 2, name: "change the mode" },
  { bit: 4, name: "isolate positions" },
] as const;

/** Everybody who was ever granted something for an account. */
async function granted(context: Context, contract: Address, topic: Hex, id: bigint): Promise<Address[]> {
  const logs = await readLogs(context, { address: [contract], topics: [topic, pad(numberToHex(id), { size: 32 })] });
  return [...new Set(logs.map((log) => getAddress(`0x${(log.topics[2] ?? "").slice(26)}`)))];
}

export async function readKeys(context: Context, id: bigint): Promise<TraderKey[]> {
  const address = context.deployment.contracts.Delegation;
  const [topic] = encodeEventTopics({ abi: delegationAbi, eventName: "Granted" }) as [Hex];
  const keys = await granted(context, address, topic, id);
  const found = await Promise.all(
    keys.map(async (key) => {
      const read = { address, abi: delegationAbi } as const;
      const [grant, limits] = await Promise.all([
        readContract(context.client, { ...read, functionName: "grantOf", args: [id, key] }),
        Promise.all(
          [...context.deployment.underlyings.keys()].map((underlyingId) =>
            readContract(context.client, { ...read, functionName: "limitsOf", args: [id, key, underlyingId] }),
          ),
        ),
      ]);
      return { address: key, ...grant, limits: limits.filter((entry) => entry.underlyingId !== 0) };
    }),
  );
  return found.filter((key) => key.grantId !== 0n);
}

/** Ids of the accounts that an address may sign orders for as a trader key, ascending. */
export async function readTradedIds(context: Context, key: Address): Promise<bigint[]> {
  const address = context.deployment.contracts.Delegation;
  const [topic] = encodeEventTopics({ abi: delegationAbi, eventName: "Granted" }) as [Hex];
  const logs = await readLogs(context, { address: [address], topics: [topic, null, pad(key, { size: 32 })] });
  const ids = [...new Set(logs.map((log) => BigInt(log.topics[1] ?? "0x0")))];
  const grants = await Promise.all(
    ids.map((id) =>
      readContract(context.client, { address, abi: delegationAbi, functionName: "grantOf", args: [id, key] }),
    ),
  );
  return ids.filter((_, index) => grants[index]?.grantId !== 0n).sort((a, b) => (a < b ? -1 : 1));
}

export async function readOperators(context: Context, id: bigint): Promise<Operator[]> {
  const address = context.deployment.contracts.Operators;
  const [topic] = encodeEventTopics({ abi: operatorsAbi, eventName: "Granted" }) as [Hex];
  const operators = await granted(context, address, topic, id);
  const found = await Promise.all(
    operators.map(async (operator) => {
      const read = { address, abi: operatorsAbi } as const;
      const [grant, allowances] = await Promise.all([
        readContract(context.client, { ...read, functionName: "grantOf", args: [id, operator] }),
        Promise.all(
          context.deployment.tokens.map(async ({ tokenId }) => {
            const args = [id, operator, BigInt(tokenId)] as const;
            const [leftRaw, maxRaw] = await readContract(context.client, {
              ...read,
              functionName: "allowanceOf",
              args,
            });
            return { tokenId, leftRaw, maxRaw };
          }),
        ),
      ]);
      return { address: operator, ...grant, allowances: allowances.filter((entry) => entry.maxRaw > 0n) };
    }),
  );
  return found.filter((operator) => operator.grantId !== 0n);
}

/** Whether an owner lets the contract of operators act at all. */
export async function isApproved(context: Context, owner: Address): Promise<boolean> {
  const { Accounts, Operators } = context.deployment.contracts;
  return readContract(context.client, {
    address: Accounts,
    abi: accountsAbi,
    functionName: "isApprovedForAll",
    args: [owner, Operators],
  });
}
