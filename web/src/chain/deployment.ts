/** Where the protocol lives: the record that `plimsoll deploy` writes, and the node that the page reads from. */
import { type Address, getAddress, isAddress } from "viem";

export interface TokenRecord {
  readonly tokenId: number;
  readonly symbol: string;
  readonly address: Address;
  readonly decimals: number;
}

export interface Deployment {
  readonly network: string;
  readonly chainId: number;
  /** First block that can hold an event. */
  readonly firstBlock: bigint;
  readonly contracts: Readonly<Record<ContractName, Address>>;
  /** By id; cash first. */
  readonly tokens: readonly TokenRecord[];
  /** Symbols by id. */
  readonly underlyings: ReadonlyMap<number, string>;
}

export interface Settings {
  readonly deployment: Deployment;
  /** Node that is read from. */
  readonly rpcUrl: string;
  /** Order service; null where there is none. */
  readonly venueUrl: string | null;
}

export const CONTRACTS = [
  "Accounts",
  "Vault",
  "Delegation",
  "Operators",
  "Guarantees",
  "Oracle",
  "ScenarioBook",
  "SourceBook",
  "RiskEngine",
  "MarginEngine",
  "Exchange",
  "Intents",
  "PasskeyFactory",
  "PerpMarket",
  "Settlement",
  "Auction",
  "Lens",
  "OrderPreview",
  "ActionPreview",
] as const;
export type ContractName = (typeof CONTRACTS)[number];

const SCHEMA = "plimsoll.deployment/1";
export const LOCAL_CHAIN_ID = 31337;

/** A file that is missing or not what it should be; its message is for the person who set the page up. */
export class SetupError extends Error {}

function object(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new SetupError(`${name} is no object.`);
  return value as Record<string, unknown>;
}

function address(value: unknown, name: string): Address {
  if (typeof value !== "string" || !isAddress(value, { strict: false })) {
    throw new SetupError(`${name} is no address.`);
  }
  return getAddress(value);
}

function integer(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw new SetupError(`${name} is no whole number.`);
  }
  return value;
}

/** The record of a deployment, checked field by field. */
export function parseDeployment(value: unknown): Deployment {
  const record = object(value, "deployment.json");
  if (record.schema !== SCHEMA) throw new SetupError(`deployment.json: schema is not ${SCHEMA}.`);
  const named = object(record.contracts, "deployment.json: contracts");
  const contracts = Object.fromEntries(
    CONTRACTS.map((name) => [name, address(named[name], `deployment.json: contract ${name}`)]),
  ) as Record<ContractName, Address>;
  const tokens = Object.entries(object(record.tokens, "deployment.json: tokens")).map(([symbol, entry]) => {
    const token = object(entry, `deployment.json: token ${symbol}`);
    return {
      symbol,
      tokenId: integer(token.token_id, `deployment.json: id of ${symbol}`),
      address: address(token.address, `deployment.json: token ${symbol}`),
      decimals: integer(token.decimals, `deployment.json: decimals of ${symbol}`),
    };
  });
  const underlyings = Object.entries(object(record.underlyings, "deployment.json: underlyings")).map(
    ([symbol, id]) => [integer(id, `deployment.json: id of ${symbol}`), symbol] as const,
  );
  return {
    network: typeof record.network === "string" ? record.network : "unknown",
    chainId: integer(record.chain_id, "deployment.json: chain_id"),
    firstBlock: BigInt(integer(record.block, "deployment.json: block")),
    contracts,
    tokens: tokens.sort((a, b) => a.tokenId - b.tokenId),
    underlyings: new Map(underlyings.sort((a, b) => a[0] - b[0])),
  };
}

/** A document beside the page; null when the host has none of this name. */
async function readJson(name: string): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(name, { cache: "no-cache" });
  } catch {
    throw new SetupError(`${name} cannot be loaded: the host of this page does not answer.`);
  }
  if (response.status === 404) return null;
  if (!response.ok) throw new SetupError(`${name} cannot be loaded (status ${response.status}).`);
  try {
    return await response.json();
  } catch {
    throw new SetupError(`${name} is not JSON.`);
  }
}

function webAddress(value: unknown, name: string): string {
  try {
    if (typeof value !== "string") throw new TypeError();
    const url = new URL(value, document.baseURI);
    if (url.protocol !== "http:" && url.protocol !== "https:") throw new TypeError();
    return url.href.replace(/\/$/, "");
  } catch {
    throw new SetupError(`config.json: ${name} is no http address.`);
  }
}

/** What an order service that serves the page says of itself, in the shape of a record. */
export function recordOfService(config: Record<string, unknown>): unknown {
  const tokens = Array.isArray(config.tokens) ? (config.tokens as Record<string, unknown>[]) : [];
  return {
    schema: SCHEMA,
    network: config.network,
    chain_id: config.chainId,
    block: config.firstBlock,
    contracts: config.contracts,
    tokens: Object.fromEntries(
      tokens.map(({ symbol, tokenId, address, decimals }) => [symbol, { token_id: tokenId, address, decimals }]),
    ),
    underlyings: config.underlyings,
  };
}

async function settingsOfService(): Promise<Settings> {
  const found = await readJson("api/config");
  if (found === null) throw new SetupError("config.json is missing beside the page, and no order service serves it.");
  const config = object(found, "api/config");
  if (config.rpcUrl === null) {
    throw new SetupError("the order service names no node; its operator has to publish one, or set config.json.");
  }
  return {
    deployment: parseDeployment(recordOfService(config)),
    rpcUrl: webAddress(config.rpcUrl, "rpcUrl"),
    venueUrl: webAddress(".", "venue"),
  };
}

/**
 * Settings of the page: `config.json` and the deployment beside it, or what the order service that serves it says.
 *
 * Nothing of it comes from the page's address, so that no link can make the page show another chain's figures.
 */
export async function loadSettings(): Promise<Settings> {
  const found = await readJson("config.json");
  if (found === null) return settingsOfService();
  const config = object(found, "config.json");
  const record = await readJson("deployment.json");
  if (record === null) throw new SetupError("deployment.json is missing beside the page.");
  return {
    deployment: parseDeployment(record),
    rpcUrl: webAddress(config.rpc, "rpc"),
    venueUrl: config.venue == null ? null : webAddress(config.venue, "venue"),
  };
}
