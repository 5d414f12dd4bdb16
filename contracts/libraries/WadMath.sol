// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Units} from "./Units.sol";

/// @title WadMath
/// @notice Signed fixed-point products and quotients where 1.0 is 1e18.
/// @dev Pure. `Down` is floor, `Up` is ceiling, for both signs.
/// @custom:unit wad
library WadMath {
    int256 internal constant WAD = Units.WAD;

    /// @notice floor(a * b / 1e18).
    /// @custom:rounding toward negative infinity
    /// @custom:domain |a * b| < 2**255, otherwise Panic(0x11)
    /// @param aWad First factor, wad.
    /// @param bWad Second factor, wad.
    /// @return cWad Product, wad; 0 <= exact - cWad < 1 wei.
    function mulWadDown(int256 aWad, int256 bWad) internal pure returns (int256 cWad) {
        cWad = divDown(aWad * bWad, WAD);
    }

    /// @notice ceil(a * b / 1e18).
    /// @custom:rounding toward positive infinity
    /// @custom:domain |a * b| < 2**255, otherwise Panic(0x11)
    /// @param aWad First factor, wad.
    /// @param bWad Second factor, wad.
    /// @return cWad Product, wad; 0 <= cWad - exact < 1 wei.
    function mulWadUp(int256 aWad, int256 bWad) internal pure returns (int256 cWad) {
        cWad = divUp(aWad * bWad, WAD);
    }

    /// @notice floor(n / d) for d > 0.
    /// @custom:rounding toward negative infinity
    /// @custom:domain d > 0
    /// @param n Numerator.
    /// @param d Denominator, positive.
    /// @return q Quotient.
    function divDown(int256 n, int256 d) internal pure returns (int256 q) {
        q = n / d; // EVM division truncates toward zero ...
        if (n % d < 0) q -= 1; // ... so a negative remainder means one more step down
    }

    /// @notice ceil(n / d) for d > 0.
    /// @custom:rounding toward positive infinity
    /// @custom:domain d > 0
    /// @param n Numerator.
    /// @param d Denominator, positive.
    /// @return q Quotient.
    function divUp(int256 n, int256 d) internal pure returns (int256 q) {
        q = n / d;
        if (n % d > 0) q += 1;
    }

    /// @notice n / d toward zero, without Solidity's checks.
    /// @custom:domain d != 0 and not -2**255 / -1: known where it is used
    /// @param n Numerator.
    /// @param d Denominator.
    /// @return q Quotient.
    function quotient(int256 n, int256 d) internal pure returns (int256 q) {
        assembly ("memory-safe") {
            // Equivalent: q = n / d; the checks would cost more than the division.
            q := sdiv(n, d)
        }
    }

    /// @notice |a| as an unsigned number.
    /// @param a Any value above the smallest int256.
    /// @return Absolute value.
    function abs(int256 a) internal pure returns (uint256) {
        return uint256(a < 0 ? -a : a);
    }
}
