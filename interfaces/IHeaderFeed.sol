// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IHeaderFeed
/// @notice State roots of one other chain, of blocks that its signers saw final there.
/// @dev Signers attest the hash of a block; whoever relays brings the header that hashes to it. A signer signs what is
/// final on the other chain and nothing else: everything that counts on such a root holds under any reorganisation that
/// leaves final blocks alone. Two hashes of one height prove that the quorum broke that rule, and freeze the feed.
interface IHeaderFeed {
    /// @notice A block of the other chain.
    struct Header {
        bytes32 stateRoot;
        uint40 timestampTs;
        uint40 postedTs;
        /// @dev Number of the set of signers that attested it.
        uint40 epoch;
    }

    /// @notice Emitted when a header is accepted.
    event HeaderPosted(uint256 indexed number, bytes32 indexed blockHash, bytes32 stateRoot, uint256 timestampTs);

    /// @notice Emitted when signed headers contradict each other: nothing counts until governance sets signers anew.
    event HeadersConflict(uint256 indexed number, bytes32 blockHash, bytes32 otherHash);

    /// @notice Emitted when the signers change.
    event SignersSet(address[] signers, uint256 threshold);

    /// @notice Thrown when signatures are fewer than needed.
    error HeaderFeed__TooFewSignatures(uint256 count, uint256 threshold);

    /// @notice Thrown when a signature is not of a signer, or signers do not come in increasing order.
    error HeaderFeed__BadSigner(address signer, address previous);

    /// @notice Thrown when a set of signers is empty, too large, or smaller than its threshold.
    error HeaderFeed__BadSignerSet(uint256 count, uint256 limit);

    /// @notice Thrown when a header is not the one that was signed.
    error HeaderFeed__BadHeader(bytes32 blockHash, bytes32 signedHash);

    /// @notice Thrown when a block was accepted before.
    error HeaderFeed__Known(uint256 number, bytes32 blockHash);

    /// @notice Thrown when the feed is frozen by a contradiction at a height.
    error HeaderFeed__Frozen(uint256 number);

    /// @notice Thrown when a block is not known.
    error HeaderFeed__Unknown(uint256 number, uint256 newest);

    /// @notice Thrown when a block carries a time that lies ahead of this chain by more than is possible.
    error HeaderFeed__FromTheFuture(uint256 timestampTs, uint256 limitTs);

    /// @notice Sets who signs; ends a freeze, and all headers that earlier signers attested.
    /// @dev Governance alone. What was proven on earlier headers stays; what was not is proven on a newer one, because
    /// every amount that is proven is a sum since the beginning.
    /// @param signers In increasing order, 1 to 32.
    /// @param threshold Signatures needed, 1 to as many as there are.
    function setSigners(address[] calldata signers, uint256 threshold) external;

    /// @notice Accepts a header, or freezes the feed when another one of its height was accepted.
    /// @param header RLP as the block hash is taken of.
    /// @param blockHash What the signers signed.
    /// @param signatures Of `blockHash`, by rising address of the signer.
    function postHeader(bytes calldata header, bytes32 blockHash, bytes[] calldata signatures) external;

    /// @notice A block's root and times, to build on: reverts while the feed is frozen.
    /// @param number Height; signers of today must have attested it.
    /// @return header Root, time there, time of acceptance here.
    function headerOf(uint256 number) external view returns (Header memory header);

    /// @notice Highest block accepted, 0 before the first.
    /// @return number Height.
    function newest() external view returns (uint256 number);

    /// @notice Whether a contradiction stopped the feed.
    /// @return isStopped Whether it did.
    function isFrozen() external view returns (bool isStopped);

    /// @notice The chain whose headers these are.
    /// @return chainId Id.
    function remoteChainId() external view returns (uint256 chainId);
}
