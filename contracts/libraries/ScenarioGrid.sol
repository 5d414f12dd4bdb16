// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {NormalCdf} from "./NormalCdf.sol";
import {OptionKernel} from "./OptionKernel.sol";
import {ScenarioRow} from "./ScenarioRow.sol";

/// @title ScenarioGrid
/// @notice Walks one option through every row of a book and adds its cash to the rows and intervals.
/// @dev Every option is walked as a call without discount: a put differs by a forward, which the caller adds to the
/// linear cash, and the discount is part of the quantity. Unchecked throughout: quantities are below 2**127,
/// prices below 2**105 and moves below 10, so that no sum of 128 products leaves int256.
library ScenarioGrid {
    using ScenarioRow for uint256;

    /// @notice Sums over the options walked so far, and the nodes of the last one.
    struct Grid {
        uint256[] rows;
        uint256[] intervals;
        uint256 table;
        /// @dev Per row: sum of quantity*price, wad squared.
        int256[] cash;
        /// @dev Per interval: sum over long options of quantity*gap, wad squared.
        int256[] gap;
        /// @dev Per row, last option: undiscounted call price and N(d1) in Q60.
        int256[] price;
        int256[] slope;
    }

    /// @notice An empty grid for a book.
    /// @param rows Packed rows.
    /// @param intervals Pairs of neighbouring rows.
    /// @param table Normal table in memory.
    /// @return g Grid.
    function create(uint256[] memory rows, uint256[] memory intervals, uint256 table)
        internal
        pure
        returns (Grid memory g)
    {
        uint256 n = rows.length;
        (g.rows, g.intervals, g.table) = (rows, intervals, table);
        (g.cash, g.price, g.slope) = (new int256[](n), new int256[](n), new int256[](n));
        g.gap = new int256[](intervals.length);
    }

    /// @notice Adds quantity*price of an option to every row.
    /// @param g Grid.
    /// @param o Option.
    /// @param forwardWad Forward before the move.
    /// @param q Discounted quantity, wad.
    function walk(Grid memory g, OptionKernel.Option memory o, int256 forwardWad, int256 q) internal pure {
        unchecked {
            uint256[] memory rows = g.rows;
            int256[] memory cash = g.cash;
            int256[] memory price = g.price;
            int256[] memory slope = g.slope;
            uint256 table = g.table;
            uint256 end = rows.length << 5;
            for (uint256 at = 32; at <= end; at += 32) {
                uint256 row = _word(rows, at);
                (int256 value, int256 n1) = _node(o, table, row, forwardWad);
                _set(price, at, value);
                _set(slope, at, n1);
                _set(cash, at, _int(cash, at) + q * value);
            }
        }
    }

    /// @notice Adds how far a long option may lie below its chords: a*b/(a + b) with the distances a and b of the
    /// chord from the two tangents, measured at the far nodes.
    /// @dev a + b = h*(d1 - d0), so this is h*(d1 - c)*(c - d0)/(d1 - d0). A negative distance is rounding: no gap.
    /// @param g Grid, after `walk` of the same option.
    /// @param forwardWad Forward before the move.
    /// @param q Discounted quantity, wad, positive.
    function addGaps(Grid memory g, int256 forwardWad, int256 q) internal pure {
        unchecked {
            uint256[] memory rows = g.rows;
            uint256[] memory intervals = g.intervals;
            int256[] memory price = g.price;
            int256[] memory slope = g.slope;
            int256[] memory gap = g.gap;
            uint256 end = intervals.length << 5;
            for (uint256 at = 32; at <= end; at += 32) {
                uint256 pair = _word(intervals, at);
                uint256 low = ((pair & 0xff) + 1) << 5;
                uint256 high = ((pair >> 8) + 1) << 5;
                int256 step = (forwardWad * (_word(rows, high).moveOf() - _word(rows, low).moveOf())) / 1e18;
                int256 rise = _int(price, high) - _int(price, low);
                int256 a = ((step * _int(slope, high)) >> 60) - rise;
                int256 b = rise - ((step * _int(slope, low)) >> 60);
                if (a > 0 && b > 0) _set(gap, at, _int(gap, at) + q * ((a * b) / (a + b)));
            }
        }
    }

    /// @dev Undiscounted call price (wad) and N(d1) (Q60) under one row.
    function _node(OptionKernel.Option memory o, uint256 table, uint256 row, int256 forwardWad)
        private
        pure
        returns (int256 value, int256 n1)
    {
        unchecked {
            uint256 std = _at(o.stdQ64, row.volOf());
            uint256 inverse = _at(o.inverseQ64, row.volOf());
            int256 skew = row.skewOf();
            if (skew != 0) {
                std = (std * uint256(1e18 + (skew * o.skewWad) / 1e18)) / 1e18;
                if (std != 0) inverse = (1 << 128) / std;
            }
            forwardWad += (forwardWad * row.moveOf()) / 1e18;
            (value, n1,) = OptionKernel.call(
                table, forwardWad, o.strikeWad, o.logMoneynessQ64 + row.lnMoveOf(), std, inverse
            );
        }
    }

    // The loops above run over lengths that they read themselves: the helpers skip the bounds checks.

    function _word(uint256[] memory a, uint256 offset) private pure returns (uint256 v) {
        assembly ("memory-safe") {
            // Equivalent: v = a[offset / 32 - 1].
            v := mload(add(a, offset))
        }
    }

    function _int(int256[] memory a, uint256 offset) private pure returns (int256 v) {
        assembly ("memory-safe") {
            // Equivalent: v = a[offset / 32 - 1].
            v := mload(add(a, offset))
        }
    }

    function _set(int256[] memory a, uint256 offset, int256 v) private pure {
        assembly ("memory-safe") {
            // Equivalent: a[offset / 32 - 1] = v.
            mstore(add(a, offset), v)
        }
    }

    function _at(uint256[3] memory a, uint256 index) private pure returns (uint256 v) {
        assembly ("memory-safe") {
            // Equivalent: v = a[index]; the book admits no other vol state than 0, 1, 2.
            v := mload(add(a, shl(5, index)))
        }
    }
}
