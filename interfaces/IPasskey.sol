// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title IPasskey
/// @notice A passkey as the signer of orders: a contract that holds nothing, calls nothing and only checks signatures.
/// @dev `isValidSignature` takes `abi.encode` of the fields of WebAuthn's assertion: r, s, where the challenge and the
/// type are in the client data, the authenticator data, the client data. The challenge is the digest, and the
/// authenticator must have verified its user. Where the chain has the precompile of P-256 at 0x100 (RIP-7212, EIP-7951)
/// it decides, and a Solidity verifier elsewhere.
interface IPasskey is IERC1271 {
    /// @notice Public key of the passkey.
    /// @return x Of the point, x.
    /// @return y Of the point, y.
    function publicKey() external view returns (bytes32 x, bytes32 y);
}
