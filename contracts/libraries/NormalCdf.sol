// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title NormalCdf
/// @notice Normal distribution from the table in NormalTable's code.
/// @custom:error-bound 3e-11 absolute inside [-8, 8); outside exactly 0 or 1 (true distance below 7e-16)
/// @custom:mirror scipy.special.ndtr
library NormalCdf {
    uint256 internal constant TABLE_BYTES = 8192;
    uint256 internal constant ONE_Q60 = 1 << 60;

    /// @notice Copies the table into memory.
    /// @param table Address of NormalTable.
    /// @return pointer Memory position of the first word.
    function load(address table) internal view returns (uint256 pointer) {
        assembly ("memory-safe") {
            // Equivalent: bytes memory words = table.code; one cold account access, no storage.
            pointer := mload(0x40)
            extcodecopy(table, pointer, 0, 8192)
            mstore(0x40, add(pointer, 8192))
        }
    }

    /// @notice N(d), any d.
    /// @param pointer Table in memory.
    /// @param dQ64 Argument, Q64.
    /// @return n Probability, Q60, in [0, 2^60].
    function cdf(uint256 pointer, int256 dQ64) internal pure returns (int256 n) {
        unchecked {
            // Unchecked: the comparison bounds the index; coefficients and s are below 2**61.
            uint256 y = uint256(dQ64 + (8 << 64));
            if (y >= 1 << 68) return dQ64 < 0 ? int256(0) : int256(ONE_Q60);
            uint256 word;
            assembly ("memory-safe") {
                // Equivalent: word = table[y / 2**60].
                word := mload(add(pointer, shl(5, shr(60, y))))
            }
            int256 s = int256(y & (ONE_Q60 - 1));
            n = int256(word << 213) >> 213;
            n = (int256(word << 167) >> 210) + ((n * s) >> 60);
            n = (int256(word << 117) >> 206) + ((n * s) >> 60);
            n = (int256(word << 61) >> 200) + ((n * s) >> 60);
            n = int256(word >> 195) + ((n * s) >> 60);
        }
    }
}
