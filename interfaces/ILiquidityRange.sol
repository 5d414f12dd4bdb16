// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRiskSource} from "./IRiskSource.sol";

/// @title ILiquidityRange
/// @notice What liquidity between two prices is worth: the source of a token of it.
/// @dev The ends are fixed when it is made. It reads nothing else, so nothing can change what it says.
interface ILiquidityRange is IRiskSource {
    /// @notice Thrown when the ends of a range are not in order, or one of them is 0.
    error LiquidityRange__NotInOrder(uint256 lowerRay, uint256 upperRay);
    /// @notice Thrown when an amount is more liquidity than a pool can hold.
    error LiquidityRange__TooMuch(uint256 amountWad, uint256 limitWad);

    /// @notice Roots of the two prices of the base in cash between which the liquidity lies, 1e-27.
    /// @return lowerRay Of the lower price.
    /// @return upperRay Of the higher one.
    function rootsRay() external view returns (uint256 lowerRay, uint256 upperRay);
}
