/** One call of a contract through the wallet: tried first, then shown to the person by the wallet, then followed. */
import {
  type Address,
  getTypesForEIP712Domain,
  type Hex,
  numberToHex,
  recoverTypedDataAddress,
  serializeTypedData,
  type TypedDataDefinition,
} from "viem";
import { estimateGas } from "viem/actions";
import type { Context } from "../chain/client.ts";
import { decodeRefusal, revertData, type Wording } from "../chain/refusal.ts";
import { problemOf, WalletProblem } from "./problems.ts";
import { ask, type Connection, confirmSame } from "./session.ts";
import { track } from "./transactions.ts";

export interface Call {
  readonly to: Address;
  readonly data: Hex;
  /** What it does, in words. */
  readonly label: string;
}

/** Room for a round that is posted between the estimate and the block. */
const GAS_ROOM_PERCENT = 130n;

/** The gas that a call needs; a refusal of the contract is a problem with its sentence, before anybody signs. */
export async function tryCall(context: Context, from: Address, call: Call, wording: Wording): Promise<bigint> {
  try {
    const gas = await estimateGas(context.client, { account: from, to: call.to, data: call.data });
    return (gas * GAS_ROOM_PERCENT) / 100n;
  } catch (thrown) {
    const data = revertData(thrown);
    if (data) {
      const { name, sentence } = await decodeRefusal(data, wording);
      throw new WalletProblem(name === "Oracle__Stale" ? "stale" : "refused", sentence, thrown);
    }
    const known = problemOf(thrown);
    if (known.kind === "funds") throw known;
    throw new WalletProblem(
      "offline",
      "The node does not answer, so the transaction was not tried and nothing was sent.",
      thrown,
    );
  }
}

/** Tries a call, has the wallet send it, and starts to follow it. */
export async function sendCall(
  context: Context,
  connection: Connection,
  call: Call,
  wording: Wording = context,
): Promise<Hex> {
  const { chainId } = context.deployment;
  await confirmSame(connection, chainId);
  const gas = await tryCall(context, connection.address, call, wording);
  const transaction = { from: connection.address, to: call.to, data: call.data, gas: numberToHex(gas) };
  let hash: Hex;
  try {
    hash = await ask<Hex>(connection.wallet.provider, { method: "eth_sendTransaction", params: [transaction] });
  } catch (thrown) {
    const data = revertData(thrown);
    if (data) throw new WalletProblem("refused", (await decodeRefusal(data, wording)).sentence, thrown);
    throw thrown;
  }
  track(hash, call.label, chainId);
  return hash;
}

/** Wallets want the type of the domain spelled out beside the others. */
const withDomainType = (typed: TypedDataDefinition): TypedDataDefinition => ({
  ...typed,
  types: { EIP712Domain: getTypesForEIP712Domain({ domain: typed.domain }), ...typed.types },
});

/** Has the wallet sign typed data; the signature of a key is checked before it is used anywhere. */
export async function signTyped(
  context: Context,
  connection: Connection,
  typed: TypedDataDefinition,
  isContract: boolean,
): Promise<Hex> {
  await confirmSame(connection, context.deployment.chainId);
  const signature = await ask<Hex>(connection.wallet.provider, {
    method: "eth_signTypedData_v4",
    params: [connection.address, serializeTypedData(withDomainType(typed))],
  });
  if (isContract) return signature;
  let signer: Address | null = null;
  try {
    signer = await recoverTypedDataAddress({ ...typed, signature } as Parameters<typeof recoverTypedDataAddress>[0]);
  } catch {
    // Bytes that are no signature of a key have no signer.
  }
  if (signer !== connection.address) {
    throw new WalletProblem(
      "switched",
      "The wallet signed with another account than the one shown here. The signature was thrown away.",
    );
  }
  return signature;
}
