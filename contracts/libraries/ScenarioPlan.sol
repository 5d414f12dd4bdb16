// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {OptionKernel} from "./OptionKernel.sol";
import {ScenarioRow} from "./ScenarioRow.sol";

/// @title ScenarioPlan
/// @notice The rows of a book in the order in which the risk engine walks them, prepared once when the book is set.
/// @dev Rows are grouped into segments of one volatility, so that its reciprocal is computed once per segment. First
/// come the grid rows (no skew, full weight), one segment per vol state in order of price: neighbours in a segment
/// bound an interval of the certified scan. Then all other rows, and the unshocked point when it is no row.
///
/// Volatilities are numbered: up, flat, down, then every other pair of vol state and skew that a row has.
///
/// Words: number of volatilities after the first three, segments, index of the unshocked node, rows; for each of those
/// volatilities VOLATILITY_WORDS: place of the one it differs from, skew (wad); for each segment SEGMENT_WORDS: place
/// of its volatility among the option's (OptionKernel.Option), bytes of its nodes, whether it is grid, lowest and
/// highest ln(1 + move) of its nodes (Q64); for each node NODE_WORDS: ln(1 + move) and 1 + move (Q64), two zeros in
/// which the engine keeps its sums, and [move, wad][weight 32 in 1e-9][row 8] (ScenarioGrid.Grid).
library ScenarioPlan {
    using ScenarioRow for uint256;

    uint256 internal constant HEAD_WORDS = 4;
    uint256 internal constant VOLATILITY_WORDS = 2;
    uint256 internal constant SEGMENT_WORDS = 5;
    uint256 internal constant NODE_WORDS = 5;
    uint256 private constant NODE_BYTES = NODE_WORDS * 32;
    /// @dev Row number of an unshocked point that is no row.
    uint256 internal constant NO_ROW = 255;
    /// @dev Up, flat and down.
    uint256 internal constant FIRST_VOLATILITIES = 3;
    uint256 private constant FLAT = 1;
    uint256 private constant NONE = type(uint256).max;

    struct Draft {
        uint256[] nodes;
        uint256[] segments;
        uint256[] volatilities;
        uint256 volatilityCount;
        uint256 rowCount;
        uint256 nodeCount;
        uint256 segmentCount;
        uint256 gridSegments;
        uint256 base;
    }

    /// @notice Builds the plan of a book.
    /// @param words Packed rows.
    /// @param isGrid Which of them bound intervals.
    /// @return plan Words as above.
    function build(uint256[] memory words, bool[] memory isGrid) internal pure returns (uint256[] memory plan) {
        Draft memory d;
        d.nodes = new uint256[]((words.length + 1) * NODE_WORDS);
        d.segments = new uint256[]((words.length + 4) * SEGMENT_WORDS);
        d.volatilities = new uint256[](words.length * VOLATILITY_WORDS);
        (d.base, d.rowCount) = (NONE, words.length);
        for (uint256 vol; vol < 3; ++vol) {
            _addGrid(d, words, isGrid, vol);
        }
        d.gridSegments = d.segmentCount;
        for (uint256 i; i < words.length; ++i) {
            if (!isGrid[i]) _addOther(d, words[i], i);
        }
        if (d.base == NONE) {
            _addOther(d, ScenarioRow.pack(0, 0, uint8(FLAT), 0, 0), NO_ROW);
        }
        plan = _joined(d);
    }

    /// @dev A row that bounds no interval joins the last segment when that is of its volatility and no grid.
    function _addOther(Draft memory d, uint256 word, uint256 row) private pure {
        uint256 last = d.segmentCount;
        bool isSame = last != d.gridSegments && d.segments[(last - 1) * SEGMENT_WORDS] == _placeOf(d, word);
        if (!isSame) _addSegment(d, word);
        _addNode(d, word, row);
    }

    /// @dev One segment: the grid rows of a vol state from the lowest price up.
    function _addGrid(Draft memory d, uint256[] memory words, bool[] memory isGrid, uint256 vol) private pure {
        int256 above = type(int256).min;
        uint256 next = _nextAbove(words, isGrid, vol, above);
        if (next == NONE) return;
        _addSegment(d, words[next]);
        d.segments[d.segmentCount * SEGMENT_WORDS - 3] = 1;
        while (next != NONE) {
            _addNode(d, words[next], next);
            next = _nextAbove(words, isGrid, vol, words[next].moveOf());
        }
    }

    /// @dev Grid row of a vol state with the lowest price above a move.
    function _nextAbove(uint256[] memory words, bool[] memory isGrid, uint256 vol, int256 above)
        private
        pure
        returns (uint256 next)
    {
        next = NONE;
        for (uint256 i; i < words.length; ++i) {
            if (!isGrid[i] || words[i].volOf() != vol || words[i].moveOf() <= above) continue;
            if (next == NONE || words[i].moveOf() < words[next].moveOf()) next = i;
            else if (words[i].moveOf() == words[next].moveOf()) {
                revert IScenarioBook.ScenarioBook__DuplicateRow(next, i);
            }
        }
    }

    function _addSegment(Draft memory d, uint256 word) private pure {
        uint256 at = d.segmentCount++ * SEGMENT_WORDS;
        d.segments[at] = _placeOf(d, word);
        (d.segments[at + 3], d.segments[at + 4]) = (uint256(word.lnMoveOf()), uint256(word.lnMoveOf()));
    }

    /// @dev Place of a row's volatility among an option's; a new one is added to the list.
    function _placeOf(Draft memory d, uint256 word) private pure returns (uint256) {
        uint256 from = word.volOf() * OptionKernel.VOLATILITY_BYTES;
        if (word.skewOf() == 0) return from;
        (uint256 at, uint256 end) = (0, d.volatilityCount * VOLATILITY_WORDS);
        while (at < end && (d.volatilities[at] != from || d.volatilities[at + 1] != uint256(word.skewOf()))) {
            at += VOLATILITY_WORDS;
        }
        if (at == end) {
            ++d.volatilityCount;
            (d.volatilities[at], d.volatilities[at + 1]) = (from, uint256(word.skewOf()));
        }
        return (FIRST_VOLATILITIES + at / VOLATILITY_WORDS) * OptionKernel.VOLATILITY_BYTES;
    }

    function _addNode(Draft memory d, uint256 word, uint256 row) private pure {
        if (d.base == NONE && word.moveOf() == 0 && word.volOf() == FLAT && word.skewOf() == 0) d.base = d.nodeCount;
        uint256 segment = (d.segmentCount - 1) * SEGMENT_WORDS;
        d.segments[segment + 1] += NODE_BYTES;
        if (word.lnMoveOf() < int256(d.segments[segment + 3])) d.segments[segment + 3] = uint256(word.lnMoveOf());
        if (word.lnMoveOf() > int256(d.segments[segment + 4])) d.segments[segment + 4] = uint256(word.lnMoveOf());
        uint256 at = d.nodeCount++ * NODE_WORDS;
        d.nodes[at] = uint256(word.lnMoveOf());
        d.nodes[at + 1] = uint256((1e18 + word.moveOf()) << 64) / 1e18;
        d.nodes[at + 4] = (uint256(word.moveOf()) << 40) | (word.weightOf() << 8) | row;
    }

    function _joined(Draft memory d) private pure returns (uint256[] memory plan) {
        uint256[3] memory counts =
            [d.volatilityCount * VOLATILITY_WORDS, d.segmentCount * SEGMENT_WORDS, d.nodeCount * NODE_WORDS];
        uint256[][3] memory parts = [d.volatilities, d.segments, d.nodes];
        plan = new uint256[](HEAD_WORDS + counts[0] + counts[1] + counts[2]);
        (plan[0], plan[1], plan[2], plan[3]) = (d.volatilityCount, d.segmentCount, d.base, d.rowCount);
        uint256 at = HEAD_WORDS;
        for (uint256 part; part < 3; ++part) {
            for (uint256 i; i < counts[part]; ++i) {
                plan[at++] = parts[part][i];
            }
        }
    }
}
