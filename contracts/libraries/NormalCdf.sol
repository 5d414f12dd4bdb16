// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title NormalCdf
/// @notice Normal distribution from the table in NormalTable's code.
/// @dev Arguments are positions in the table, z = d + 7 in Q35: the bits from 30 up number the interval of 1/32, the
/// low 30 bits are the place within it. ScenarioWalk repeats `cdf` inside its loops, where a call would cost a quarter.
/// @custom:error-bound 2e-10 absolute inside [-7, 6.96); outside exactly 0 or 1 (true distance below 1.7e-12)
/// @custom:mirror scipy.special.ndtr
library NormalCdf {
    /// @dev 448 cubics of 16 bytes.
    uint256 internal constant TABLE_BYTES = 7168;
    /// @dev Position of d = 0.
    int256 internal constant CENTRE_Q35 = 7 << 35;
    /// @dev Start of the last interval, from where on N is 1.
    int256 internal constant END_Q35 = 447 << 30;

    /// @notice Copies the table into memory.
    /// @param table Address of NormalTable.
    /// @return pointer Memory position of the first byte, a multiple of 16.
    function load(address table) internal view returns (uint256 pointer) {
        assembly ("memory-safe") {
            // Equivalent: bytes memory words = table.code; one cold account access, no storage.
            pointer := and(add(mload(0x40), 0x1f), not(0x1f))
            extcodecopy(table, pointer, 0, TABLE_BYTES)
            mstore(0x40, add(pointer, TABLE_BYTES))
        }
    }

    /// @notice N(d), any d.
    /// @param pointer Table in memory.
    /// @param zQ35 Position d + 7.
    /// @return n Probability, Q60, in [0, 2^60].
    function cdf(uint256 pointer, int256 zQ35) internal pure returns (int256 n) {
        if (zQ35 < 0) return 0;
        if (zQ35 >= END_Q35) return 1 << 60;
        assembly ("memory-safe") {
            // Equivalent: entry = table[z >> 30]; s = z % 2**30; Horner with c3, c2, c1, c0, signed. Each lies 30 bits
            // above the one before, as much as a product with s grows: nothing is shifted. Fields below stay in place
            // as digits behind the last bit, which NormalTable's generator has taken off.
            let w := mload(add(pointer, and(shr(26, zQ35), 0x1ff0)))
            let s := and(zQ35, 0x3fffffff)
            n := mul(s, add(signextend(22, w), mul(s, signextend(18, w))))
            n := mul(s, add(signextend(26, w), n))
            n := sar(191, add(w, n))
        }
    }
}
