// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {NormalCdf} from "./NormalCdf.sol";
import {OptionKernel} from "./OptionKernel.sol";
import {ScenarioRow} from "./ScenarioRow.sol";

/// @title ScenarioGrid
/// @notice Walks options through every row of a book and sums their cash per row and interval.
/// @dev Every option is walked as a call without discount: a put differs by a forward, which the caller adds to the
/// linear cash, and the discount is part of the quantity. The last node is the unshocked point itself.
/// Unchecked throughout: quantities are below 2**127, prices below 2**109 and moves below 10, so that no sum of
/// 128 products leaves int256.
library ScenarioGrid {
    using ScenarioRow for uint256;

    uint256 private constant NODE_WORDS = 7;
    uint256 private constant INTERVAL_WORDS = 4;

    /// @notice A row, unpacked once for the whole portfolio.
    struct Node {
        int256 lnMoveQ64;
        int256 growthWad;
        /// @dev Byte offset of the vol state in the option's arrays.
        uint256 volOffset;
        int256 skewWad;
        /// @dev Sum of quantity*price over the options walked, wad squared.
        int256 cash;
        /// @dev Last option: undiscounted call price, wad, and N(d1), Q60.
        int256 priceWad;
        int256 slopeQ60;
    }

    /// @notice Two grid nodes of one vol state that are neighbours in price.
    struct Interval {
        Node low;
        Node high;
        int256 widthWad;
        /// @dev Sum over long options of quantity*gap, wad squared.
        int256 gap;
    }

    /// @dev Nodes and intervals lie one after the other: loops step a reference by the struct's size, which saves
    /// the bounds check and jump of an array access at every step.
    struct Grid {
        Node firstNode;
        uint256 nodeCount;
        Interval firstInterval;
        uint256 intervalCount;
        uint256 table;
    }

    /// @notice An empty grid for a book.
    /// @param g Memory of the grid.
    /// @param rows Packed rows; none for the unshocked point alone.
    /// @param pairs Neighbouring rows, [high 8][low 8].
    /// @param table Normal table in memory.
    function create(Grid memory g, uint256[] memory rows, uint256[] memory pairs, uint256 table) internal pure {
        unchecked {
            // Unchecked: moves are below 10, counts at most 33.
            uint256 n = rows.length;
            uint256[] memory nodeWords = new uint256[]((n + 1) * NODE_WORDS);
            uint256[] memory intervalWords = new uint256[](pairs.length * INTERVAL_WORDS);
            (g.nodeCount, g.intervalCount, g.table) = (n + 1, pairs.length, table);
            assembly ("memory-safe") {
                // Equivalent: g.firstNode = nodes[0]; g.firstInterval = intervals[0].
                mstore(g, add(nodeWords, 0x20))
                mstore(add(g, 0x40), add(intervalWords, 0x20))
            }
            Node memory node = g.firstNode;
            for (uint256 j; j < n; ++j) {
                _unpack(node, _word(rows, j));
                assembly ("memory-safe") {
                    node := add(node, 224) // the next of NODE_WORDS
                }
            }
            (node.growthWad, node.volOffset) = (1e18, 32);
            _pair(g, pairs);
        }
    }

    function _pair(Grid memory g, uint256[] memory pairs) private pure {
        unchecked {
            Interval memory interval = g.firstInterval;
            for (uint256 j; j < pairs.length; ++j) {
                uint256 pair = _word(pairs, j);
                assembly ("memory-safe") {
                    // Equivalent: interval.low = nodes[pair & 0xff]; interval.high = nodes[pair >> 8].
                    let first := mload(g)
                    mstore(interval, add(first, mul(and(pair, 0xff), 224)))
                    mstore(add(interval, 0x20), add(first, mul(shr(8, pair), 224)))
                }
                interval.widthWad = interval.high.growthWad - interval.low.growthWad;
                assembly ("memory-safe") {
                    interval := add(interval, 128) // the next of INTERVAL_WORDS
                }
            }
        }
    }

    /// @notice Undiscounted call price and N(d1) of the last option at the unshocked point.
    /// @param g Grid, after `walk`.
    /// @return callWad Price, wad.
    /// @return n1 N(d1), Q60.
    function unshocked(Grid memory g) internal pure returns (int256 callWad, int256 n1) {
        (, callWad, n1) = _base(g);
    }

    /// @notice Prices an option at every node and adds quantity*price.
    /// @param g Grid.
    /// @param o Option.
    /// @param forwardWad Forward before the move.
    /// @param q Discounted quantity, wad.
    function walk(Grid memory g, OptionKernel.Option memory o, int256 forwardWad, int256 q) internal pure {
        unchecked {
            Node memory node = g.firstNode;
            uint256 table = g.table;
            for (uint256 j = g.nodeCount; j != 0; --j) {
                uint256 std = _at(o.stdQ64, node.volOffset);
                uint256 inverse = _at(o.inverseQ64, node.volOffset);
                if (node.skewWad != 0) {
                    std = (std * uint256(1e18 + (node.skewWad * o.skewWad) / 1e18)) / 1e18;
                    inverse = OptionKernel.inverseOf(std);
                }
                int256 d1 = (((o.logMoneynessQ64 + node.lnMoveQ64) * int256(inverse)) >> 64) + int256(std >> 1);
                int256 n1 = NormalCdf.cdf(table, d1);
                int256 n2 = NormalCdf.cdf(table, d1 - int256(std));
                int256 price = (((forwardWad * node.growthWad) / 1e18) * n1 - o.strikeWad * n2) >> 60;
                node.priceWad = price;
                node.slopeQ60 = n1;
                node.cash += q * price;
                assembly ("memory-safe") {
                    node := add(node, 224) // the next of NODE_WORDS
                }
            }
        }
    }

    /// @notice Adds how far a long option may lie below its chords.
    /// @dev With a = h*(d1 - c) and spread = h*(d1 - d0) the gap h*(d1 - c)*(c - d0)/(d1 - d0) is
    /// a*(spread - a)/spread. A distance outside (0, spread) is rounding: no gap.
    /// @param g Grid, after `walk` of the same option.
    /// @param forwardWad Forward before the move.
    /// @param q Discounted quantity, wad, positive.
    function addGaps(Grid memory g, int256 forwardWad, int256 q) internal pure {
        unchecked {
            Interval memory interval = g.firstInterval;
            for (uint256 j = g.intervalCount; j != 0; --j) {
                Node memory low = interval.low;
                Node memory high = interval.high;
                int256 step = (forwardWad * interval.widthWad) / 1e18;
                int256 rise = high.priceWad - low.priceWad;
                int256 a = ((step * high.slopeQ60) >> 60) - rise;
                int256 spread = (step * (high.slopeQ60 - low.slopeQ60)) >> 60;
                // One comparison for 0 < a < spread: outside, the decrement leaves the range.
                if (spread > 0 && uint256(a) - 1 < uint256(spread) - 1) {
                    interval.gap += q * int256(uint256(a * (spread - a)) / uint256(spread));
                }
                assembly ("memory-safe") {
                    interval := add(interval, 128) // the next of INTERVAL_WORDS
                }
            }
        }
    }

    /// @notice Profit of every row after its weight, rounded down.
    /// @param g Grid, after all options.
    /// @param rows Packed rows.
    /// @param linearCash What a relative move of 1 earns on everything linear, wad squared.
    /// @return pnlWad Per row, wad.
    function profits(Grid memory g, uint256[] memory rows, int256 linearCash)
        internal
        pure
        returns (int256[] memory pnlWad)
    {
        unchecked {
            uint256 n = rows.length;
            pnlWad = new int256[](n);
            (int256 baseCash,,) = _base(g);
            Node memory node = g.firstNode;
            for (uint256 j; j < n; ++j) {
                int256 total = node.cash - baseCash + (linearCash * (node.growthWad - 1e18)) / 1e18;
                total *= int256(_word(rows, j).weightOf());
                // Division truncates toward zero; a loss is made larger first.
                total = (total < 0 ? total - (1e27 - 1) : total) / 1e27;
                assembly ("memory-safe") {
                    // Equivalent: pnlWad[j] = total; node = the next of NODE_WORDS.
                    mstore(add(add(pnlWad, 0x20), shl(5, j)), total)
                    node := add(node, 224)
                }
            }
        }
    }

    /// @notice Worst loss between and at the nodes, where every long option may lie below its chord.
    /// @param g Grid, after all options.
    /// @param pairs Neighbouring rows, [high 8][low 8].
    /// @param pnlWad Profit per row.
    /// @return lossWad Largest over the intervals; the smallest integer when there is none.
    function intervalLoss(Grid memory g, uint256[] memory pairs, int256[] memory pnlWad)
        internal
        pure
        returns (int256 lossWad)
    {
        lossWad = type(int256).min;
        unchecked {
            Interval memory interval = g.firstInterval;
            for (uint256 j; j < pairs.length; ++j) {
                uint256 pair = _word(pairs, j);
                int256 a = _int(pnlWad, pair & 0xff);
                int256 b = _int(pnlWad, pair >> 8);
                int256 loss = (interval.gap + 1e18 - 1) / 1e18 - (a < b ? a : b);
                if (loss > lossWad) lossWad = loss;
                assembly ("memory-safe") {
                    interval := add(interval, 128) // the next of INTERVAL_WORDS
                }
            }
        }
    }

    /// @dev Cash, price and N(d1) of the last node.
    function _base(Grid memory g) private pure returns (int256 cash, int256 priceWad, int256 slopeQ60) {
        unchecked {
            Node memory node = g.firstNode;
            uint256 skip = (g.nodeCount - 1) * NODE_WORDS * 32;
            assembly ("memory-safe") {
                // Equivalent: node = nodes[nodeCount - 1].
                node := add(node, skip)
            }
            (cash, priceWad, slopeQ60) = (node.cash, node.priceWad, node.slopeQ60);
        }
    }

    function _word(uint256[] memory a, uint256 index) private pure returns (uint256 v) {
        assembly ("memory-safe") {
            // Equivalent: v = a[index]; the book's own indices are in range.
            v := mload(add(add(a, 0x20), shl(5, index)))
        }
    }

    function _int(int256[] memory a, uint256 index) private pure returns (int256 v) {
        assembly ("memory-safe") {
            // Equivalent: v = a[index].
            v := mload(add(add(a, 0x20), shl(5, index)))
        }
    }

    function _unpack(Node memory node, uint256 row) private pure {
        unchecked {
            node.lnMoveQ64 = row.lnMoveOf();
            node.growthWad = 1e18 + row.moveOf();
            node.volOffset = row.volOf() << 5;
            node.skewWad = row.skewOf();
        }
    }

    function _at(uint256[3] memory a, uint256 offset) private pure returns (uint256 v) {
        assembly ("memory-safe") {
            // Equivalent: v = a[offset / 32]; the book admits no other vol state than 0, 1, 2.
            v := mload(add(a, offset))
        }
    }
}
