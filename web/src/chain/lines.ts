/** Guarantee lines: cash that another account has set aside for one, and what an account has set aside for others. */
import { encodeEventTopics, type Hex, numberToHex, pad } from "viem";
import { readContract } from "viem/actions";
import { accountsAbi, guaranteesAbi } from "./abi.ts";
import type { Context } from "./client.ts";
import { readLogs } from "./logs.ts";

export interface Guarantee {
  readonly id: bigint;
  readonly sponsorId: bigint;
  readonly beneficiaryId: bigint;
  readonly endTs: number;
  readonly rampSec: number;
  /** Cash of the line now, after interest, draws and losses that all share. */
  readonly heldWad: bigint;
}

export interface Guarantees {
  /** Lines that stand for the account. */
  readonly received: readonly Guarantee[];
  /** Lines that it has given. */
  readonly given: readonly Guarantee[];
  /** Account that may give it a line; 0 for nobody. */
  readonly invitedId: bigint;
}

/** What a line counts of what it holds: whole until the ramp, nothing from the end on, a straight line between. */
export function countedOf(line: Guarantee, nowTs: number): bigint {
  const leftSec = Math.max(0, line.endTs - nowTs);
  return leftSec >= line.rampSec ? line.heldWad : (line.heldWad * BigInt(leftSec)) / BigInt(line.rampSec);
}

async function readLine(context: Context, id: bigint): Promise<Guarantee | null> {
  const { Accounts, Guarantees } = context.deployment.contracts;
  const read = { address: Guarantees, abi: guaranteesAbi } as const;
  const line = await readContract(context.client, { ...read, functionName: "lineOf", args: [id] });
  if (line.endTs === 0) return null;
  const cash = { address: Accounts, abi: accountsAbi, functionName: "snapshotOf", args: [id] } as const;
  const { cashWad } = await readContract(context.client, cash);
  return { id, ...line, heldWad: cashWad };
}

async function readGivenIds(context: Context, id: bigint): Promise<bigint[]> {
  const [topic] = encodeEventTopics({ abi: guaranteesAbi, eventName: "LineGiven" }) as [Hex];
  const address = [context.deployment.contracts.Guarantees];
  const logs = await readLogs(context, { address, topics: [topic, null, pad(numberToHex(id), { size: 32 })] });
  return logs.map((log) => BigInt(log.topics[1] ?? "0x0"));
}

/** Everything that stands for an account, and what it stands for itself. */
export async function readGuarantees(context: Context, id: bigint): Promise<Guarantees> {
  const read = { address: context.deployment.contracts.Guarantees, abi: guaranteesAbi } as const;
  const [receivedIds, givenIds, invitedId] = await Promise.all([
    readContract(context.client, { ...read, functionName: "linesOf", args: [id] }),
    readGivenIds(context, id),
    readContract(context.client, { ...read, functionName: "invitedOf", args: [id] }),
  ]);
  const lines = async (ids: readonly bigint[]) =>
    (await Promise.all(ids.map((line) => readLine(context, line)))).filter((line) => line !== null);
  const [received, given] = await Promise.all([lines(receivedIds), lines(givenIds)]);
  return { received, given, invitedId };
}
