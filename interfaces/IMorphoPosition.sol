// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ILendingPosition} from "./ILendingPosition.sol";

/// @title IMorphoPosition
/// @notice A loan in one market of Morpho Blue.
/// @dev Anybody adds collateral with `supplyCollateral` of Morpho and repays with its `repay`, both on behalf of this
/// contract. What is lent on its behalf counts nothing and stays there.
interface IMorphoPosition is ILendingPosition {
    /// @notice Which market.
    struct Venue {
        address morpho;
        bytes32 marketId;
    }

    /// @notice Where the loan is.
    /// @return venue Morpho and the market.
    function venueOf() external view returns (Venue memory venue);
}
