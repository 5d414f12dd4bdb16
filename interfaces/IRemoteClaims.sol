// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IRemoteClaims
/// @notice Tokens that wait in the escrow of another chain, as tokens of this one.
/// @dev A claim is an ERC-20 made by a proof of what was locked, for whom it was locked, and from then on a token like
/// any other: deposited, margined, sliced and withdrawn without anything being known about the other chain. Whoever
/// holds it burns it here, names a receiver there, and proves that on the other chain. So a unit is either free there,
/// or locked and on its way, or a claim here, or redeemed and on its way back, never two of these.
/// It comes to a wallet and not into an account, because nobody may put anything into the account of another.
interface IRemoteClaims {
    /// @notice Emitted when a token of the other chain gets its claim.
    event ClaimListed(address indexed remoteToken, address claim, string symbol, uint8 decimals, uint256 capRaw);

    /// @notice Emitted when the cap of a claim changes.
    event CapSet(address indexed remoteToken, uint256 beforeRaw, uint256 afterRaw);

    /// @notice Emitted when claims are made.
    /// @param remoteToken Token of the other chain.
    /// @param to Whom they were locked for.
    /// @param amountRaw Made.
    /// @param totalRaw Made for it since the beginning.
    event Claimed(address indexed remoteToken, address indexed to, uint256 amountRaw, uint256 totalRaw);

    /// @notice Emitted when claims are burnt for tokens of the other chain.
    /// @param remoteToken Token of the other chain.
    /// @param to Receiver there.
    /// @param amountRaw Burnt.
    /// @param totalRaw Redeemed for the receiver since the beginning.
    event Redeemed(address indexed remoteToken, address indexed to, uint256 amountRaw, uint256 totalRaw);

    /// @notice Thrown when a token has no claim.
    error RemoteClaims__UnknownToken(address remoteToken);

    /// @notice Thrown when a token has a claim already.
    error RemoteClaims__AlreadyListed(address remoteToken, address claim);

    /// @notice Thrown when a proof shows no more than was claimed.
    error RemoteClaims__NothingNew(uint256 provenRaw, uint256 claimedRaw);

    /// @notice Thrown when no claim fits under the cap any more.
    error RemoteClaims__AboveCap(uint256 supplyRaw, uint256 capRaw);

    /// @notice Thrown when a receiver cannot be one.
    error RemoteClaims__BadReceiver(address to);

    /// @notice Thrown when an amount is zero.
    error RemoteClaims__ZeroAmount(uint256 observedRaw, uint256 minimumRaw);

    /// @notice A proof of a word of the other chain's storage, as `eth_getProof` gives it.
    struct Proof {
        /// @dev Block there, accepted by the header feed.
        uint256 number;
        bytes[] account;
        bytes[] storage_;
    }

    /// @notice Makes the claim of a token of the other chain.
    /// @dev Governance alone. The vault lists it as any token afterwards, with haircut and cap.
    /// @param remoteToken Token there.
    /// @param name Of the claim.
    /// @param symbol Of the claim.
    /// @param decimals Those of the token there.
    /// @param capRaw Most claims there may be.
    /// @return claim ERC-20.
    function listClaim(
        address remoteToken,
        string calldata name,
        string calldata symbol,
        uint8 decimals,
        uint256 capRaw
    ) external returns (address claim);

    /// @notice Sets the most claims of a token there may be; those above stay.
    /// @param remoteToken Token there.
    /// @param capRaw Cap.
    function setCap(address remoteToken, uint256 capRaw) external;

    /// @notice Makes the claims that a proof shows, for whom they were locked. Anybody may.
    /// @dev As many as the cap leaves room for; the rest is claimed later, on the same proof or a newer one.
    /// @param remoteToken Token there.
    /// @param to Whom they were locked for.
    /// @param proof Of `RemoteEscrow.lockedRaw`.
    function claim(address remoteToken, address to, Proof calldata proof) external;

    /// @notice Burns claims of the caller for tokens of the other chain.
    /// @param remoteToken Token there.
    /// @param amountRaw Amount.
    /// @param to Receiver there.
    function redeem(address remoteToken, uint256 amountRaw, address to) external;

    /// @notice Redeemed for a receiver since the beginning.
    /// @param remoteToken Token there.
    /// @param to Receiver there.
    /// @return totalRaw Sum, which never falls.
    function redeemedRaw(address remoteToken, address to) external view returns (uint256 totalRaw);

    /// @notice Made for an address since the beginning.
    /// @param remoteToken Token there.
    /// @param to Whom they were locked for.
    /// @return totalRaw Sum, which never falls.
    function claimedRaw(address remoteToken, address to) external view returns (uint256 totalRaw);

    /// @notice Claim of a token.
    /// @param remoteToken Token there.
    /// @return claimToken ERC-20 here; zero when there is none.
    /// @return capRaw Most there may be.
    function claimOf(address remoteToken) external view returns (address claimToken, uint256 capRaw);
}
