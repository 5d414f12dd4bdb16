// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title AuctionStub
/// @notice Auction that knows what the vault asks, set by the test.
contract AuctionStub {
    /// @notice Loss that positive cash is expected to bear, wad.
    uint256 public openInsolventLossWad;
    /// @notice Whether an account is under auction.
    mapping(uint256 accountId => bool) public isUnderAuction;

    /// @notice Sets the open loss.
    /// @param lossWad Loss, wad.
    function setLoss(uint256 lossWad) external {
        openInsolventLossWad = lossWad;
    }

    /// @notice Puts an account under auction, or takes it out.
    /// @param accountId Account.
    /// @param isOpen Whether it is.
    function setUnderAuction(uint256 accountId, bool isOpen) external {
        isUnderAuction[accountId] = isOpen;
    }
}
