// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {NormalCdf} from "./NormalCdf.sol";
import {OptionKernel} from "./OptionKernel.sol";
import {ScenarioPlan} from "./ScenarioPlan.sol";
import {WadMath} from "./WadMath.sol";

/// @title ScenarioGrid
/// @notice Walks options through every row of a book and sums their cash per row and interval.
/// @dev Every option is walked as a call: a put differs by a forward, which the caller adds to the linear cash. The
/// quantity and the discount are part of the cash at stake, so that a row is one product of each with N(d1) and N(d2).
/// Unchecked throughout: cash at stake is below 2**175 wei, growth below 2**4, N at most 2**60, and there are at most
/// 128 options: no sum leaves int256.
library ScenarioGrid {
    /// @dev 32 times the words of ScenarioPlan, where the layouts are.
    uint256 private constant NODE_BYTES = 160;
    uint256 private constant SEGMENT_BYTES = 192;
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
        /// @dev [weight in 1e-9][row 8].
        uint256 tag;
    }

    /// @notice Nodes of one volatility.
    struct Segment {
        uint256 volOffset;
        int256 skewWad;
        uint256 nodeBytes;
        /// @dev Whether its nodes bound intervals.
        bool isGrid;
        /// @dev Of ln(1 + move) over its nodes.
        int256 lowestLnQ64;
        int256 highestLnQ64;
    }

    /// @dev Nodes and segments lie one after the other: loops step a reference by the struct's size.
    struct Grid {
        Node firstNode;
        Node baseNode;
        Segment firstSegment;
        uint256 segmentCount;
        uint256 table;
    }

    /// @notice What a walk ends in.
    struct Outcome {
        /// @dev Worst row: the lowest number with the smallest profit.
        uint256 worstRow;
        int256 lowestWad;
        /// @dev Worst loss over the intervals; the smallest integer when there is none.
        int256 intervalLossWad;
    }

    /// @notice Opens the plan of a book; its nodes hold no cash yet.
    /// @param g Memory of the grid.
    /// @param plan Plan, see ScenarioPlan.
    /// @param table Normal table in memory.
    function create(Grid memory g, uint256[] memory plan, uint256 table) internal pure {
        unchecked {
            // Unchecked: counts at most 36.
            (g.segmentCount, g.table) = (plan[0], table);
            uint256 segments = ScenarioPlan.HEAD_WORDS * 32 + 32;
            uint256 nodes = segments + g.segmentCount * SEGMENT_BYTES;
            uint256 base = nodes + plan[1] * NODE_BYTES;
            assembly ("memory-safe") {
                // Equivalent: the grid's first three fields refer to what lies inside the plan.
                mstore(g, add(plan, nodes))
                mstore(add(g, 0x20), add(plan, base))
                mstore(add(g, 0x40), add(plan, segments))
            }
        }
    }

    /// @notice Adds an option's cash at every node, and for a long one its gaps.
    /// @param g Grid.
    /// @param o Option.
    /// @param forwardCash quantity*discount*forward, wad.
    /// @param strikeCash quantity*discount*strike, wad.
    function walk(Grid memory g, OptionKernel.Option memory o, int256 forwardCash, int256 strikeCash) internal pure {
        unchecked {
            Segment memory segment = g.firstSegment;
            Node memory node = g.firstNode;
            for (uint256 i = g.segmentCount; i != 0; --i) {
                // A reference; a function that returned it would first clear a struct of its own.
                OptionKernel.Volatility memory v = o.skewed;
                uint256 offset = segment.volOffset;
                assembly ("memory-safe") {
                    // Equivalent: v = o.up, o.flat or o.down; the book admits no other vol state.
                    v := mload(add(o, offset))
                }
                if (segment.skewWad != 0) {
                    _skew(o, v.stdQ64, segment.skewWad);
                    v = o.skewed;
                }
                bool hasGaps = forwardCash > 0 && segment.isGrid;
                (uint256 bytes_, int256 logMoneyness) = (segment.nodeBytes, o.logMoneynessQ64);
                if (_isInside(logMoneyness, segment, v)) {
                    _walkInside(g.table, node, bytes_, logMoneyness, v, forwardCash, strikeCash, hasGaps);
                } else {
                    _walkAnywhere(g.table, node, bytes_, logMoneyness, v, forwardCash, strikeCash, hasGaps);
                }
                assembly ("memory-safe") {
                    // The next ones.
                    node := add(node, mload(add(segment, 0x40)))
                    segment := add(segment, SEGMENT_BYTES)
                }
            }
        }
    }

    /// @dev Volatility of a skewed segment.
    function _skew(OptionKernel.Option memory o, uint256 stdQ64, int256 skewWad) private pure {
        unchecked {
            uint256 factorWad = uint256(1e18 + WadMath.quotient(skewWad * o.skewWad, 1e18));
            OptionKernel.setVolatility(o.skewed, (stdQ64 * factorWad) / 1e18);
        }
    }

    /// @dev Whether both distributions of every node of the segment lie inside the table.
    function _isInside(int256 logMoneyness, Segment memory segment, OptionKernel.Volatility memory v)
        private
        pure
        returns (bool isInside)
    {
        assembly ("memory-safe") {
            // Equivalent: _place(highest) < SPAN && _place(lowest) - std >= 0; the places of the others lie between.
            let inverse := mload(add(v, 0x20))
            let middle := mload(add(v, 0x60))
            let lowest := add(sar(90, mul(add(logMoneyness, mload(add(segment, 0x80))), inverse)), middle)
            let highest := add(sar(90, mul(add(logMoneyness, mload(add(segment, 0xa0))), inverse)), middle)
            lowest := sub(lowest, mload(add(v, 0x40)))
            isInside := and(lt(highest, 0x38000000000), lt(lowest, 0x38000000000))
        }
    }

    /// @dev Place of d1 in the table.
    function _place(int256 logarithm, OptionKernel.Volatility memory v) private pure returns (int256) {
        unchecked {
            return ((logarithm * int256(v.inverseQ64)) >> 90) + int256(v.middleQ38);
        }
    }

    /// @dev The nodes of one segment, one after the other, in a form that can be read; it also knows the two sides of
    /// the table, where most nodes cost no distribution at all.
    function _walkAnywhere(
        uint256 table,
        Node memory node,
        uint256 nodeBytes,
        int256 logMoneyness,
        OptionKernel.Volatility memory v,
        int256 forwardCash,
        int256 strikeCash,
        bool hasGaps
    ) private pure {
        unchecked {
            // With a slope of 1 before it, the first node has no gap: the second distance is not positive.
            (int256 lastAt, int256 lastValue, int256 lastSlope) = (int256(0), int256(0), int256(1 << 60));
            for (; nodeBytes != 0; nodeBytes -= NODE_BYTES) {
                int256 z = _place(logMoneyness + node.lnMoveQ64, v);
                int256 at = (forwardCash * node.growthQ64) >> 64;
                int256 slope = NormalCdf.cdf(table, z);
                int256 value = at * slope - strikeCash * NormalCdf.cdf(table, z - int256(v.stdQ38));
                node.cash += value;
                if (hasGaps) {
                    int256 step = at - lastAt;
                    int256 rise = value - lastValue;
                    node.gap += _gap(step * slope - rise, rise - step * lastSlope);
                    (lastAt, lastValue, lastSlope) = (at, value, slope);
                }
                assembly ("memory-safe") {
                    node := add(node, NODE_BYTES) // the next one
                }
            }
        }
    }

    /// @dev a*b/(a + b) as 1/(1/a + 1/b): with a = h*(d1 - c) and b = h*(c - d0) this is the risk model's
    /// h*(d1 - c)*(c - d0)/(d1 - d0). Rounded up; 0 when a distance is not positive, which is rounding.
    function _gap(int256 a, int256 b) private pure returns (int256) {
        unchecked {
            if (a <= 0 || b <= 0) return 0;
            return int256(type(uint256).max / (type(uint256).max / uint256(a) + type(uint256).max / uint256(b)));
        }
    }

    /// @dev The hot loop: `_walkAnywhere` for a segment that lies inside the table, with NormalCdf.cdf written out
    /// twice (a call would cost a quarter of it). The table's address is part of the places: z >> 28 is where the entry
    /// lies, once its last four bits are gone.
    function _walkInside(
        uint256 table,
        Node memory node,
        uint256 nodeBytes,
        int256 logMoneyness,
        OptionKernel.Volatility memory v,
        int256 forwardCash,
        int256 strikeCash,
        bool hasGaps
    ) private pure {
        assembly ("memory-safe") {
            // Scratch space holds what is read once a node: a variable beyond the stack's reach costs more.
            mstore(0x00, forwardCash)
            mstore(0x20, strikeCash)
            let inverse := mload(add(v, 0x20))
            let std := mload(add(v, 0x40))
            let middle := add(mload(add(v, 0x60)), shl(28, table))
            let end := add(node, nodeBytes)
            // With a slope of 1 before it, the first node has no gap: b is not positive.
            let lastAt := 0
            let lastValue := 0
            let lastSlope := shl(60, 1)
            for {} lt(node, end) { node := add(node, NODE_BYTES) } {
                let z := add(sar(90, mul(add(logMoneyness, mload(node)), inverse)), middle)
                // slope = cdf(z)
                let w := mload(and(shr(28, z), not(0xf)))
                let s := and(z, 0xffffffff)
                let slope := add(sar(196, shl(76, w)), mul(s, sar(233, shl(104, w))))
                slope := add(sar(157, shl(41, w)), mul(s, slope))
                slope := sar(76, add(shr(119, w), mul(s, slope)))
                // value = at*slope - strikeCash*cdf(z - std)
                z := sub(z, std)
                w := mload(and(shr(28, z), not(0xf)))
                s := and(z, 0xffffffff)
                let value := add(sar(196, shl(76, w)), mul(s, sar(233, shl(104, w))))
                value := add(sar(157, shl(41, w)), mul(s, value))
                value := mul(mload(0x20), sar(76, add(shr(119, w), mul(s, value))))
                let at := sar(64, mul(mload(0x00), mload(add(node, 0x20))))
                value := sub(mul(at, slope), value)
                mstore(add(node, 0x40), add(mload(add(node, 0x40)), value))
                if hasGaps {
                    // The difference takes the place of its second term: step, rise, then b and a.
                    lastAt := sub(at, lastAt)
                    lastValue := sub(value, lastValue)
                    lastSlope := sub(lastValue, mul(lastAt, lastSlope))
                    lastAt := sub(mul(lastAt, slope), lastValue)
                    if and(sgt(lastAt, 0), sgt(lastSlope, 0)) {
                        lastValue := div(not(0), add(div(not(0), lastAt), div(not(0), lastSlope)))
                        mstore(add(node, 0x60), add(mload(add(node, 0x60)), lastValue))
                    }
                    lastAt := at
                    lastValue := value
                    lastSlope := slope
                }
            }
        }
    }

    /// @notice Worst row and worst interval.
    /// @param g Grid, after all options.
    /// @param linearCash What a relative move of 1 earns on everything linear, wad.
    /// @return out Outcome.
    function outcome(Grid memory g, int256 linearCash) internal pure returns (Outcome memory out) {
        unchecked {
            (out.lowestWad, out.intervalLossWad) = (type(int256).max, type(int256).min);
            Segment memory segment = g.firstSegment;
            Node memory node = g.firstNode;
            int256 baseCash = g.baseNode.cash;
            for (uint256 i = g.segmentCount; i != 0; --i) {
                if (segment.isGrid) _worstOfGrid(node, segment.nodeBytes, baseCash, linearCash, out);
                else _worstOf(node, segment.nodeBytes, baseCash, linearCash, out);
                assembly ("memory-safe") {
                    // The next ones.
                    node := add(node, mload(add(segment, 0x40)))
                    segment := add(segment, SEGMENT_BYTES)
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
                if (node.tag & 0xff != NO_ROW) _compare(out, _profit(node, baseCash, linearCash), node.tag & 0xff);
                assembly ("memory-safe") {
                    node := add(node, NODE_BYTES) // the next one
                }
            }
        }
    }

    /// @dev A row with the smallest profit so far, or as small a one and a smaller number, is the worst.
    function _compare(Outcome memory out, int256 pnlWad, uint256 row) private pure {
        if (pnlWad > out.lowestWad || (pnlWad == out.lowestWad && row > out.worstRow)) return;
        (out.worstRow, out.lowestWad) = (row, pnlWad);
    }

    /// @dev Grid rows, whose weight is 1. Equivalent, for every node in turn: pnl = _profit(node);
    /// _compare(out, pnl, row); loss = gap, rounded up, - min(pnl, pnl of the node before) is compared with the worst
    /// interval. The first node has no gap: its interval is the node itself.
    function _worstOfGrid(
        Node memory node,
        uint256 nodeBytes,
        int256 baseCash,
        int256 linearCash,
        Outcome memory out
    ) private pure {
        assembly ("memory-safe") {
            let end := add(node, nodeBytes)
            let worstRow := mload(out)
            let lowest := mload(add(out, 0x20))
            let worstLoss := mload(add(out, 0x40))
            let before := shr(1, not(0))
            for {} lt(node, end) { node := add(node, NODE_BYTES) } {
                let pnl := sar(60, sub(mload(add(node, 0x40)), baseCash))
                pnl := add(pnl, sar(64, mul(linearCash, sub(mload(add(node, 0x20)), 0x10000000000000000))))
                let lower := before
                if slt(pnl, before) { lower := pnl }
                lower := sub(sub(0, sar(60, sub(0, mload(add(node, 0x60))))), lower)
                if sgt(lower, worstLoss) { worstLoss := lower }
                before := pnl
                if iszero(sgt(pnl, lowest)) {
                    let row := and(mload(add(node, 0x80)), 0xff)
                    if or(slt(pnl, lowest), lt(row, worstRow)) {
                        lowest := pnl
                        worstRow := row
                    }
                }
            }
            mstore(out, worstRow)
            mstore(add(out, 0x20), lowest)
            mstore(add(out, 0x40), worstLoss)
        }
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
            if (row < rows) (pnlWad[row], left) = (_profit(node, g.baseNode.cash, linearCash), left - 1);
            assembly ("memory-safe") {
                node := add(node, NODE_BYTES) // the next one
            }
        }
    }

    /// @dev Profit of a row after its weight, rounded down.
    function _profit(Node memory node, int256 baseCash, int256 linearCash) private pure returns (int256 pnlWad) {
        unchecked {
            pnlWad = (node.cash - baseCash) >> 60;
            pnlWad += (linearCash * (node.growthQ64 - (1 << 64))) >> 64;
            int256 weight = int256(node.tag >> 8);
            if (weight == 1e9) return pnlWad;
            // Division truncates toward zero; a loss is made larger first.
            pnlWad *= weight;
            pnlWad = (pnlWad < 0 ? pnlWad - (1e9 - 1) : pnlWad) / 1e9;
        }
    }
}
