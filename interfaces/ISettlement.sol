// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title ISettlement
/// @notice Turns positions of an expired series into cash at the settlement price; anyone may call, in batches.
/// @dev Needs no margin number, so a stale round cannot stop it. Settling an account twice changes nothing.
interface ISettlement {
    /// @notice Emitted for every account that held positions of the series.
    /// @param accountId Account.
    /// @param underlyingId Underlying.
    /// @param expiryTs Expiry.
    /// @param priceWad Settlement price, wad.
    /// @param settled Positions settled.
    event AccountSettled(
        uint256 indexed accountId,
        uint8 indexed underlyingId,
        uint40 indexed expiryTs,
        uint256 priceWad,
        uint256 settled
    );

    /// @notice Settles one series for some accounts; reverts while the oracle has no settlement price of it.
    /// @param underlyingId Underlying.
    /// @param expiryTs Expiry.
    /// @param accountIds Accounts.
    /// @return settled Positions settled over all of them.
    function settle(uint8 underlyingId, uint40 expiryTs, uint256[] calldata accountIds)
        external
        returns (uint256 settled);
}
