// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Sqrt
/// @notice Square root by Heron's rule.
/// @dev Within 16 octaves (of a wad: from 1.7e-4 to 10.6) one straight line is within a factor of 2.9 of the root and six
/// steps reach 65 bits; elsewhere the first guess comes from the position of the highest set bit.
/// @custom:error-bound 1 unit of the result
/// @custom:mirror math.isqrt
library Sqrt {
    uint256 private constant NEAR_LOW = 1 << 107;
    uint256 private constant NEAR_SPAN = (1 << 123) - (1 << 107);
    /// @dev The same in wad: 2^107/1e18 rounded up, 2^123/1e18 rounded down.
    uint256 private constant NEAR_LOW_WAD = 162259276829214;
    uint256 private constant NEAR_SPAN_WAD = 10633823966279326983 - NEAR_LOW_WAD;
    /// @dev Of the line x / 2^60 + 2^55, which errs by the same factor at both ends and in the middle.
    uint256 private constant LINE_START = 1 << 55;

    /// @notice Thrown when x * 1e18 does not fit.
    error Sqrt__TooLarge(uint256 observed, uint256 limit);

    /// @notice sqrt(x) of a wad.
    /// @custom:domain x < 2^196
    /// @custom:rounding within 1 wei
    /// @param xWad Argument, wad.
    /// @return z Root, wad.
    function sqrtWad(uint256 xWad) internal pure returns (uint256 z) {
        unchecked {
            // Unchecked: below NEAR_LOW_WAD the difference wraps and is large.
            z = _near(xWad * 1e18);
            if (xWad - NEAR_LOW_WAD >= NEAR_SPAN_WAD) z = _farWad(xWad);
        }
    }

    /// @notice Square root of an integer.
    /// @custom:domain every uint256
    /// @custom:rounding within 1
    /// @param x Argument.
    /// @return Root.
    function sqrt(uint256 x) internal pure returns (uint256) {
        unchecked {
            // Unchecked: below NEAR_LOW the difference wraps and is large.
            return x - NEAR_LOW < NEAR_SPAN ? _near(x) : _far(x);
        }
    }

    /// @dev Six steps from the straight line.
    function _near(uint256 x) private pure returns (uint256 z) {
        assembly ("memory-safe") {
            // Equivalent: z = (x >> 60) + LINE_START, then six times z = (z + x/z)/2, without the check for 0. Two steps
            // at a time: twice the first mean is z + x/z, and from twice a mean the next is z/4 + x/z.
            z := add(shr(60, x), LINE_START)
            z := add(z, div(x, z))
            z := add(shr(2, z), div(x, z))
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
