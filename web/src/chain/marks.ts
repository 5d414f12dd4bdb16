/** What the contracts value one unit of an instrument at. */
import { readContract } from "viem/actions";
import { riskEngineAbi } from "./abi.ts";
import type { AtBlock, Context } from "./client.ts";
import { refusedOnly } from "./market.ts";
import { WAD } from "./units.ts";
import { type Instrument, isOption, pack } from "./words.ts";

const E8_TO_WAD = 10n ** 10n;

/** Mark of one unit, wad: the price of an option, the price at which a linear instrument has no profit; null when stale. */
export async function markOf(
  context: Context | AtBlock,
  instrument: Instrument,
  spotWad: bigint,
): Promise<bigint | null> {
  const option = isOption(instrument.kind);
  const entryE8 = option ? instrument.strikeE8 : spotWad / E8_TO_WAD;
  const risk = await readContract(context.client, {
    address: context.deployment.contracts.RiskEngine,
    abi: riskEngineAbi,
    functionName: "riskOf",
    args: [instrument.underlyingId, [pack(instrument, entryE8, WAD)], 0n],
    ...("blockNumber" in context ? { blockNumber: context.blockNumber } : {}),
  }).catch(refusedOnly);
  if (!risk) return null;
  return option ? risk.markWad : entryE8 * E8_TO_WAD + risk.markWad;
}
