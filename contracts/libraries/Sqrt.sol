// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Sqrt
/// @notice Square root by Heron's rule.
/// @dev Within twelve octaves (of a wad: from 0.0013 to 4.16) one fraction is within 13 % of the root and four steps
/// reach 64 bits; elsewhere the first guess comes from the position of the highest set bit.
/// @custom:error-bound 2 units of the result
/// @custom:mirror math.isqrt
library Sqrt {
    uint256 private constant NEAR_LOW = 1 << 110;
    uint256 private constant NEAR_SPAN = 4.16e36 - NEAR_LOW;
    /// @dev The same in wad: 2^110/1e18 rounded up.
    uint256 private constant NEAR_LOW_WAD = 1298074214633707;
    uint256 private constant NEAR_SPAN_WAD = 4.16e18 - NEAR_LOW_WAD;
    /// @dev First guess x / 2^61 + START - SLOPE / (x + CENTRE): one step from the best straight line, scaled so that
    /// it errs by the same factor up and down.
    uint256 private constant START = 0x6c31ee1d66c6500;
    uint256 private constant SLOPE = 0x4fe8e6ad51e660000000000000000000000000000000;
    uint256 private constant CENTRE = 0xc8b5aae1356118000000000000000;

    /// @notice Thrown when x * 1e18 does not fit.
    error Sqrt__TooLarge(uint256 observed, uint256 limit);

    /// @notice sqrt(x) of a wad.
    /// @custom:domain x < 2^196
    /// @custom:rounding at most 2 wei below or 1 above
    /// @param xWad Argument, wad.
    /// @return z Root, wad.
    function sqrtWad(uint256 xWad) internal pure returns (uint256 z) {
        unchecked {
            // Unchecked: below NEAR_LOW_WAD the difference wraps and is large.
            if (xWad - NEAR_LOW_WAD < NEAR_SPAN_WAD) z = _near(xWad * 1e18);
            else z = _farWad(xWad);
        }
    }

    /// @notice Square root of an integer.
    /// @custom:domain every uint256
    /// @custom:rounding at most 2 below or 1 above
    /// @param x Argument.
    /// @return z Root.
    function sqrt(uint256 x) internal pure returns (uint256 z) {
        unchecked {
            // Unchecked: below NEAR_LOW the difference wraps and is large.
            if (x - NEAR_LOW < NEAR_SPAN) z = _near(x);
            else z = _far(x);
        }
    }

    /// @dev The fraction and four steps.
    function _near(uint256 x) private pure returns (uint256 z) {
        assembly ("memory-safe") {
            // Equivalent: z = (x >> 61) + START - SLOPE / (x + CENTRE), then four times z = (z + x/z)/2, without the
            // check
            // for 0. Two steps at a time: twice the first mean is z + x/z, and from it the next is a quarter plus x/it.
            z := sub(add(shr(61, x), START), div(SLOPE, add(x, CENTRE)))
            z := add(z, div(x, z))
            z := add(shr(2, z), div(x, z))
            z := add(z, div(x, z))
            z := add(shr(2, z), div(x, z))
        }
    }

    function _farWad(uint256 xWad) private pure returns (uint256) {
        if (xWad >> 196 != 0) revert Sqrt__TooLarge(xWad, (1 << 196) - 1);
        unchecked {
            // Unchecked: 2**196 * 1e18 < 2**256.
            return _far(xWad * 1e18);
        }
    }

    /// @dev Seven steps from a power of two at most twice the root.
    function _far(uint256 x) private pure returns (uint256 z) {
        assembly ("memory-safe") {
            // Equivalent: z = 2**(floor(log2(x))/2 + 1), then seven times z = (z + x/z)/2.
            let top := shl(7, gt(x, 0xffffffffffffffffffffffffffffffff))
            top := or(top, shl(6, gt(shr(top, x), 0xffffffffffffffff)))
            top := or(top, shl(5, gt(shr(top, x), 0xffffffff)))
            top := or(top, shl(4, gt(shr(top, x), 0xffff)))
            top := or(top, shl(3, gt(shr(top, x), 0xff)))
            top := or(top, shl(2, gt(shr(top, x), 0xf)))
            top := or(top, shl(1, gt(shr(top, x), 0x3)))
            z := shl(add(shr(1, top), 1), 1)
            z := shr(1, add(z, div(x, z)))
            z := shr(1, add(z, div(x, z)))
            z := shr(1, add(z, div(x, z)))
            z := shr(1, add(z, div(x, z)))
            z := shr(1, add(z, div(x, z)))
            z := shr(1, add(z, div(x, z)))
            z := shr(1, add(z, div(x, z)))
        }
    }
}
