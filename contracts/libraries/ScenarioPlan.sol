// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {OptionKernel} from "./OptionKernel.sol";

/// @title ScenarioPlan
/// @notice The rows of a book in the order in which the risk engine walks them, prepared once when the book is set.
/// @dev The moves of grid and tails form one ladder of rising prices. Each vol state of the grid climbs it: those of
/// the tails from end to end, the others over the grid alone; they come first and last in this order. A ladder of one
/// vol state is a segment, whose neighbours bound the intervals of the certified scan. The unshocked point follows when
/// it is no node of the grid, and the skew pairs, a segment for each of their vol states, skew down after skew up at
/// every price.
///
/// Volatilities are numbered: up, flat, down, then up and down in skew for each vol state that a pair has.
///
/// Words: HEAD_WORDS numbers (below); for each volatility after the first three VOLATILITY_WORDS: place of the one it
/// differs from, skew (wad); for each segment SEGMENT_WORDS: place of its volatility (OptionKernel.Option; beyond the
/// first three, in the order of the volatilities), bytes of its nodes, which follow those of the segment before; for
/// each move of the ladder MOVE_WORDS: move (wad), [weight 64 over 64][larger weight of it and the one below 64 over
/// 64] or 0 when both are 1, vol states at it; for each skew pair PAIR_WORDS: the places of its two nodes and of the
/// ladder's node that it bends; for each node NODE_WORDS: ln(1 + move) (Q36), 1 + move (Q64), and two zeros in which
/// the engine keeps its sums. Places are bytes.
library ScenarioPlan {
    uint256 internal constant HEAD_WORDS = 20;
    uint256 internal constant VOLATILITY_WORDS = 2;
    uint256 internal constant SEGMENT_WORDS = 2;
    uint256 internal constant MOVE_WORDS = 3;
    uint256 internal constant PAIR_WORDS = 3;
    uint256 internal constant NODE_WORDS = 4;
    uint256 private constant NODE_BYTES = NODE_WORDS * 32;
    /// @dev Up, flat and down.
    uint256 internal constant FIRST_VOLATILITIES = 3;

    /// @dev Numbers of the head.
    uint256 internal constant VOLATILITIES = 0;
    uint256 internal constant SEGMENTS = 1;
    /// @dev Place of the unshocked node.
    uint256 internal constant BASE = 2;
    uint256 internal constant NODES = 3;
    /// @dev Vol states of the grid, and of the tails.
    uint256 internal constant STATES = 4;
    uint256 internal constant TAIL_STATES = 5;
    /// @dev Moves of the ladder; those below the grid; those of the grid.
    uint256 internal constant MOVES = 6;
    uint256 internal constant TAILS_BELOW = 7;
    uint256 internal constant GRID_MOVES = 8;
    uint256 internal constant PAIRS = 9;
    /// @dev Hash of what two books must have in common to be added up node by node.
    uint256 internal constant LAYOUT = 10;
    /// @dev Index of the first word of the moves, of the pairs, of the nodes.
    uint256 internal constant FIRST_MOVE = 11;
    uint256 internal constant FIRST_PAIR = 12;
    uint256 internal constant FIRST_NODE = 13;
    /// @dev From here on for each of up to three ladders: its vol state's number among the grid's.
    uint256 internal constant RANKS = 14;
    /// @dev From here on for each of them: place where the node of the ladder's lowest move would be.
    uint256 internal constant STARTS = 17;

    uint256 private constant UP = 0;
    uint256 private constant FLAT = 1;
    int256 private constant LOWEST_MOVE_WAD = -0.95e18;
    int256 private constant HIGHEST_MOVE_WAD = 9e18;
    /// @dev 1 over 1.
    uint256 private constant WEIGHT_ONE = (1 << 64) | 1;

    struct Draft {
        /// @dev Moves of the ladder and the multiples of the range that they are; their weights.
        int256[] moves;
        int256[] multiples;
        uint256[] weights;
        uint256[] plan;
        /// @dev Where the next segment and the next node go, as indices into the plan, and the first node.
        uint256 segment;
        uint256 node;
        uint256 firstNode;
    }

    /// @notice Builds the plan of a book; its rows are as ScenarioBook accepts them.
    /// @param rows Rows.
    /// @param rangeWad Price range.
    /// @return plan Words as above.
    function build(IScenarioBook.Rows memory rows, uint256 rangeWad) internal pure returns (uint256[] memory plan) {
        Draft memory d;
        uint256 below = _climb(d, rows, int256(rangeWad));
        uint256 pairStates = _pairStates(rows);
        _create(d, rows, below, pairStates);
        _addLadders(d, rows);
        _addMoves(d);
        plan = d.plan;
        if (plan[BASE] == type(uint256).max) {
            plan[BASE] = (d.node - d.firstNode) * 32;
            _openSegment(d, OptionKernel.VOLATILITY_BYTES);
            _addNode(d, 0);
        }
        _addPairs(d, rows, int256(rangeWad));
    }

    /// @dev The ladder from the lowest price up; returns how many moves lie below the grid. A tail that ends where the
    /// last one, or the grid, does is dropped.
    function _climb(Draft memory d, IScenarioBook.Rows memory rows, int256 range) private pure returns (uint256 below) {
        (uint256 grid, uint256 tails) = (rows.gridMovesWad.length, rows.tailMovesWad.length);
        uint256 most = grid + 2 * tails;
        (d.moves, d.multiples, d.weights) = (new int256[](most), new int256[](most), new uint256[](most));
        int256 lowest = (rows.gridMovesWad[0] * range) / 1e18;
        for (uint256 i = tails; i != 0; --i) {
            (int256 move, int256 multiple) = _clamped(-rows.tailMovesWad[i - 1], range);
            if (move >= lowest || (below != 0 && move <= d.moves[below - 1])) continue;
            (d.moves[below], d.multiples[below], d.weights[below]) = (move, multiple, _weight(move, range));
            ++below;
        }
        uint256 n = below;
        for (uint256 i; i < grid + tails; ++i) {
            int256 multiple = i < grid ? rows.gridMovesWad[i] : rows.tailMovesWad[i - grid];
            int256 move = moveOf(multiple, range);
            // A range may leave nothing of the distance of two multiples.
            if (n != 0 && move <= d.moves[n - 1]) {
                revert IScenarioBook.ScenarioBook__NotIncreasing("moveWad", move, d.moves[n - 1]);
            }
            (d.moves[n], d.multiples[n]) = (move, multiple);
            d.weights[n++] = i < grid ? WEIGHT_ONE : _weight(move, range);
        }
        (int256[] memory moves, int256[] memory multiples, uint256[] memory weights) =
            (d.moves, d.multiples, d.weights);
        assembly ("memory-safe") {
            // Shorten the arrays to what is left of them; equivalent: copy the first n elements.
            mstore(moves, n)
            mstore(multiples, n)
            mstore(weights, n)
        }
    }

    /// @notice Price move of a multiple of the range.
    /// @param multipleWad Multiple.
    /// @param rangeWad Price range.
    /// @return moveWad Move, toward zero.
    function moveOf(int256 multipleWad, int256 rangeWad) internal pure returns (int256 moveWad) {
        moveWad = (multipleWad * rangeWad) / 1e18;
        if (moveWad < LOWEST_MOVE_WAD) {
            revert IScenarioBook.ScenarioBook__MoveOutOfRange(moveWad, LOWEST_MOVE_WAD);
        }
        if (moveWad > HIGHEST_MOVE_WAD) {
            revert IScenarioBook.ScenarioBook__MoveOutOfRange(moveWad, HIGHEST_MOVE_WAD);
        }
    }

    /// @dev Move of a tail that ends at the lowest move, and the multiple it is then.
    function _clamped(int256 multiple, int256 range) private pure returns (int256 move, int256) {
        move = (multiple * range) / 1e18;
        if (move >= LOWEST_MOVE_WAD) return (move, multiple);
        return (LOWEST_MOVE_WAD, (LOWEST_MOVE_WAD * 1e18) / range);
    }

    /// @dev range over |move|: a fraction, so that a linear position loses the same in a tail as at the range's end.
    function _weight(int256 move, int256 range) private pure returns (uint256) {
        return (uint256(range) << 64) | FixedPointMathLib.abs(move);
    }

    /// @dev The larger of two fractions.
    function _larger(uint256 one, uint256 other) private pure returns (uint256) {
        return (one >> 64) * uint64(other) < (other >> 64) * uint64(one) ? other : one;
    }

    /// @dev How many vol states the skew pairs have.
    function _pairStates(IScenarioBook.Rows memory rows) private pure returns (uint256 count) {
        for (uint256 vol; vol < FIRST_VOLATILITIES; ++vol) {
            if (_pairsOf(rows, vol) != 0) ++count;
        }
    }

    function _pairsOf(IScenarioBook.Rows memory rows, uint256 vol) private pure returns (uint256 count) {
        for (uint256 i; i < rows.skewAt.length; ++i) {
            if (rows.skewAt[i].vol == vol) ++count;
        }
    }

    function _has(uint8[] memory vols, uint256 vol) private pure returns (bool) {
        for (uint256 i; i < vols.length; ++i) {
            if (vols[i] == vol) return true;
        }
        return false;
    }

    /// @dev Room for all of it, and the head.
    function _create(Draft memory d, IScenarioBook.Rows memory rows, uint256 below, uint256 pairStates) private pure {
        (uint256 states, uint256 tailStates) = (rows.gridVols.length, rows.tailVols.length);
        (uint256 moves, uint256 gridMoves) = (d.moves.length, rows.gridMovesWad.length);
        uint256 extra = _has(rows.gridVols, FLAT) ? 0 : 1;
        uint256 nodes = tailStates * moves + (states - tailStates) * gridMoves + 2 * rows.skewAt.length + extra;
        uint256 segments = states + pairStates + extra;
        d.segment = HEAD_WORDS + 2 * pairStates * VOLATILITY_WORDS;
        d.node = d.segment + segments * SEGMENT_WORDS + moves * MOVE_WORDS + PAIR_WORDS * rows.skewAt.length;
        d.firstNode = d.node;
        d.plan = new uint256[](d.node + nodes * NODE_WORDS);
        uint256[] memory plan = d.plan;
        (plan[VOLATILITIES], plan[SEGMENTS], plan[BASE]) = (2 * pairStates, segments, type(uint256).max);
        (plan[NODES], plan[STATES], plan[TAIL_STATES]) = (nodes, states, tailStates);
        (plan[MOVES], plan[TAILS_BELOW], plan[GRID_MOVES]) = (moves, below, gridMoves);
        (plan[PAIRS], plan[FIRST_NODE]) = (rows.skewAt.length, d.node);
        plan[FIRST_PAIR] = d.node - PAIR_WORDS * rows.skewAt.length;
        plan[FIRST_MOVE] = plan[FIRST_PAIR] - moves * MOVE_WORDS;
        plan[LAYOUT] = uint256(keccak256(abi.encode(d.multiples, below, gridMoves, rows.gridVols, rows.tailVols)));
    }

    /// @dev The vol states of the tails first.
    function _addLadders(Draft memory d, IScenarioBook.Rows memory rows) private pure {
        uint256 ladder;
        for (uint256 turn; turn < 2; ++turn) {
            for (uint256 i; i < rows.gridVols.length; ++i) {
                bool hasTails = _has(rows.tailVols, rows.gridVols[i]);
                if (hasTails != (turn == 0)) continue;
                d.plan[RANKS + ladder] = i;
                uint256 first = (d.node - d.firstNode) * 32;
                // Wraps below 0 where the tails are missing: with a move of its own it is right again.
                unchecked {
                    d.plan[STARTS + ladder++] = hasTails ? first : first - d.plan[TAILS_BELOW] * NODE_BYTES;
                }
                _addLadder(d, rows, rows.gridVols[i], hasTails);
            }
        }
    }

    function _addLadder(Draft memory d, IScenarioBook.Rows memory rows, uint256 vol, bool hasTails) private pure {
        uint256 from = hasTails ? 0 : d.plan[TAILS_BELOW];
        uint256 end = hasTails ? d.moves.length : from + rows.gridMovesWad.length;
        _openSegment(d, vol * OptionKernel.VOLATILITY_BYTES);
        for (uint256 i = from; i < end; ++i) {
            if (vol == FLAT && d.moves[i] == 0) d.plan[BASE] = (d.node - d.firstNode) * 32;
            _addNode(d, d.moves[i]);
        }
    }

    function _addMoves(Draft memory d) private pure {
        uint256[] memory plan = d.plan;
        uint256 at = plan[FIRST_MOVE];
        for (uint256 i; i < d.moves.length; ++i) {
            uint256 weight = d.weights[i];
            uint256 larger = i == 0 ? weight : _larger(weight, d.weights[i - 1]);
            bool isOne = weight == WEIGHT_ONE && larger == WEIGHT_ONE;
            plan[at] = uint256(d.moves[i]);
            plan[at + 1] = isOne ? 0 : (weight << 128) | larger;
            plan[at + 2] = _statesAt(plan, i);
            at += MOVE_WORDS;
        }
    }

    /// @dev Vol states at a move of the ladder.
    function _statesAt(uint256[] memory plan, uint256 i) private pure returns (uint256) {
        bool isGrid = i >= plan[TAILS_BELOW] && i < plan[TAILS_BELOW] + plan[GRID_MOVES];
        return isGrid ? plan[STATES] : plan[TAIL_STATES];
    }

    /// @dev For each vol state of the pairs a segment by rising move, in which a node with skew down follows each with
    /// skew up.
    function _addPairs(Draft memory d, IScenarioBook.Rows memory rows, int256 range) private pure {
        uint256 volatility;
        for (uint256 vol = UP; vol < FIRST_VOLATILITIES; ++vol) {
            if (_pairsOf(rows, vol) == 0) continue;
            for (uint256 side; side < 2; ++side) {
                int256 skew = side == 0 ? int256(rows.skewWad) : -int256(rows.skewWad);
                uint256 at = HEAD_WORDS + (volatility + side) * VOLATILITY_WORDS;
                (d.plan[at], d.plan[at + 1]) = (vol * OptionKernel.VOLATILITY_BYTES, uint256(skew));
            }
            _openSegment(d, (FIRST_VOLATILITIES + volatility) * OptionKernel.VOLATILITY_BYTES);
            volatility += 2;
            for (uint256 move; move < rows.gridMovesWad.length; ++move) {
                for (uint256 i; i < rows.skewAt.length; ++i) {
                    bool isHere = rows.skewAt[i].vol == vol && rows.skewAt[i].moveWad == rows.gridMovesWad[move];
                    if (isHere) _addPair(d, rows, i, moveOf(rows.skewAt[i].moveWad, range));
                }
            }
        }
    }

    function _addPair(Draft memory d, IScenarioBook.Rows memory rows, uint256 i, int256 moveWad) private pure {
        uint256 pair = d.plan[FIRST_PAIR] + PAIR_WORDS * i;
        for (uint256 side; side < 2; ++side) {
            d.plan[pair + side] = (d.node - d.firstNode) * 32;
            _addNode(d, moveWad);
        }
        d.plan[pair + 2] = _placeInGrid(d.plan, rows, rows.skewAt[i]);
    }

    /// @dev Place of the node of a move and a vol state of the grid.
    function _placeInGrid(uint256[] memory plan, IScenarioBook.Rows memory rows, IScenarioBook.SkewPlace memory at)
        private
        pure
        returns (uint256)
    {
        (uint256 ladder, uint256 move) = (0, 0);
        while (rows.gridVols[plan[RANKS + ladder]] != at.vol) ++ladder;
        while (rows.gridMovesWad[move] != at.moveWad) ++move;
        // Wraps as the start does.
        unchecked {
            return plan[STARTS + ladder] + (plan[TAILS_BELOW] + move) * NODE_BYTES;
        }
    }

    function _openSegment(Draft memory d, uint256 volatilityPlace) private pure {
        d.plan[d.segment] = volatilityPlace;
        d.segment += SEGMENT_WORDS;
    }

    /// @dev Into the segment opened last.
    function _addNode(Draft memory d, int256 moveWad) private pure {
        (uint256[] memory plan, uint256 at) = (d.plan, d.node);
        int256 lnMoveQ36 = (FixedPointMathLib.lnWad(1e18 + moveWad) << 36) / 1e18;
        d.node = at + NODE_WORDS;
        (plan[at], plan[at + 1]) = (uint256(lnMoveQ36), uint256((1e18 + moveWad) << 64) / 1e18);
        plan[d.segment - SEGMENT_WORDS + 1] += NODE_BYTES;
    }
}
