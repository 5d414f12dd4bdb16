// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title NormalCdf
/// @notice Normal distribution from the table in NormalTable's code.
/// @dev Arguments are positions z = d*128 in Q60. Counted from the table's beginning, the bits from 60 up number the
/// interval of 1/128, the low 60 bits are the place within it. ScenarioWalk repeats `cdf` inside its loops, where a
/// call would cost a quarter.
/// @custom:error-bound 1e-9 absolute inside [-6.25, 6.24); outside exactly 0 or 1 (true distance below 2.3e-10)
/// @custom:mirror scipy.special.ndtr
library NormalCdf {
    /// @dev Bytes of a parabola.
    uint256 internal constant ENTRY_BYTES = 12;
    /// @dev Hash of NormalTable's code.
    bytes32 internal constant TABLE_HASH = 0xd5b171e2bd0b98c771b1056b4f343e9226de110c2d431e776edc14978b2e54dd;
    /// @dev 1,600 entries.
    uint256 private constant TABLE_BYTES = 19200;
    /// @dev Number of the interval that begins at d = 0.
    uint256 internal constant CENTRE = 800;
    int256 private constant CENTRE_Q60 = int256(CENTRE << 60);
    /// @dev Start of the last interval, from where on N is 1.
    int256 private constant END_Q60 = 799 << 60;

    /// @notice Copies the table into memory.
    /// @param table Address of NormalTable.
    /// @return pointer Memory position of the first byte, a multiple of ENTRY_BYTES.
    function load(address table) internal view returns (uint256 pointer) {
        assembly ("memory-safe") {
            // Equivalent: bytes memory words = table.code; one cold account access, no storage. A word is read at the
            // last entry as well, of which the first bytes alone count.
            let free := mload(0x40)
            pointer := mul(div(add(free, 11), 12), 12)
            extcodecopy(table, pointer, 0, TABLE_BYTES)
            mstore(0x40, add(free, add(TABLE_BYTES, 0x20)))
        }
    }

    /// @notice N(d), any d.
    /// @param pointer Table in memory.
    /// @param zQ60 Position d*128.
    /// @return n Probability, Q60, in [0, 2^60].
    function cdf(uint256 pointer, int256 zQ60) internal pure returns (int256 n) {
        if (zQ60 < -CENTRE_Q60) return 0;
        if (zQ60 >= END_Q60) return 1 << 60;
        unchecked {
            // Unchecked: within the table by the lines above.
            zQ60 += CENTRE_Q60;
        }
        assembly ("memory-safe") {
            // Equivalent: entry = table[z >> 60]; s = z % 2**60; Horner with c2, c1, c0. Each lies 60 bits above the
            // one before, as much as a product with s grows: nothing is shifted. What lies below a coefficient stays in
            // place as digits behind its last bit, what lies above c2 and c1 is taken off: entries reach into the next.
            let w := mload(add(pointer, mul(12, shr(60, zQ60))))
            let s := and(zQ60, 0xfffffffffffffff)
            n := add(signextend(23, w), mul(s, signextend(14, w)))
            n := shr(195, add(w, mul(s, n)))
        }
    }
}
