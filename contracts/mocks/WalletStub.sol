// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title WalletStub
/// @notice Contract wallet that agrees to what one key has signed (ERC-1271).
contract WalletStub is IERC1271 {
    address private immutable KEY;

    constructor(address key) {
        KEY = key;
    }

    /// @notice Whether the key has signed.
    /// @param digest Digest.
    /// @param signature Signature.
    /// @return Magic value, or 0.
    function isValidSignature(bytes32 digest, bytes calldata signature) external view override returns (bytes4) {
        (address signer,,) = ECDSA.tryRecoverCalldata(digest, signature);
        return signer == KEY ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}
