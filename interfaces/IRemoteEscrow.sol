// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IRemoteEscrow
/// @notice Where tokens of this chain wait while their claims count as collateral on the home chain.
/// @dev Both directions are sums since the beginning that only grow: what was locked for an address is proven on the
/// home chain, what was redeemed there for an address is proven here. So a proof may be old, repeated, or overtaken by
/// another, and nothing is counted twice. Nobody has any power over the tokens: no owner, no upgrade, no way out but a
/// proof.
interface IRemoteEscrow {
    /// @notice Emitted when tokens are locked.
    /// @param token Token of this chain.
    /// @param to Who gets the claim on the home chain.
    /// @param amountRaw Received.
    /// @param totalRaw Locked for it since the beginning.
    event Locked(address indexed token, address indexed to, uint256 amountRaw, uint256 totalRaw);

    /// @notice Emitted when tokens leave.
    /// @param token Token of this chain.
    /// @param to Who redeemed them on the home chain, or whom it named.
    /// @param amountRaw Sent.
    /// @param totalRaw Sent to it since the beginning.
    event Released(address indexed token, address indexed to, uint256 amountRaw, uint256 totalRaw);

    /// @notice Thrown when an amount is zero.
    error RemoteEscrow__ZeroAmount(uint256 observedRaw, uint256 minimumRaw);

    /// @notice Thrown when what was locked for an address since the beginning would be more than a proof carries.
    error RemoteEscrow__TooMuch(uint256 totalRaw, uint256 limitRaw);

    /// @notice Thrown when a proof shows no more than has left already.
    error RemoteEscrow__NothingNew(uint256 provenRaw, uint256 releasedRaw);

    /// @notice Thrown when the home contract is set a second time, or by another than who deployed.
    error RemoteEscrow__HomeFixed(address home, address caller);

    /// @notice Thrown when the home contract is not set yet.
    error RemoteEscrow__NoHome(address home);

    /// @notice Names the contract on the home chain whose redemptions count, once.
    /// @dev By the deployer: the two contracts know each other's addresses, so one of them comes first.
    /// @param home RemoteClaims there.
    function setHome(address home) external;

    /// @notice Thrown when nobody could have the claim.
    error RemoteEscrow__BadReceiver(address to);

    /// @notice Locks tokens of the caller; their claim on the home chain is for whom it names.
    /// @dev What arrives counts, not what was asked for: a fee on transfer locks less.
    /// @param token Token; what the home chain does not list is locked, and cannot be claimed until it is.
    /// @param amountRaw Amount.
    /// @param to Who gets the claim.
    function lock(address token, uint256 amountRaw, address to) external;

    /// @notice Sends what was redeemed on the home chain and has not left yet. Anybody may.
    /// @param token Token of this chain.
    /// @param to Receiver as the redemption names it.
    /// @param number Block of the home chain, accepted by the header feed.
    /// @param accountProof Nodes to the home contract.
    /// @param storageProof Nodes to `redeemedRaw[token][to]`.
    function release(
        address token,
        address to,
        uint256 number,
        bytes[] calldata accountProof,
        bytes[] calldata storageProof
    ) external;

    /// @notice Locked since the beginning.
    /// @param token Token of this chain.
    /// @param to Who gets the claim.
    /// @return totalRaw Sum, which never falls.
    function lockedRaw(address token, address to) external view returns (uint256 totalRaw);

    /// @notice Sent since the beginning.
    /// @param token Token of this chain.
    /// @param to Receiver.
    /// @return totalRaw Sum, which never falls.
    function releasedRaw(address token, address to) external view returns (uint256 totalRaw);
}
