import { CONTRACTS } from "../../src/chain/deployment.ts";

/** A record of a deployment as `plimsoll deploy` writes it. */
export const record = (): Record<string, unknown> => ({
  schema: "plimsoll.deployment/1",
  network: "local",
  chain_id: 31337,
  block: 7,
  contracts: Object.fromEntries(
    CONTRACTS.map((name, index) => [name, `0x${(index + 1).toString(16).padStart(40, "0")}`]),
  ),
  tokens: {
    WETH: { token_id: 1, address: `0x${"b".repeat(40)}`, decimals: 18 },
    USDC: { token_id: 0, address: `0x${"a".repeat(40)}`, decimals: 6 },
  },
  underlyings: { BTC: 2, ETH: 1 },
  parameters: {},
});
