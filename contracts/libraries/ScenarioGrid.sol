// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {OptionKernel} from "./OptionKernel.sol";
import {ScenarioPlan} from "./ScenarioPlan.sol";
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

    /// @notice A row; lies in memory as ScenarioPlan laid it out.
    struct Node {
        int256 lnMoveQ64;
        int256 growthQ64;
        /// @dev Sum over options of their cash at this node, Q60 wei.
        int256 cash;
        /// @dev Sum over long options of how far they may lie below the chord from the node before, Q60 wei.
        int256 gap;
        /// @dev [move, wad][weight 32 in 1e-9][row 8].
        uint256 tag;
    }

    /// @notice Nodes of one volatility.
    struct Segment {
        /// @dev Place of its volatility among the option's, bytes.
        uint256 volatilityPlace;
        uint256 nodeBytes;
        /// @dev Whether its nodes bound intervals.
        bool isGrid;
        /// @dev Of ln(1 + move) over its nodes.
        int256 lowestLnQ64;
        int256 highestLnQ64;
    }

    /// @dev Nodes and segments lie one after the other: loops step a reference by the struct's size. ScenarioWalk reads
    /// the fields by their place.
    struct Grid {
        Node firstNode;
        Node baseNode;
        Segment firstSegment;
        uint256 segmentsEnd;
        /// @dev Of the normal table, where a position in it (NormalCdf) is shifted left by 93.
        uint256 tablePlace;
        /// @dev Memory position of the option's volatilities.
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
            g.tablePlace = table << (30 - 4 + 93);
            uint256 segments = 32 + HEAD_BYTES + plan[0] * VOLATILITY_BYTES;
            uint256 nodes = segments + plan[1] * SEGMENT_BYTES;
            uint256 base = nodes + plan[2] * NODE_BYTES;
            assembly ("memory-safe") {
                // Equivalent: the grid's fields refer to what lies inside the plan.
                mstore(g, add(plan, nodes))
                mstore(add(g, 0x20), add(plan, base))
                mstore(add(g, 0x40), add(plan, segments))
                mstore(add(g, 0x60), add(plan, nodes))
                mstore(add(g, 0xa0), mload(o))
            }
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
            Segment memory segment = g.firstSegment;
            Node memory node = g.firstNode;
            uint256 last = g.segmentsEnd;
            int256 baseCash = g.baseNode.cash;
            bool isLast;
            while (!isLast) {
                if (segment.isGrid) {
                    uint256 first;
                    uint256 into;
                    assembly ("memory-safe") {
                        // References as numbers.
                        first := node
                        into := out
                    }
                    ScenarioWalk.worstOfGrid(first, segment.nodeBytes, baseCash, linearCash, into);
                } else {
                    _worstOf(node, segment.nodeBytes, baseCash, linearCash, out);
                }
                assembly ("memory-safe") {
                    // The next ones.
                    node := add(node, mload(add(segment, 0x20)))
                    segment := add(segment, SEGMENT_BYTES)
                    isLast := eq(segment, last)
                }
            }
        }
    }

    /// @dev Rows that bound no interval.
    function _worstOf(Node memory node, uint256 nodeBytes, int256 baseCash, int256 linearCash, Outcome memory out)
        private
        pure
    {
        unchecked {
            for (; nodeBytes != 0; nodeBytes -= NODE_BYTES) {
                if (node.tag & 0xff != NO_ROW) _compare(out, _profit(node, baseCash, linearCash), node.tag);
                assembly ("memory-safe") {
                    node := add(node, NODE_BYTES) // the next one
                }
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
        Node memory node = g.firstNode;
        // Every row is one node; the unshocked point may be one more.
        for (uint256 left = rows; left != 0;) {
            uint256 row = node.tag & 0xff;
            if (row < rows) (pnlWad[row], left) = (_profit(node, g.baseNode.cash, linearCash) >> 60, left - 1);
            assembly ("memory-safe") {
                node := add(node, NODE_BYTES) // the next one
            }
        }
    }

    /// @dev Profit of a row after its weight, Q60 wei, rounded down.
    function _profit(Node memory node, int256 baseCash, int256 linearCash) private pure returns (int256 profit) {
        unchecked {
            // What is linear earns nothing at a growth of 1.
            profit = node.cash - baseCash + ((linearCash * node.growthQ64) >> 4) - (linearCash << 60);
            int256 weight = int256(uint256(uint32(node.tag >> 8)));
            if (weight == 1e9) return profit;
            // The weight is applied to whole wei, whose product fits. Division truncates toward zero; a loss is made
            // larger first.
            profit = (profit >> 60) * weight;
            profit = ((profit < 0 ? profit - (1e9 - 1) : profit) / 1e9) << 60;
        }
    }
}
