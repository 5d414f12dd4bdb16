/** A deposit in as few confirmations as wallet and token allow. */
import {
  type Address,
  domainSeparator,
  encodeFunctionData,
  type Hex,
  numberToHex,
  parseSignature,
  type TypedDataDefinition,
  type TypedDataDomain,
} from "viem";
import { getCode, readContract } from "viem/actions";
import { localTokenAbi, vaultAbi } from "../chain/abi.ts";
import type { Context } from "../chain/client.ts";
import type { TokenRecord } from "../chain/deployment.ts";
import { quantity } from "../chain/units.ts";
import { problemOf, WalletProblem } from "./problems.ts";
import { type Call, sendCall, signTyped } from "./send.ts";
import { ask, type Connection, confirmSame } from "./session.ts";
import { track } from "./transactions.ts";

/** Uniswap's Permit2 has this address on every chain. */
export const PERMIT2: Address = "0x000000000022D473030F116dDEE9F6B43aC78BA3";
const PERMIT_LIFE_SEC = 1_200n;
/** An account that only lends its key to code (EIP-7702) still signs with the key. */
const DELEGATED = "0xef0100";

export type Way = "batch" | "direct" | "permit" | "permit2" | "approve";

export interface Facts {
  readonly amountRaw: bigint;
  readonly allowanceRaw: bigint;
  /** The wallet sends several calls as one (EIP-5792, atomic). */
  readonly canBatch: boolean;
  /** The owner is a contract, which cannot sign a permit of (v, r, s). */
  readonly isContract: boolean;
  /** EIP-712 domain of the token's permit; null for a token without one. */
  readonly permitDomain: TypedDataDomain | null;
  /** What Permit2 may take of the token; 0 where it is not deployed. */
  readonly permit2Raw: bigint;
  /** Opens an account in the same step. */
  readonly opens: boolean;
}

/** The way with the fewest confirmations. */
export function chooseWay(facts: Facts): Way {
  if (facts.allowanceRaw >= facts.amountRaw) return "direct";
  if (facts.canBatch) return "batch";
  if (facts.permitDomain && !facts.isContract) return "permit";
  // The vault opens no account by Permit2.
  if (facts.permit2Raw >= facts.amountRaw && !facts.opens) return "permit2";
  return "approve";
}

/** What the wallet will ask, in order. */
export const CONFIRMATIONS: Readonly<Record<Way, readonly string[]>> = {
  direct: ["One transaction: the deposit. The token already lets the vault take this much."],
  batch: ["One confirmation: the wallet sends allowance and deposit together."],
  permit: [
    "A signature that lets the vault take exactly this amount for 20 minutes; it costs nothing.",
    "One transaction: the deposit.",
  ],
  permit2: ["A signature for Permit2 for exactly this amount; it costs nothing.", "One transaction: the deposit."],
  approve: ["A transaction that lets the vault take exactly this amount.", "A second transaction: the deposit."],
};

const absent = (): null => null;

/** Domain of a token's permit: its own word where it gives one (ERC-5267), else the usual guess, checked. */
async function permitDomainOf(context: Context, token: Address, owner: Address): Promise<TypedDataDomain | null> {
  const read = { address: token, abi: localTokenAbi } as const;
  const { client, deployment } = context;
  const [nonce, separator, told, name] = await Promise.all([
    readContract(client, { ...read, functionName: "nonces", args: [owner] }).catch(absent),
    readContract(client, { ...read, functionName: "DOMAIN_SEPARATOR" }).catch(absent),
    readContract(client, { ...read, functionName: "eip712Domain" }).catch(absent),
    readContract(client, { ...read, functionName: "name" }).catch(absent),
  ]);
  if (nonce === null || separator === null) return null;
  const version = told ? told[2] : "1";
  const domain = {
    name: told ? told[1] : (name ?? ""),
    version,
    chainId: deployment.chainId,
    verifyingContract: token,
  };
  return domainSeparator({ domain }) === separator ? domain : null;
}

async function canBatch(connection: Connection, chainId: number): Promise<boolean> {
  try {
    const chain = numberToHex(chainId);
    const answer = await ask<Record<string, { atomic?: { status?: string } }>>(
      connection.wallet.provider,
      { method: "wallet_getCapabilities", params: [connection.address, [chain]] },
      5_000,
    );
    const status = answer?.[chain]?.atomic?.status;
    return status === "supported" || status === "ready";
  } catch {
    // Most wallets do not know the question.
    return false;
  }
}

export async function isContract(context: Context, address: Address): Promise<boolean> {
  const code = await getCode(context.client, { address });
  return code !== undefined && code !== "0x" && !code.startsWith(DELEGATED);
}

export interface Wish {
  readonly token: TokenRecord;
  readonly amountRaw: bigint;
  /** Account that is credited; null opens one in `mode`. */
  readonly accountId: bigint | null;
  readonly mode: number;
}

/** Everything that decides the way, read from wallet and chain. */
export async function gatherFacts(context: Context, connection: Connection, wish: Wish): Promise<Facts> {
  const { client, deployment } = context;
  const read = { address: wish.token.address, abi: localTokenAbi, functionName: "allowance" } as const;
  const owner = connection.address;
  const [allowanceRaw, viaPermit2, permit2Code, contract, permitDomain, batches] = await Promise.all([
    readContract(client, { ...read, args: [owner, deployment.contracts.Vault] }),
    readContract(client, { ...read, args: [owner, PERMIT2] }),
    getCode(client, { address: PERMIT2 }),
    isContract(context, owner),
    permitDomainOf(context, wish.token.address, owner),
    canBatch(connection, deployment.chainId),
  ]);
  return {
    amountRaw: wish.amountRaw,
    allowanceRaw,
    canBatch: batches,
    isContract: contract,
    permitDomain,
    permit2Raw: permit2Code && permit2Code !== "0x" ? viaPermit2 : 0n,
    opens: wish.accountId === null,
  };
}

const amountText = (wish: Wish): string => `${quantity(wish.amountRaw, wish.token.decimals)} ${wish.token.symbol}`;

function depositLabel(wish: Wish): string {
  return wish.accountId === null ? `Open an account with ${amountText(wish)}` : `Deposit ${amountText(wish)}`;
}

function plainDeposit(context: Context, wish: Wish): Call {
  const { address } = wish.token;
  const data =
    wish.accountId === null
      ? encodeFunctionData({
          abi: vaultAbi,
          functionName: "openAndDeposit",
          args: [wish.mode, address, wish.amountRaw],
        })
      : encodeFunctionData({ abi: vaultAbi, functionName: "deposit", args: [wish.accountId, address, wish.amountRaw] });
  return { to: context.deployment.contracts.Vault, data, label: depositLabel(wish) };
}

function approval(context: Context, wish: Wish): Call {
  const args = [context.deployment.contracts.Vault, wish.amountRaw] as const;
  const data = encodeFunctionData({ abi: localTokenAbi, functionName: "approve", args });
  return { to: wish.token.address, data, label: `Let the vault take ${amountText(wish)}` };
}

async function deadlineOf(context: Context): Promise<bigint> {
  const block = await context.client.request({ method: "eth_getBlockByNumber", params: ["latest", false] });
  return BigInt(block?.timestamp ?? "0x0") + PERMIT_LIFE_SEC;
}

/** EIP-2612 typed data of a permit for the vault. */
export function permitData(
  domain: TypedDataDomain,
  owner: Address,
  spender: Address,
  value: bigint,
  nonce: bigint,
  deadline: bigint,
): TypedDataDefinition {
  return {
    domain,
    primaryType: "Permit",
    types: {
      Permit: [
        { name: "owner", type: "address" },
        { name: "spender", type: "address" },
        { name: "value", type: "uint256" },
        { name: "nonce", type: "uint256" },
        { name: "deadline", type: "uint256" },
      ],
    },
    message: { owner, spender, value, nonce, deadline },
  };
}

async function byPermit(context: Context, connection: Connection, wish: Wish, domain: TypedDataDomain): Promise<Call> {
  const { Vault } = context.deployment.contracts;
  const { address } = wish.token;
  const owner = connection.address;
  const [nonce, deadline] = await Promise.all([
    readContract(context.client, { address, abi: localTokenAbi, functionName: "nonces", args: [owner] }),
    deadlineOf(context),
  ]);
  const typed = permitData(domain, owner, Vault, wish.amountRaw, nonce, deadline);
  const { r, s, yParity } = parseSignature(await signTyped(context, connection, typed, false));
  const tail = [address, wish.amountRaw, deadline, 27 + yParity, r, s] as const;
  const data =
    wish.accountId === null
      ? encodeFunctionData({ abi: vaultAbi, functionName: "openAndDepositWithPermit", args: [wish.mode, ...tail] })
      : encodeFunctionData({ abi: vaultAbi, functionName: "depositWithPermit", args: [wish.accountId, ...tail] });
  return { to: Vault, data, label: depositLabel(wish) };
}

/** Typed data of Permit2 for one transfer to the vault. */
export function permit2Data(
  chainId: number,
  token: Address,
  amount: bigint,
  spender: Address,
  nonce: bigint,
  deadline: bigint,
): TypedDataDefinition {
  return {
    domain: { name: "Permit2", chainId, verifyingContract: PERMIT2 },
    primaryType: "PermitTransferFrom",
    types: {
      PermitTransferFrom: [
        { name: "permitted", type: "TokenPermissions" },
        { name: "spender", type: "address" },
        { name: "nonce", type: "uint256" },
        { name: "deadline", type: "uint256" },
      ],
      TokenPermissions: [
        { name: "token", type: "address" },
        { name: "amount", type: "uint256" },
      ],
    },
    message: { permitted: { token, amount }, spender, nonce, deadline },
  };
}

async function byPermit2(
  context: Context,
  connection: Connection,
  wish: Wish,
  accountId: bigint,
  contract: boolean,
): Promise<Call> {
  const { Vault } = context.deployment.contracts;
  const { address } = wish.token;
  // Permit2 takes nonces in any order; a random one meets no other signature.
  const nonce = crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n;
  const deadline = await deadlineOf(context);
  const typed = permit2Data(context.deployment.chainId, address, wish.amountRaw, Vault, nonce, deadline);
  const signature = await signTyped(context, connection, typed, contract);
  const args = [accountId, address, wish.amountRaw, nonce, deadline, signature] as const;
  const data = encodeFunctionData({ abi: vaultAbi, functionName: "depositWithPermit2", args });
  return { to: Vault, data, label: depositLabel(wish) };
}

interface BatchStatus {
  readonly status: number;
  readonly receipts?: readonly { readonly transactionHash: Hex; readonly status: Hex }[];
}

const BATCH_POLL_MS = 1_000;
const BATCH_LIMIT_MS = 180_000;

/** Sends calls as one and waits for the hash that holds them. */
async function sendBatch(
  context: Context,
  connection: Connection,
  calls: readonly Call[],
  label: string,
): Promise<void> {
  const { chainId } = context.deployment;
  const { provider } = connection.wallet;
  await confirmSame(connection, chainId);
  const request = {
    version: "2.0.0",
    from: connection.address,
    chainId: numberToHex(chainId),
    atomicRequired: true,
    calls: calls.map(({ to, data }) => ({ to, data })),
  };
  const { id } = await ask<{ id: string }>(provider, { method: "wallet_sendCalls", params: [request] });
  const until = Date.now() + BATCH_LIMIT_MS;
  while (Date.now() < until) {
    const answer = await ask<BatchStatus>(provider, { method: "wallet_getCallsStatus", params: [id] });
    const last = answer.receipts?.at(-1);
    if (last) return track(last.transactionHash, label, chainId);
    if (answer.status >= 400)
      throw new WalletProblem(
        "unknown",
        `The wallet could not send the calls (status ${answer.status}). Nothing was moved.`,
      );
    await new Promise((resolve) => setTimeout(resolve, BATCH_POLL_MS));
  }
  throw new WalletProblem(
    "timeout",
    "The wallet took the calls and has not said that they are on chain. Look into the wallet before you try again.",
  );
}

/** Carries a deposit out; `wait` resolves when a transaction is on chain, which the second of two needs. */
export async function deposit(
  context: Context,
  connection: Connection,
  wish: Wish,
  facts: Facts,
  wait: (hash: Hex) => Promise<void>,
): Promise<void> {
  const wording = { deployment: context.deployment, token: wish.token };
  switch (chooseWay(facts)) {
    case "direct":
      await sendCall(context, connection, plainDeposit(context, wish), wording);
      return;
    case "batch":
      try {
        await sendBatch(
          context,
          connection,
          [approval(context, wish), plainDeposit(context, wish)],
          depositLabel(wish),
        );
      } catch (thrown) {
        throw problemOf(thrown);
      }
      return;
    case "permit":
      if (!facts.permitDomain) throw new Error("a permit needs a domain");
      await sendCall(context, connection, await byPermit(context, connection, wish, facts.permitDomain), wording);
      return;
    case "permit2":
      if (wish.accountId === null) throw new Error("the vault opens no account by Permit2");
      await sendCall(
        context,
        connection,
        await byPermit2(context, connection, wish, wish.accountId, facts.isContract),
        wording,
      );
      return;
    case "approve":
      await wait(await sendCall(context, connection, approval(context, wish), wording));
      await sendCall(context, connection, plainDeposit(context, wish), wording);
  }
}
