// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {FeedLimits} from "./FeedLimits.sol";

/// @title Quorum
/// @notice Who signs for the oracle, and whether enough of them have signed a message. See IOracle.
abstract contract Quorum is FeedLimits, EIP712 {
    uint256 private constant MAX_SIGNERS = 32;

    /// @notice Whether an address may sign.
    mapping(address => bool) public isSigner;

    address[] private _signers;

    constructor() EIP712("Plimsoll Oracle", "1") {}

    /// @inheritdoc IOracle
    function setSigners(address[] calldata signers, uint256 threshold_) external override restricted {
        if (signers.length == 0 || signers.length > MAX_SIGNERS) {
            revert Oracle__BadSignerSet(signers.length, MAX_SIGNERS);
        }
        if (threshold_ == 0 || threshold_ > signers.length) revert Oracle__BadSignerSet(threshold_, signers.length);
        for (uint256 i; i < _signers.length; ++i) {
            isSigner[_signers[i]] = false;
        }
        address previous;
        for (uint256 i; i < signers.length; ++i) {
            if (signers[i] <= previous) revert Oracle__BadSigner(signers[i], previous);
            previous = signers[i];
            isSigner[previous] = true;
        }
        _signers = signers;
        _limits.threshold = uint8(threshold_);
        emit SignersSet(signers, threshold_);
    }

    /// @notice Signatures needed.
    /// @return Count.
    function threshold() external view returns (uint256) {
        return _limits.threshold;
    }

    /// @dev Signers must come in increasing order: a repeated signature can never count twice.
    function _requireSigned(bytes32 structHash, bytes[] calldata signatures) internal view {
        uint256 needed = _limits.threshold;
        if (needed == 0 || signatures.length < needed) revert Oracle__TooFewSignatures(signatures.length, needed);
        bytes32 digest = _hashTypedDataV4(structHash);
        address previous;
        for (uint256 i; i < signatures.length; ++i) {
            address signer = ECDSA.recover(digest, signatures[i]);
            if (!isSigner[signer] || signer <= previous) revert Oracle__BadSigner(signer, previous);
            previous = signer;
        }
    }
}
