// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {WadMath} from "contracts/libraries/WadMath.sol";

/// @title WadChecks
/// @notice What a solver can say of the arithmetic; products and quotients of two unknowns are tested exhaustively.
contract WadChecks {
    /// @notice The distance from zero.
    function check_abs(int256 a) external pure {
        if (a == type(int256).min) return;
        assert(WadMath.abs(a) == uint256(a < 0 ? -a : a));
    }

    /// @notice The unchecked quotient is the checked one wherever that has a value.
    function check_quotient(int256 n, int256 d) external pure {
        if (d == 0 || (n == type(int256).min && d == -1)) return;
        assert(WadMath.quotient(n, d) == n / d);
    }

    /// @notice Down and up are neighbours, and equal only where nothing is cut off.
    function check_divDown_nextToDivUp(int256 n, int256 d) external pure {
        if (d <= 0) return;
        int256 gap = WadMath.divUp(n, d) - WadMath.divDown(n, d);
        assert(gap == (n % d == 0 ? int256(0) : int256(1)));
    }
}
