/** Events in ranges that the node takes: a refused range is halved until it is one block. */
import { type Address, type Hex, numberToHex, type RpcLog } from "viem";
import { getBlockNumber } from "viem/actions";
import type { Context } from "./client.ts";

export interface Filter {
  readonly address: readonly Address[];
  readonly topics: readonly (Hex | readonly Hex[] | null)[];
}

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
    // A node that is down refuses every half as well: one block decides.
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
  return first > head ? [] : readRange(context, filter, first, head);
}
