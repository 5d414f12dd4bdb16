/** Events since the deployment; what is deep enough to stay is read once, and ranges are as large as the node takes. */
import { type Address, type Hex, hexToBigInt, numberToHex, type RpcLog } from "viem";
import { getBlockNumber } from "viem/actions";
import type { Context } from "./client.ts";

export interface Filter {
  readonly address: readonly Address[];
  readonly topics: readonly (Hex | readonly Hex[] | null)[];
}

interface Kept {
  /** Last block whose events are kept. */
  readonly to: bigint;
  readonly logs: readonly RpcLog[];
}

/** A reorganisation may reach this far back: newer events are read again every time. */
export const DEPTH = 64n;

const caches = new WeakMap<object, Map<string, Kept>>();

async function readRange(context: Context, filter: Filter, from: bigint, to: bigint): Promise<RpcLog[]> {
  try {
    return await context.client.request({
      method: "eth_getLogs",
      params: [
        {
          address: [...filter.address],
          topics: filter.topics.map((topic) => (typeof topic === "string" || topic === null ? topic : [...topic])),
          fromBlock: numberToHex(from),
          toBlock: numberToHex(to),
        },
      ],
    });
  } catch (thrown) {
    // Nodes refuse ranges that are too long or hold too much; one that is down refuses a single block as well.
    if (from === to) throw thrown;
    const middle = (from + to) / 2n;
    const first = await readRange(context, filter, from, middle);
    return [...first, ...(await readRange(context, filter, middle + 1n, to))];
  }
}

/** All events of a filter since the deployment, in order. */
export async function readLogs(context: Context, filter: Filter): Promise<RpcLog[]> {
  const head = await getBlockNumber(context.client, { cacheTime: 0 });
  const first = context.deployment.firstBlock;
  if (first > head) return [];
  const cache = caches.get(context.client) ?? new Map<string, Kept>();
  caches.set(context.client, cache);
  const key = JSON.stringify(filter);
  const found = cache.get(key);
  // A chain that fell back behind what was kept is another chain.
  const kept = found && found.to <= head ? found : { to: first - 1n, logs: [] };
  const fresh = kept.to < head ? await readRange(context, filter, kept.to + 1n, head) : [];
  const all = [...kept.logs, ...fresh];
  const deep = head - DEPTH;
  if (deep > kept.to) {
    const logs = all.filter((log) => log.blockNumber !== null && hexToBigInt(log.blockNumber) <= deep);
    cache.set(key, { to: deep, logs });
  }
  return all;
}
