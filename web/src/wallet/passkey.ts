/** Passkeys as trader keys: made and used by the device, named on chain by an address that follows from the key. */
import {
  type Address,
  bytesToBigInt,
  bytesToHex,
  encodeAbiParameters,
  encodeFunctionData,
  getAddress,
  type Hex,
  hexToBytes,
  isAddress,
  numberToHex,
} from "viem";
import { readContract } from "viem/actions";
import { passkeyFactoryAbi } from "../chain/abi.ts";
import type { Context } from "../chain/client.ts";
import { WalletProblem } from "./problems.ts";
import type { Call } from "./send.ts";
import { ANSWER_MS } from "./session.ts";

export interface Passkey {
  readonly address: Address;
  /** By which the device finds the key again; it signs nothing without its user. */
  readonly credentialId: string;
}

interface Point {
  readonly x: Hex;
  readonly y: Hex;
}

/** Addresses and names of this browser's passkeys, and no secret: the keys stay in the device. */
const KEPT = "plimsoll.passkeys";
/** ECDSA over P-256 with SHA-256, by its number in COSE. */
const ES256 = -7;
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const WORD = 32;
/** A public key as SPKI ends with the two coordinates of its point. */
const POINT = 2 * WORD;

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const fromBase64url = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

export const hasPasskeys = (): boolean => window.isSecureContext && "PublicKeyCredential" in window;

/** Passkeys that were made in this browser. */
export function knownPasskeys(): readonly Passkey[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(kept) ? kept.filter((entry) => isAddress(entry?.address ?? "")) : [];
  } catch {
    return [];
  }
}

function remember(passkey: Passkey): void {
  const others = knownPasskeys().filter(({ address }) => address !== passkey.address);
  localStorage.setItem(KEPT, JSON.stringify([...others, passkey]));
}

/** Why a device did not answer, as a sentence. */
function passkeyProblem(thrown: unknown): WalletProblem {
  if (thrown instanceof WalletProblem) return thrown;
  const name = thrown instanceof DOMException ? thrown.name : "";
  if (name === "NotAllowedError" || name === "AbortError") {
    return new WalletProblem("rejected", "The device did not confirm in time, or you declined. Nothing was signed.");
  }
  if (name === "SecurityError") {
    const { protocol, port } = window.location;
    const local = `${protocol}//localhost${port ? `:${port}` : ""}`;
    return new WalletProblem(
      "unsupported",
      `A passkey belongs to a host name, and this page was opened by a number. On this machine open ${local} instead.`,
    );
  }
  return new WalletProblem("unsupported", "This device or browser cannot use a passkey here.", thrown);
}

/** Has the device make a passkey; it is nothing on chain yet. */
export async function makePasskey(context: Context, label: string): Promise<{ passkey: Passkey; create: Call }> {
  const to = context.deployment.contracts.PasskeyFactory;
  const { credentialId, point } = await register(label);
  const args = [point.x, point.y] as const;
  const asked = { address: to, abi: passkeyFactoryAbi, functionName: "addressOf", args } as const;
  const passkey = { address: getAddress(await readContract(context.client, asked)), credentialId };
  remember(passkey);
  const data = encodeFunctionData({ abi: passkeyFactoryAbi, functionName: "create", args });
  return { passkey, create: { to, data, label: "Give the passkey its address on chain" } };
}

async function register(label: string): Promise<{ credentialId: string; point: Point }> {
  try {
    const made = (await navigator.credentials.create({
      publicKey: {
        rp: { name: "Plimsoll" },
        user: { id: crypto.getRandomValues(new Uint8Array(16)), name: label, displayName: label },
        challenge: crypto.getRandomValues(new Uint8Array(WORD)),
        pubKeyCredParams: [{ type: "public-key", alg: ES256 }],
        authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
        timeout: ANSWER_MS,
      },
    })) as PublicKeyCredential;
    const spki = new Uint8Array((made.response as AuthenticatorAttestationResponse).getPublicKey() ?? []);
    const point = spki.slice(-POINT);
    const [x, y] = [bytesToHex(point.slice(0, WORD)), bytesToHex(point.slice(WORD))];
    return { credentialId: base64url(new Uint8Array(made.rawId)), point: { x, y } };
  } catch (thrown) {
    throw passkeyProblem(thrown);
  }
}

/** The two numbers of a signature as DER holds them; of the two that would do, the one that contracts take. */
export function signatureNumbers(der: Uint8Array): readonly [r: bigint, s: bigint] {
  const rLength = der[3] ?? 0;
  const sAt = 4 + rLength + 2;
  const r = bytesToBigInt(der.slice(4, 4 + rLength));
  const s = bytesToBigInt(der.slice(sAt, sAt + (der[sAt - 1] ?? 0)));
  return [r, s > ORDER / 2n ? ORDER - s : s];
}

/** An assertion as `Passkey.isValidSignature` takes it. */
export function encodeAssertion(data: Uint8Array, client: string, der: Uint8Array): Hex {
  const [r, s] = signatureNumbers(der);
  const types = ["bytes32", "bytes32", "uint256", "uint256", "bytes", "string"] as const;
  return encodeAbiParameters(
    types.map((type) => ({ type })),
    [
      numberToHex(r, { size: WORD }),
      numberToHex(s, { size: WORD }),
      BigInt(client.indexOf('"challenge"')),
      BigInt(client.indexOf('"type"')),
      bytesToHex(data),
      client,
    ],
  );
}

/** Has the device sign a digest. */
export async function signWithPasskey({ credentialId }: Passkey, digest: Hex): Promise<Hex> {
  try {
    const answer = (await navigator.credentials.get({
      publicKey: {
        challenge: new Uint8Array(hexToBytes(digest)),
        allowCredentials: [{ type: "public-key", id: fromBase64url(credentialId) }],
        userVerification: "required",
        timeout: ANSWER_MS,
      },
    })) as PublicKeyCredential;
    const { authenticatorData, clientDataJSON, signature } = answer.response as AuthenticatorAssertionResponse;
    const client = new TextDecoder().decode(clientDataJSON);
    return encodeAssertion(new Uint8Array(authenticatorData), client, new Uint8Array(signature));
  } catch (thrown) {
    throw passkeyProblem(thrown);
  }
}
