// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title NormalCdf
/// @notice Normal distribution from the table in NormalTable's code.
/// @dev Arguments are positions in the table, z = d + 7 in Q38: the top bits number the interval of 1/64, the low
/// 32 bits are the place within it. ScenarioGrid repeats `cdf` inside its loop, where a call would cost a quarter.
/// @custom:error-bound 1.5e-11 absolute inside [-7, 7); outside exactly 0 or 1 (true distance below 1.3e-12)
/// @custom:mirror scipy.special.ndtr
library NormalCdf {
    /// @dev 896 cubics of 16 bytes.
    uint256 internal constant TABLE_BYTES = 14336;
    /// @dev Position of d = 0, and of the end of the table.
    int256 internal constant CENTRE_Q38 = 7 << 38;
    int256 internal constant SPAN_Q38 = 14 << 38;

    /// @notice Copies the table into memory.
    /// @param table Address of NormalTable.
    /// @return pointer Memory position of the first byte.
    function load(address table) internal view returns (uint256 pointer) {
        assembly ("memory-safe") {
            // Equivalent: bytes memory words = table.code; one cold account access, no storage.
            // Entries lie at multiples of 16 bytes, on which ScenarioGrid relies.
            pointer := and(add(mload(0x40), 0x1f), not(0x1f))
            extcodecopy(table, pointer, 0, TABLE_BYTES)
            mstore(0x40, add(pointer, TABLE_BYTES))
        }
    }

    /// @notice N(d), any d.
    /// @param pointer Table in memory.
    /// @param zQ38 Position d + 7.
    /// @return n Probability, Q60, in [0, 2^60].
    function cdf(uint256 pointer, int256 zQ38) internal pure returns (int256 n) {
        if (zQ38 < 0) return 0;
        if (zQ38 >= SPAN_Q38) return 1 << 60;
        assembly ("memory-safe") {
            // Equivalent: entry = table[z >> 32]; s = z % 2**32; Horner with the signed fields c3 (23 bits), c2 (28),
            // c1 (35), c0 (41), each shifted to the scale that s has reached: Q40, Q72, Q104, Q136.
            let w := mload(add(pointer, and(shr(28, zQ38), 0x3ff0)))
            let s := and(zQ38, 0xffffffff)
            n := sar(233, shl(104, w))
            n := add(sar(196, shl(76, w)), mul(s, n))
            n := add(sar(157, shl(41, w)), mul(s, n))
            n := sar(76, add(shr(119, w), mul(s, n)))
        }
    }
}
