/** A login by signature: the page builds what is signed itself, so that a service cannot have an order signed as one. */
import type { Address, TypedDataDefinition } from "viem";
import type { Context } from "../chain/client.ts";
import { isContract } from "../wallet/deposit.ts";
import { WalletProblem } from "../wallet/problems.ts";
import { signTyped } from "../wallet/send.ts";
import type { Connection } from "../wallet/session.ts";
import type { Challenge, Venue } from "./client.ts";

const FIELDS = [
  { name: "account", type: "address" },
  { name: "statement", type: "string" },
  { name: "nonce", type: "string" },
  { name: "issuedTs", type: "uint256" },
  { name: "expiryTs", type: "uint256" },
] as const;

/** Typed data of a login; only the message is the service's. */
export function loginTypedData(
  chainId: number,
  exchange: Address,
  { message }: Pick<Challenge, "message">,
): TypedDataDefinition {
  return {
    domain: { name: "Plimsoll Venue", version: "1", chainId, verifyingContract: exchange },
    primaryType: "Login",
    types: { Login: FIELDS },
    message: { ...message, issuedTs: BigInt(message.issuedTs), expiryTs: BigInt(message.expiryTs) },
  };
}

/** Signs the service's text and returns the token. */
export async function login(context: Context, connection: Connection, venue: Venue): Promise<string> {
  const challenge = await venue.challenge(connection.address);
  if (challenge.message.account.toLowerCase() !== connection.address.toLowerCase()) {
    throw new WalletProblem("refused", "The order service asked for the login of another address. Nothing was signed.");
  }
  const { chainId, contracts } = context.deployment;
  const typed = loginTypedData(chainId, contracts.Exchange, challenge);
  const signature = await signTyped(context, connection, typed, await isContract(context, connection.address));
  return venue.login(connection.address, challenge.message.nonce, signature);
}
