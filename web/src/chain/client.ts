/** The node that the page reads from; every figure of one picture is read at one block. */
import { type Chain, type Client, createClient, defineChain, type HttpTransport, http } from "viem";
import type { Deployment, Settings } from "./deployment.ts";

export type ChainClient = Client<HttpTransport, Chain>;

/** What every reader needs: a node, the addresses, and the block that is looked at. */
export interface Context {
  readonly client: ChainClient;
  readonly deployment: Deployment;
}

export interface AtBlock extends Context {
  readonly blockNumber: bigint;
}

export const READ_TIMEOUT_MS = 15_000;

export function chainOf(deployment: Deployment, rpcUrl: string): Chain {
  return defineChain({
    id: deployment.chainId,
    name: deployment.network === "local" ? "Plimsoll local" : deployment.network,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
}

/** Requests of one tick go out as one body. */
export function connect(settings: Settings): ChainClient {
  return createClient({
    chain: chainOf(settings.deployment, settings.rpcUrl),
    transport: http(settings.rpcUrl, { batch: { batchSize: 100 }, retryCount: 1, timeout: READ_TIMEOUT_MS }),
  });
}
