// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {Exp} from "./Exp.sol";
import {Units} from "./Units.sol";

/// @title LiquidityMath
/// @notice What concentrated liquidity between two prices is worth at a price, and how its worth bends.
/// @dev Roots of prices are in units of 1e-27 (ray), so that the difference of two roots of a narrow range keeps
/// digits. With s, a and b the roots of the price and of the ends, one unit of liquidity is worth b - a above the
/// range, y/a - y/b below it, and 2*s - y/b - a in between: concave, continuous, never falling. Concave means that
/// the tokens which the liquidity stands for at any price of the pool are, valued at y, worth no less than this.
/// @custom:domain prices in [1e-12, 1e12] cash, liquidity below 2^128 wad
/// @custom:unit wad, roots ray
/// @custom:error-bound 3e-27 of the liquidity, beside the rounding to whole wei
/// @custom:mirror plimsoll.mirror.liquidity
library LiquidityMath {
    uint256 private constant RAY = 1e27;
    uint256 private constant RAY_SQUARED = 1e54;
    /// @dev Takes a wad to the square of a ray.
    uint256 private constant WAD_TO_SQUARE = 1e36;
    /// @dev ln(1.0001)/2 and ln(10)/2, 36 digits.
    int256 private constant ROOT_OF_TICK_E36 = 49997500166654167666583340475565;
    int256 private constant ROOT_OF_TEN_E36 = 1151292546497022842008995727342182103;
    int256 private constant E36_TO_WAD = Units.WAD;

    /// @notice Root of the price at a tick.
    /// @custom:error-bound 3e-16 relative
    /// @param tick Tick, counted so that the price of the base in cash rises with it.
    /// @param decimalsUp Decimals of the base less those of cash.
    /// @return rootRay Root.
    function rootAtTick(int256 tick, int256 decimalsUp) internal pure returns (uint256 rootRay) {
        int256 lnWad = (tick * ROOT_OF_TICK_E36 + decimalsUp * ROOT_OF_TEN_E36) / E36_TO_WAD;
        // A small root would keep few digits of a wad: its inverse keeps all.
        rootRay = lnWad < 0 ? 1e45 / Exp.expWad(-lnWad) : Exp.expWad(lnWad) * 1e9;
    }

    /// @notice Worth of liquidity.
    /// @custom:rounding down
    /// @param lowerRay Root of the lower end, positive.
    /// @param upperRay Root of the upper end, above it.
    /// @param liquidityWad Liquidity.
    /// @param priceWad Price.
    /// @return Cash.
    function valueOf(uint256 lowerRay, uint256 upperRay, uint256 liquidityWad, uint256 priceWad)
        internal
        pure
        returns (uint256)
    {
        uint256 square = priceWad * WAD_TO_SQUARE;
        uint256 rootRay = FixedPointMathLib.sqrt(square);
        if (rootRay >= upperRay) return liquidityWad * (upperRay - lowerRay) / RAY;
        uint256 wholeRay = rootRay > lowerRay ? 2 * rootRay - lowerRay : square / lowerRay;
        // Of next to nothing both are cut off, and what is taken off may be the larger.
        uint256 perUnitRay = FixedPointMathLib.zeroFloorSub(wholeRay, FixedPointMathLib.divUp(square, upperRay));
        return liquidityWad * perUnitRay / RAY;
    }

    /// @notice Units of the base that liquidity holds: what its worth rises by with the price.
    /// @custom:rounding down
    /// @param lowerRay Root of the lower end, positive.
    /// @param upperRay Root of the upper end, above it.
    /// @param liquidityWad Liquidity.
    /// @param priceWad Price.
    /// @return Units, wad.
    function unitsOf(uint256 lowerRay, uint256 upperRay, uint256 liquidityWad, uint256 priceWad)
        internal
        pure
        returns (uint256)
    {
        uint256 rootRay = FixedPointMathLib.sqrt(priceWad * WAD_TO_SQUARE);
        if (rootRay >= upperRay) return 0;
        if (rootRay < lowerRay) rootRay = lowerRay;
        // At the upper end both are cut off, and what is taken off may be the larger.
        uint256 perUnitRay =
            FixedPointMathLib.zeroFloorSub(RAY_SQUARED / rootRay, FixedPointMathLib.divUp(RAY_SQUARED, upperRay));
        return liquidityWad * perUnitRay / RAY;
    }

    /// @notice What its units fall by with the price, 1/(2*s^3) of a unit of liquidity; 0 outside the range.
    /// @custom:rounding down
    /// @param lowerRay Root of the lower end, positive.
    /// @param upperRay Root of the upper end, above it.
    /// @param liquidityWad Liquidity.
    /// @param priceWad Price.
    /// @return Units per cash of price, wad.
    function bendOf(uint256 lowerRay, uint256 upperRay, uint256 liquidityWad, uint256 priceWad)
        internal
        pure
        returns (uint256)
    {
        uint256 rootRay = FixedPointMathLib.sqrt(priceWad * WAD_TO_SQUARE);
        if (rootRay <= lowerRay || rootRay >= upperRay) return 0;
        uint256 inverseRay = RAY_SQUARED / rootRay;
        uint256 cubeRay = inverseRay * inverseRay / RAY * inverseRay / RAY;
        return FixedPointMathLib.fullMulDiv(liquidityWad, cubeRay, 2 * RAY);
    }
}
