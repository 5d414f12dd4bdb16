// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {OptionKernel} from "./OptionKernel.sol";
import {ScenarioWalk} from "./ScenarioWalk.sol";

/// @title ScenarioGrid
/// @notice Walks options through every row of a book and sums their cash per row and interval.
/// @dev Every option is walked as a call: a put differs by a forward, which the caller adds to the linear cash. The
/// quantity and the discount are part of the cash at stake, so that a row is one product of each with N(d1) and N(d2).
/// Unchecked throughout: cash at stake is below 2**175 wei, growth below 2**4, N at most 2**60, and there are at most
/// 128 options: no sum leaves int256.
library ScenarioGrid {
    /// @dev 32 times the words of ScenarioPlan, where the layouts are.
    uint256 private constant NODE_BYTES = 160;
    uint256 private constant SEGMENT_BYTES = 160;
    uint256 private constant VOLATILITY_BYTES = 64;
    uint256 private constant HEAD_BYTES = 128;
    /// @dev ScenarioPlan.NO_ROW.
    uint256 private constant NO_ROW = 255;

    /// @dev Fields of a node and of a segment, in the order of ScenarioPlan.
    uint256 private constant GROWTH = 0x20;
    uint256 private constant CASH = 0x40;
    uint256 private constant TAG = 0x80;
    uint256 private constant BYTES = 0x20;
    uint256 private constant IS_GRID = 0x40;

    /// @dev Memory positions, not references: nothing is allocated for them. Nodes and segments lie one after the
    /// other as ScenarioPlan laid them out. A node is ln(1 + move) and 1 + move, Q64; the sum over options of their
    /// cash there, and over long ones of how far they may lie below the chord from the node before, Q60 wei; a tag,
    /// [move, wad][weight 32 in 1e-9][row 8]. A segment is the nodes of one volatility: the volatility's place, bytes
    /// of the nodes, whether they bound intervals, lowest and highest ln(1 + move). ScenarioWalk reads all by place.
    struct Grid {
        uint256 firstNode;
        uint256 baseNode;
        uint256 firstSegment;
        uint256 segmentsEnd;
        /// @dev Of the normal table, where a position in it (NormalCdf) is shifted left by 93.
        uint256 tablePlace;
        /// @dev Of the option's volatilities.
        uint256 volatilities;
    }

    /// @notice What a walk ends in.
    struct Outcome {
        /// @dev Of the worst row: the lowest number with the smallest profit.
        uint256 worstTag;
        /// @dev Its profit, Q60 wei.
        int256 lowest;
        /// @dev Worst loss over the intervals, Q60 wei; the smallest integer when there is none.
        int256 intervalLoss;
    }

    /// @notice Opens the plan of a book; its nodes hold no cash yet.
    /// @param g Memory of the grid.
    /// @param plan Plan, see ScenarioPlan.
    /// @param table Normal table in memory, at a multiple of 16.
    /// @param o Memory of the options that will be walked, each opened in the place of the one before.
    function create(Grid memory g, uint256[] memory plan, uint256 table, OptionKernel.Option memory o)
        internal
        pure
    {
        unchecked {
            // Unchecked: counts at most 36, memory below 2**32.
            // A position counts table entries of 16 bytes in its bits from 30 up.
            (g.tablePlace, g.volatilities) = (table << (30 - 4 + 93), o.volatilities);
            uint256 at;
            assembly ("memory-safe") {
                at := plan // the reference as a number
            }
            g.firstSegment = at + 32 + HEAD_BYTES + plan[0] * VOLATILITY_BYTES;
            g.segmentsEnd = g.firstSegment + plan[1] * SEGMENT_BYTES;
            g.firstNode = g.segmentsEnd;
            g.baseNode = g.firstNode + plan[2] * NODE_BYTES;
        }
    }

    /// @notice Adds the cash of the option that is open at every node, and for a long one its gaps.
    /// @param g Grid.
    /// @param forwardCash quantity*discount*forward, wad.
    /// @param strikeCash quantity*discount*strike, wad.
    function walk(Grid memory g, int256 forwardCash, int256 strikeCash) internal pure {
        uint256 grid;
        assembly ("memory-safe") {
            grid := g // the reference as a number
        }
        ScenarioWalk.walk(grid, forwardCash, strikeCash);
    }

    /// @notice Worst row and worst interval.
    /// @param g Grid, after all options.
    /// @param linearCash What a relative move of 1 earns on everything linear, wad.
    /// @return out Outcome.
    function outcome(Grid memory g, int256 linearCash) internal pure returns (Outcome memory out) {
        unchecked {
            (out.lowest, out.intervalLoss) = (type(int256).max, type(int256).min);
            uint256 into;
            assembly ("memory-safe") {
                into := out // the reference as a number
            }
            int256 baseCash = cashOf(g.baseNode);
            uint256 node = g.firstNode;
            for (uint256 segment = g.firstSegment; segment != g.segmentsEnd; segment += SEGMENT_BYTES) {
                uint256 nodeBytes = _word(segment + BYTES);
                if (_word(segment + IS_GRID) != 0) {
                    ScenarioWalk.worstOfGrid(node, nodeBytes, baseCash, linearCash, into);
                } else {
                    _worstOf(node, nodeBytes, baseCash, linearCash, out);
                }
                node += nodeBytes;
            }
        }
    }

    /// @notice Sum of the options' cash at a node.
    /// @param node Its memory position.
    /// @return Q60 wei.
    function cashOf(uint256 node) internal pure returns (int256) {
        unchecked {
            // Unchecked: a memory position.
            return int256(_word(node + CASH));
        }
    }

    function _word(uint256 place) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(place)
        }
    }

    /// @dev Rows that bound no interval.
    function _worstOf(uint256 node, uint256 nodeBytes, int256 baseCash, int256 linearCash, Outcome memory out)
        private
        pure
    {
        unchecked {
            for (uint256 end = node + nodeBytes; node != end; node += NODE_BYTES) {
                uint256 tag = _word(node + TAG);
                if (tag & 0xff != NO_ROW) _compare(out, _profit(node, baseCash, linearCash), tag);
            }
        }
    }

    /// @dev A row with the smallest profit so far, or as small a one and a smaller number, is the worst.
    function _compare(Outcome memory out, int256 profit, uint256 tag) private pure {
        if (profit > out.lowest || (profit == out.lowest && tag & 0xff > out.worstTag & 0xff)) return;
        (out.worstTag, out.lowest) = (tag, profit);
    }

    /// @notice Profit of every row.
    /// @param g Grid, after all options.
    /// @param linearCash What a relative move of 1 earns on everything linear, wad.
    /// @param rows Number of rows.
    /// @return pnlWad Per row, wad, rounded down.
    function profits(Grid memory g, int256 linearCash, uint256 rows) internal pure returns (int256[] memory pnlWad) {
        pnlWad = new int256[](rows);
        uint256 node = g.firstNode;
        // Every row is one node; the unshocked point may be one more.
        for (uint256 left = rows; left != 0; node += NODE_BYTES) {
            uint256 row = _word(node + TAG) & 0xff;
            if (row < rows) (pnlWad[row], left) = (_profit(node, cashOf(g.baseNode), linearCash) >> 60, left - 1);
        }
    }

    /// @dev Profit of a row after its weight, Q60 wei, rounded down.
    function _profit(uint256 node, int256 baseCash, int256 linearCash) private pure returns (int256 profit) {
        unchecked {
            // What is linear earns nothing at a growth of 1.
            profit = ((linearCash * int256(_word(node + GROWTH))) >> 4) - (linearCash << 60);
            profit += cashOf(node) - baseCash;
            int256 weight = int256(uint256(uint32(_word(node + TAG) >> 8)));
            if (weight == 1e9) return profit;
            // The weight is applied to whole wei, whose product fits. Division truncates toward zero; a loss is made
            // larger first.
            profit = (profit >> 60) * weight;
            profit = ((profit < 0 ? profit - (1e9 - 1) : profit) / 1e9) << 60;
        }
    }
}
