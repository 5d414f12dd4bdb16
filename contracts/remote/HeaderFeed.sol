// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {BlockHeader} from "@openzeppelin/contracts/utils/BlockHeader.sol";
import {Memory} from "@openzeppelin/contracts/utils/Memory.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IHeaderFeed} from "../../interfaces/IHeaderFeed.sol";

/// @title HeaderFeed
/// @notice See IHeaderFeed.
contract HeaderFeed is IHeaderFeed, AccessManaged, EIP712 {
    bytes32 private constant FINAL_BLOCK =
        keccak256("FinalBlock(uint256 remoteChainId,uint256 number,bytes32 blockHash)");
    uint256 private constant MAX_SIGNERS = 32;
    /// @dev Clocks of two chains may differ by this much.
    uint256 private constant CLOCK_SEC = 15 minutes;

    uint256 private immutable REMOTE_CHAIN_ID;

    /// @notice Whether an address may sign.
    mapping(address => bool) public isSigner;

    /// @notice Signatures needed.
    uint256 public threshold;

    /// @inheritdoc IHeaderFeed
    uint256 public override newest;

    /// @inheritdoc IHeaderFeed
    bool public override isFrozen;

    address[] private _signers;
    uint40 private _epoch;
    mapping(uint256 number => Header) private _headers;
    /// @dev By number of the set of signers and height.
    mapping(uint256 epoch => mapping(uint256 number => bytes32)) private _hashes;

    constructor(address authority, uint256 remoteChainId_)
        AccessManaged(authority)
        EIP712("Plimsoll HeaderFeed", "1")
    {
        REMOTE_CHAIN_ID = remoteChainId_;
    }

    /// @inheritdoc IHeaderFeed
    function setSigners(address[] calldata signers, uint256 threshold_) external override restricted {
        if (signers.length == 0 || signers.length > MAX_SIGNERS) {
            revert HeaderFeed__BadSignerSet(signers.length, MAX_SIGNERS);
        }
        if (threshold_ == 0 || threshold_ > signers.length) {
            revert HeaderFeed__BadSignerSet(threshold_, signers.length);
        }
        for (uint256 i; i < _signers.length; ++i) {
            isSigner[_signers[i]] = false;
        }
        address previous;
        for (uint256 i; i < signers.length; ++i) {
            if (signers[i] <= previous) revert HeaderFeed__BadSigner(signers[i], previous);
            previous = signers[i];
            isSigner[previous] = true;
        }
        (_signers, threshold, isFrozen, newest) = (signers, threshold_, false, 0);
        ++_epoch;
        emit SignersSet(signers, threshold_);
    }

    /// @inheritdoc IHeaderFeed
    function postHeader(bytes calldata header, bytes32 blockHash, bytes[] calldata signatures) external override {
        if (isFrozen) revert HeaderFeed__Frozen(newest);
        if (keccak256(header) != blockHash) revert HeaderFeed__BadHeader(keccak256(header), blockHash);
        Memory.Slice[] memory fields = BlockHeader.parseHeader(header);
        uint256 number = BlockHeader.getNumber(fields);
        _requireSigned(keccak256(abi.encode(FINAL_BLOCK, REMOTE_CHAIN_ID, number, blockHash)), signatures);
        bytes32 known = _hashes[_epoch][number];
        if (known == blockHash) revert HeaderFeed__Known(number, blockHash);
        if (known != 0) {
            isFrozen = true;
            emit HeadersConflict(number, known, blockHash);
            return;
        }
        uint256 timestampTs = BlockHeader.getTimestamp(fields);
        uint256 limitTs = block.timestamp + CLOCK_SEC;
        if (timestampTs > limitTs) revert HeaderFeed__FromTheFuture(timestampTs, limitTs);
        bytes32 stateRoot = BlockHeader.getStateRoot(fields);
        _hashes[_epoch][number] = blockHash;
        _headers[number] = Header(stateRoot, uint40(timestampTs), uint40(block.timestamp), _epoch);
        if (number > newest) newest = number;
        emit HeaderPosted(number, blockHash, stateRoot, timestampTs);
    }

    /// @inheritdoc IHeaderFeed
    function headerOf(uint256 number) external view override returns (Header memory header) {
        if (isFrozen) revert HeaderFeed__Frozen(newest);
        header = _headers[number];
        if (header.epoch == 0 || header.epoch != _epoch) revert HeaderFeed__Unknown(number, newest);
    }

    /// @inheritdoc IHeaderFeed
    function remoteChainId() external view override returns (uint256) {
        return REMOTE_CHAIN_ID;
    }

    /// @dev Signers must come in increasing order: a repeated signature can never count twice.
    function _requireSigned(bytes32 structHash, bytes[] calldata signatures) private view {
        uint256 needed = threshold;
        if (needed == 0 || signatures.length < needed) {
            revert HeaderFeed__TooFewSignatures(signatures.length, needed);
        }
        bytes32 digest = _hashTypedDataV4(structHash);
        address previous;
        for (uint256 i; i < signatures.length; ++i) {
            address signer = ECDSA.recover(digest, signatures[i]);
            if (!isSigner[signer] || signer <= previous) revert HeaderFeed__BadSigner(signer, previous);
            previous = signer;
        }
    }
}
