"""The border to an EVM node: the local chain, JSON-RPC, ABI encoding, EIP-712 signing, deployment."""
