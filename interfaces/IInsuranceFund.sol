// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IInsuranceFund
/// @notice Reserve that pays for insolvent accounts before losses are shared; its cash is account 1 of the ledger.
/// @dev Within an hour it pays at most `fundPerHourWad` of what it held before: a draw counts for 60 to 80 minutes
/// (spans of 20 minutes), so that no hour, wherever it begins, sees more. Nobody empties it faster than it is noticed.
interface IInsuranceFund {
    /// @notice Emitted when the fund pays.
    /// @param accountId Account that was paid for.
    /// @param paidWad Cash paid.
    /// @param leftWad Cash left.
    event FundDrawn(uint256 indexed accountId, uint256 paidWad, uint256 leftWad);

    /// @notice Emitted when governance takes cash out.
    /// @param toId Account that received it.
    /// @param amountWad Cash.
    /// @param leftWad Cash left.
    event FundWithdrawn(uint256 indexed toId, uint256 amountWad, uint256 leftWad);

    /// @notice Thrown when anyone but the auction draws.
    error InsuranceFund__NotAuction(address caller, address auction);
    /// @notice Thrown when the fund holds less than is taken out.
    error InsuranceFund__InsufficientCash(int256 observedWad, uint256 neededWad);
    /// @notice Thrown when the auction is set twice.
    error InsuranceFund__AuctionFixed(address auction);

    /// @notice Pays an account as far as the fund reaches and its hourly limit allows. Auction only.
    /// @param toId Account that is paid.
    /// @param forId Account whose loss it is.
    /// @param wantedWad Cash wanted.
    /// @return paidWad Cash paid.
    function draw(uint256 toId, uint256 forId, uint256 wantedWad) external returns (uint256 paidWad);

    /// @notice Moves cash of the fund to an account. Governance only.
    /// @param toId Account that receives it.
    /// @param amountWad Cash.
    function withdraw(uint256 toId, uint256 amountWad) external;

    /// @notice Fixes the auction, once. Governance only.
    /// @param auction Auction.
    function setAuction(address auction) external;

    /// @notice What the fund may pay now.
    /// @return cashWad Cash, wad.
    function availableWad() external view returns (uint256 cashWad);

    /// @notice Cash of the fund.
    /// @return Cash, wad.
    function balanceWad() external view returns (int256);
}
