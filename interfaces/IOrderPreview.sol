// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExchange} from "./IExchange.sol";
import {IMarginEngine} from "./IMarginEngine.sol";
import {IRiskEngine} from "./IRiskEngine.sol";

/// @title IOrderPreview
/// @notice Margin of an account as if its open orders filled; nothing on chain depends on it.
/// @dev For every underlying four cases are tried: nothing fills, all buys, all sells, everything; each order at its
/// limit price and for all that is left of it, in the own measure of the margin engine, as a fill is. These are the
/// corners that matter most, not every subset: an account with many legs can need more when just some of them fill. No
/// fill goes unchecked for that: the exchange asks for the margin of every fill when it happens.
/// @custom:mirror plimsoll.mirror.order_preview
interface IOrderPreview {
    /// @notice Which orders of an underlying fill.
    enum Fill {
        NONE,
        BUYS,
        SELLS,
        ALL
    }

    /// @notice The worst case of one underlying.
    struct WorstFill {
        uint8 underlyingId;
        Fill fill;
        /// @dev Equity less initial margin of the account when only these orders fill, wad of cash.
        int256 excessWad;
    }

    /// @notice Margin now, and with the worst case of every underlying at once.
    /// @dev Outside of mode CROSS underlyings add up, so that this is the worst of all combinations of the four cases;
    /// in CROSS each underlying's case is chosen alone.
    struct Preview {
        IMarginEngine.MarginState before_;
        IMarginEngine.MarginState worst;
        IRiskEngine.UnderlyingDetail[] detailsBefore;
        IRiskEngine.UnderlyingDetail[] detailsWorst;
        WorstFill[] fills;
        /// @dev What is left of each order, wad; 0 when it is cancelled, out of date, shut out by another
        /// of its nonce, or its instrument has expired. A trigger counts as met.
        uint256[] remainingWad;
    }

    /// @notice Thrown when an order is of another account.
    error OrderPreview__WrongAccount(uint256 observed, uint256 expected);

    /// @notice Previews open orders; signatures and the authority of signers are not checked.
    /// @param accountId Account.
    /// @param orders Its orders.
    /// @return preview Margin with every component, row and greek, before and in the worst case.
    function previewOrders(uint256 accountId, IExchange.Order[] calldata orders)
        external
        view
        returns (Preview memory preview);
}
