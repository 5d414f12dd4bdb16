// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title ScenarioRow
/// @notice One scenario in one word, ready for the option kernel.
/// @dev [lnMove int72 Q64][move int64 wad][vol uint8][skew int64 wad][weight uint32 in 1e-9][16 zero bits].
library ScenarioRow {
    uint256 internal constant WEIGHT_ONE = 1e9;

    /// @notice Packs a row.
    /// @custom:rounding weight up to the next 1e-9 (R-02)
    /// @param lnMoveWad ln(1 + move), wad.
    /// @param moveWad Relative price move, wad, |move| < 9.2.
    /// @param vol 0 up, 1 flat, 2 down.
    /// @param skewWad Skew, wad.
    /// @param weightWad Weight, wad, at most 1.
    /// @return word The packed row.
    function pack(int256 lnMoveWad, int256 moveWad, uint8 vol, int256 skewWad, uint256 weightWad)
        internal
        pure
        returns (uint256 word)
    {
        int256 lnMoveQ64 = (lnMoveWad << 64) / 1e18;
        word = (uint256(uint72(int72(lnMoveQ64))) << 184) | (uint256(uint64(int64(moveWad))) << 120)
            | (uint256(vol) << 112) | (uint256(uint64(int64(skewWad))) << 48)
            | (((weightWad + 1e9 - 1) / 1e9) << 16);
    }

    /// @notice ln(1 + move), Q64.
    /// @param word Packed row.
    /// @return Logarithm.
    function lnMoveOf(uint256 word) internal pure returns (int256) {
        return int72(uint72(word >> 184));
    }

    /// @notice Relative price move.
    /// @param word Packed row.
    /// @return Move, wad.
    function moveOf(uint256 word) internal pure returns (int256) {
        return int64(uint64(word >> 120));
    }

    /// @notice Vol state.
    /// @param word Packed row.
    /// @return 0 up, 1 flat, 2 down.
    function volOf(uint256 word) internal pure returns (uint256) {
        return (word >> 112) & 0xff;
    }

    /// @notice Skew.
    /// @param word Packed row.
    /// @return Skew, wad.
    function skewOf(uint256 word) internal pure returns (int256) {
        return int64(uint64(word >> 48));
    }

    /// @notice Weight of the loss.
    /// @param word Packed row.
    /// @return Steps of 1e-9.
    function weightOf(uint256 word) internal pure returns (uint256) {
        return uint32(word >> 16);
    }
}
