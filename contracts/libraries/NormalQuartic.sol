// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title NormalQuartic
/// @notice Normal distribution from the table in NormalQuarticTable's code, for many evaluations in one call.
/// @dev The fields of a word stand as far apart as one factor s is wide, so that Horner's rule needs no shift: the
/// lowest k fields, sign-extended, are the next coefficient in place; what stands below it is less than one unit of it.
/// @custom:error-bound 3e-11 absolute inside [-8, 8); outside exactly 0 or 1 (true distance below 7e-16)
/// @custom:mirror scipy.special.ndtr
library NormalQuartic {
    int256 private constant ONE_Q60 = 1 << 60;

    /// @notice Copies the table into memory.
    /// @param table Address of NormalQuarticTable.
    /// @return pointer Memory position of the first word.
    function load(address table) internal view returns (uint256 pointer) {
        assembly ("memory-safe") {
            // Equivalent: bytes memory words = table.code; one cold account access, no storage.
            pointer := mload(0x40)
            extcodecopy(table, pointer, 0, 8192)
            mstore(0x40, add(pointer, 8192))
        }
    }

    /// @notice N(d).
    /// @custom:domain every int256
    /// @param pointer Table in memory.
    /// @param dQ64 Argument, Q64.
    /// @return n Probability, Q60, in [0, 2^60].
    function cdf(uint256 pointer, int256 dQ64) internal pure returns (int256 n) {
        unchecked {
            // Unchecked: the comparison bounds the index, also where the sum wraps; s < 2**48 and a sum below 2**246.
            uint256 y = uint256(dQ64 + (8 << 64));
            if (y < 1 << 68) {
                int256 word;
                assembly ("memory-safe") {
                    // Equivalent: word = table[y / 2**60].
                    word := mload(add(pointer, shl(5, shr(60, y))))
                }
                int256 s = int256((y >> 12) & 0xffffffffffff);
                n = int256(int48(word)) * s + int256(int96(word));
                n = ((n * s + int256(int144(word))) * s + int256(int192(word))) * s + word;
                n >>= 184;
            } else if (dQ64 > 0) {
                n = ONE_Q60;
            }
        }
    }
}
