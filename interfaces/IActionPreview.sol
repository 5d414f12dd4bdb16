// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAuction} from "./IAuction.sol";
import {IMarginEngine} from "./IMarginEngine.sol";

/// @title IActionPreview
/// @notice What an action would do now, to the wei; nothing on chain depends on it.
/// @dev A view answers for the timestamp it runs at: asked for the block of the action, it is exact.
interface IActionPreview {
    /// @notice A liquidation bid and the margins around it: the account's by the book, the bidder's in the own measure.
    /// @custom:unit wad of cash
    struct Liquidation {
        IAuction.Quote quote;
        IMarginEngine.MarginState accountBefore;
        IMarginEngine.MarginState accountAfter;
        IMarginEngine.MarginState bidderBefore;
        IMarginEngine.MarginState bidderAfter;
        /// @dev What the bid adds to the bidder's market equity: value of the slice without haircuts, less what it
        /// pays or plus what it is paid, less the fee and its own share of a socialised loss. In the own measure: a
        /// token that the book counts for more than its source states now gains no more than that.
        int256 profitWad;
        /// @dev Part of the pay that all positive cash would bear.
        uint256 socialisedWad;
        /// @dev Whether the bidder would have its own initial margin, without which the bid reverts.
        bool isAllowed;
    }

    /// @notice Thrown when an account would bid for itself.
    error ActionPreview__SelfBid(uint256 accountId);
    /// @notice Thrown when a loss is larger than the cash that could bear it.
    error ActionPreview__LossTooLarge(uint256 lossWad, uint256 positiveCashWad);

    /// @notice Previews a bid; an account that is not under auction yet is treated as if it were started now.
    /// @param accountId Liquidated account.
    /// @param bidderId Account that would take the slice.
    /// @param maxFractionWad Largest fraction wanted.
    /// @return result Fraction, price and cash, both accounts before and after, and the bidder's profit.
    function previewLiquidation(uint256 accountId, uint256 bidderId, uint256 maxFractionWad)
        external
        view
        returns (Liquidation memory result);

    /// @notice Largest amount that can be withdrawn now: with it the withdrawal passes, with one unit more it reverts.
    /// @dev Reverts where a margin number is needed and the feed gives none.
    /// @param accountId Account.
    /// @param token Token.
    /// @return amountRaw Amount in the token's own decimals.
    function maxWithdraw(uint256 accountId, address token) external view returns (uint256 amountRaw);
}
