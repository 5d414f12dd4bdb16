// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ILiquidityRange} from "../../interfaces/ILiquidityRange.sol";
import {LiquidityMath} from "../libraries/LiquidityMath.sol";

/// @title LiquidityRange
/// @notice See ILiquidityRange. By itself it values tokens that are only asked about; LiquidityToken holds some.
contract LiquidityRange is ILiquidityRange {
    uint256 private immutable LOWER_RAY;
    uint256 private immutable UPPER_RAY;

    /// @param lowerRay Root of the lower price, 1e-27.
    /// @param upperRay Root of the higher one.
    constructor(uint256 lowerRay, uint256 upperRay) {
        if (lowerRay == 0 || lowerRay >= upperRay) revert LiquidityRange__NotInOrder(lowerRay, upperRay);
        (LOWER_RAY, UPPER_RAY) = (lowerRay, upperRay);
    }

    /// @inheritdoc ILiquidityRange
    function rootsRay() external view override returns (uint256 lowerRay, uint256 upperRay) {
        return (LOWER_RAY, UPPER_RAY);
    }

    /// @notice See IRiskSource.
    /// @dev Of nothing but the prices it is asked about: neither the pool nor what is held here is looked at.
    /// @param amountWad Amount.
    /// @param pricesWad Prices.
    /// @return unitsWad Units of the base.
    /// @return gammaWad What they change by with the price.
    /// @return valuesWad Worth at each price.
    function valuesAt(uint256 amountWad, uint256[] calldata pricesWad)
        external
        view
        override
        returns (int256 unitsWad, int256 gammaWad, uint256[] memory valuesWad)
    {
        if (amountWad > type(uint128).max) revert LiquidityRange__TooMuch(amountWad, type(uint128).max);
        unitsWad = int256(LiquidityMath.unitsOf(LOWER_RAY, UPPER_RAY, amountWad, pricesWad[0]));
        gammaWad = -int256(LiquidityMath.bendOf(LOWER_RAY, UPPER_RAY, amountWad, pricesWad[0]));
        valuesWad = new uint256[](pricesWad.length);
        for (uint256 i; i < pricesWad.length; ++i) {
            valuesWad[i] = LiquidityMath.valueOf(LOWER_RAY, UPPER_RAY, amountWad, pricesWad[i]);
        }
    }
}
