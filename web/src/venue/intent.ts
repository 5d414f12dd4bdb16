/** Signed outcomes: what should be true of an account afterwards, for any solver to bring about. */
import { type Address, encodeFunctionData, type Hex, type TypedDataDefinition } from "viem";
import { readContract } from "viem/actions";
import { accountsAbi, delegationAbi, signedTypes } from "../chain/abi.ts";
import type { Context } from "../chain/client.ts";
import type { Deployment } from "../chain/deployment.ts";
import { KINDS } from "../chain/kinds.ts";
import { cash, moment, quantity } from "../chain/units.ts";
import type { components } from "./schema.ts";

interface Shared {
  readonly accountId: bigint;
  readonly minExcessWad: bigint;
  readonly maxCostWad: bigint;
  readonly transferCount: bigint;
  readonly nonce: bigint;
  readonly expiryTs: number;
  readonly signer: Address;
}

/** "Bring my delta in one underlying to between a and b, for at most c." */
export interface DeltaIntent extends Shared {
  readonly underlyingId: number;
  /** `1 << kind` for each kind of instrument that may be traded. */
  readonly kinds: number;
  readonly minDeltaWad: bigint;
  readonly maxDeltaWad: bigint;
}

/** "When what is left to use falls below d, close positions until it does not, for at most c." */
export interface CloseIntent extends Shared {}

export type Intent =
  | { readonly kind: "delta"; readonly intent: DeltaIntent }
  | { readonly kind: "close"; readonly intent: CloseIntent };

export type SignedIntent = components["schemas"]["GiveDelta"] | components["schemas"]["GiveClose"];

/** EIP-712 typed data of an intent. */
export function intentTypedData(deployment: Deployment, { kind, intent }: Intent): TypedDataDefinition {
  const domain = {
    name: "Plimsoll Intents",
    version: "1",
    chainId: deployment.chainId,
    verifyingContract: deployment.contracts.Intents,
  };
  const message = { ...intent };
  return kind === "delta"
    ? { domain, primaryType: "DeltaIntent", types: { DeltaIntent: signedTypes.DeltaIntent }, message }
    : { domain, primaryType: "CloseIntent", types: { CloseIntent: signedTypes.CloseIntent }, message };
}

const sharedWire = (intent: Shared) => ({
  accountId: Number(intent.accountId),
  minExcessWad: intent.minExcessWad.toString(),
  maxCostWad: intent.maxCostWad.toString(),
  transferCount: Number(intent.transferCount),
  nonce: intent.nonce.toString(),
  expiryTs: intent.expiryTs,
  signer: intent.signer,
});

/** The intent as the service takes it: numbers of the chain as decimal text. */
export function wireIntent({ kind, intent }: Intent, signature: Hex): SignedIntent {
  if (kind === "close") return { kind, intent: sharedWire(intent), signature };
  const { underlyingId, kinds, minDeltaWad, maxDeltaWad } = intent;
  const own = { underlyingId, kinds, minDeltaWad: minDeltaWad.toString(), maxDeltaWad: maxDeltaWad.toString() };
  return { kind, intent: { ...sharedWire(intent), ...own }, signature };
}

const kindsText = (kinds: number): string =>
  KINDS.filter((_, kind) => kinds & (1 << kind))
    .map(({ title }) => title)
    .join("s, ");

/** All that is signed, in words. */
export function describeIntent({ kind, intent }: Intent, symbol: string): readonly (readonly [string, string])[] {
  const wish: readonly (readonly [string, string])[] =
    kind === "delta"
      ? [
          ["Wish", `Delta of ${symbol} between ${quantity(intent.minDeltaWad)} and ${quantity(intent.maxDeltaWad)}`],
          ["By trades in", `${kindsText(intent.kinds)}s of ${symbol}`],
          ["Left to use afterwards", `at least ${cash(intent.minExcessWad)}`],
        ]
      : [["Wish", `Close positions as soon as less than ${cash(intent.minExcessWad)} is left to use, until it is not`]];
  return [
    ...wish,
    ["Costs at most", `${cash(intent.maxCostWad)} against the marks, fees included`],
    ["Good until", moment(intent.expiryTs)],
    ["For", `account ${intent.accountId}`],
  ];
}

/** Whether the contract of intents may take quotes for an account: approved for it, or a trader key of it. */
export async function mayFillIntents({ client, deployment }: Context, id: bigint, owner: Address): Promise<boolean> {
  const { Accounts, Delegation, Intents } = deployment.contracts;
  const [one, all, grant] = await Promise.all([
    readContract(client, { address: Accounts, abi: accountsAbi, functionName: "getApproved", args: [id] }),
    readContract(client, {
      address: Accounts,
      abi: accountsAbi,
      functionName: "isApprovedForAll",
      args: [owner, Intents],
    }),
    readContract(client, { address: Delegation, abi: delegationAbi, functionName: "grantOf", args: [id, Intents] }),
  ]);
  return one === Intents || all || grant.grantId !== 0n;
}

/** The call that lets the contract of intents take quotes for one account, for signed intents and nothing else. */
export const approveIntents = (deployment: Deployment, id: bigint): Hex =>
  encodeFunctionData({ abi: accountsAbi, functionName: "approve", args: [deployment.contracts.Intents, id] });
