import { describe, expect, it } from "vitest";
import type { Context } from "../../src/chain/client.ts";
import { parseDeployment } from "../../src/chain/deployment.ts";
import { DEPTH, readLogs } from "../../src/chain/logs.ts";
import { record } from "./record.ts";

interface Range {
  readonly fromBlock: string;
  readonly toBlock: string;
}

/** A node with one event in every tenth block, which refuses ranges above a length. */
function node(longest: number) {
  const asked: [number, number][] = [];
  const state = { head: 200, isDown: false, asked };
  const client = {
    request: async ({ method, params }: { method: string; params?: [Range] }) => {
      if (state.isDown) throw new Error("down");
      if (method === "eth_blockNumber") return `0x${state.head.toString(16)}`;
      const [range] = params ?? [];
      const [from, to] = [Number(range?.fromBlock), Number(range?.toBlock)];
      if (to - from + 1 > longest) throw new Error("range too long");
      asked.push([from, to]);
      const blocks = Array.from({ length: to - from + 1 }, (_, index) => from + index).filter(
        (block) => block % 10 === 0,
      );
      return blocks.map((block) => ({ blockNumber: `0x${block.toString(16)}`, topics: [] }));
    },
  };
  return { context: { client, deployment: parseDeployment(record()) } as unknown as Context, state };
}

const FILTER = { address: [], topics: [] };
const blocksOf = async (context: Context) => (await readLogs(context, FILTER)).map((log) => Number(log.blockNumber));
const upTo = (head: number) => Array.from({ length: Math.floor(head / 10) }, (_, index) => 10 * (index + 1));

describe("events since the deployment", () => {
  it("are read in one request where the node takes it", async () => {
    const { context, state } = node(1000);
    expect(await blocksOf(context)).toEqual(upTo(200));
    expect(state.asked).toEqual([[7, 200]]);
  });

  it("are read in halves where it does not, each block once and in order", async () => {
    const { context, state } = node(16);
    expect(await blocksOf(context)).toEqual(upTo(200));
    expect(state.asked.every(([from, to]) => to - from < 16)).toBe(true);
    expect(state.asked.reduce((sum, [from, to]) => sum + to - from + 1, 0)).toBe(194);
  });

  it("are read again only as far back as a reorganisation may reach", async () => {
    const { context, state } = node(1000);
    await blocksOf(context);
    state.head = 230;
    state.asked.length = 0;
    expect(await blocksOf(context)).toEqual(upTo(230));
    expect(state.asked).toEqual([[200 - Number(DEPTH) + 1, 230]]);
  });

  it("are all read again from a chain that fell back", async () => {
    const { context, state } = node(1000);
    await blocksOf(context);
    state.head = 50;
    state.asked.length = 0;
    expect(await blocksOf(context)).toEqual(upTo(50));
    expect(state.asked).toEqual([[7, 50]]);
  });

  it("are not invented when the node is down", async () => {
    const { context, state } = node(1000);
    state.isDown = true;
    await expect(readLogs(context, FILTER)).rejects.toThrow("down");
  });
});
