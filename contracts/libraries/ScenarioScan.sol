// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ScenarioPlan} from "./ScenarioPlan.sol";

/// @title ScenarioScan
/// @notice Worst loss over nodes and intervals of what the expiries of a portfolio hold, each at a scale of its own.
/// @dev Sums are losses in wei after their weight: for each node of the ladders the loss there and the gap of the
/// interval below it (two words, in the order of the nodes); then for each move of the ladder, with every expiry in the
/// vol state that is worst for itself, the loss as the upper end of the interval below and as the lower end of the one
/// above (risk-model section 4, C_non). Linear P&L is the same in every vol state and stands in all of them once.
/// Cuts below a wei are left to the pad of the options. Unchecked: losses are below 2**175, scales below 2**17, weights
/// below 2**60.
library ScenarioScan {
    struct Scan {
        /// @dev Memory positions of the plan's head and of the sums; bytes of the sums of the nodes and of all.
        uint256 plan;
        uint256 sums;
        uint256 nodeBytes;
        uint256 allBytes;
    }

    struct Worst {
        /// @dev Largest loss at a node, and with gaps, and with vol states apart; may be negative.
        int256 scan;
        int256 certified;
        int256 apart;
        /// @dev Lowest number of the rows that lose most.
        uint256 row;
    }

    /// @notice Makes room for the sums of a plan.
    /// @param s Memory of the scan.
    /// @param plan Plan, see ScenarioPlan.
    function create(Scan memory s, uint256[] memory plan) internal pure {
        unchecked {
            (uint256 states, uint256 tailStates) = (plan[ScenarioPlan.STATES], plan[ScenarioPlan.TAIL_STATES]);
            uint256 moves = plan[ScenarioPlan.MOVES];
            s.nodeBytes = (tailStates * moves + (states - tailStates) * plan[ScenarioPlan.GRID_MOVES]) * 64;
            s.allBytes = s.nodeBytes + moves * 64;
            assembly ("memory-safe") {
                // Equivalent: s.plan = the plan as a number; s.sums = a new array, written before it is read.
                mstore(s, add(plan, 0x20))
                let sums := mload(0x40)
                mstore(add(s, 0x20), sums)
                mstore(0x40, add(sums, mload(add(s, 0x60))))
            }
        }
    }

    /// @notice Sums of nothing but what is linear.
    /// @param s Scan.
    /// @param linearCash What a relative move of 1 earns, wad.
    function start(Scan memory s, int256 linearCash) internal pure {
        (uint256 sums, uint256 allBytes) = (s.sums, s.allBytes);
        assembly ("memory-safe") {
            // Equivalent: every word of the sums is 0.
            calldatacopy(sums, calldatasize(), allBytes)
        }
        if (linearCash == 0) return;
        (uint256 plan, uint256 apart) = (s.plan, sums + s.nodeBytes);
        assembly ("memory-safe") {
            let move := add(plan, shl(5, mload(add(plan, 0x160)))) // FIRST_MOVE
            let end := add(move, mul(0x60, mload(add(plan, 0xc0)))) // MOVES
            for { let offset := 0 } lt(move, end) { offset := add(offset, 0x80) } {
                // Losses are rounded up: the profit down, or a loss by the part that division cut off.
                let product := mul(sub(0, linearCash), mload(move))
                let loss := add(sdiv(product, 1000000000000000000), sgt(smod(product, 1000000000000000000), 0))
                let weight := shr(128, mload(add(move, 0x20)))
                let divisor := and(weight, 0xffffffffffffffff)
                product := mul(loss, shr(64, weight))
                loss := add(sdiv(product, divisor), sgt(smod(product, divisor), 0))
                let start_ := add(plan, 0x220) // STARTS
                let states := shr(16, mload(add(move, 0x40)))
                for { let last := add(start_, shl(5, states)) } lt(start_, last) { start_ := add(start_, 0x20) } {
                    mstore(add(sums, shr(1, add(mload(start_), offset))), loss)
                }
                mstore(apart, loss)
                mstore(add(apart, 0x20), loss)
                apart := add(apart, 0x40)
                move := add(move, 0x60)
            }
        }
    }

    /// @notice Adds what the options of an expiry lose at every node.
    /// @param s Scan, started.
    /// @param nodes Memory position of their nodes, see ScenarioGrid.
    /// @param baseCash Their cash at the unshocked node, Q60 wei.
    /// @param scale Numerator of the scale.
    /// @param whole Its denominator.
    function addExpiry(Scan memory s, uint256 nodes, int256 baseCash, uint256 scale, uint256 whole) internal pure {
        (uint256 plan, uint256 sums, uint256 apart) = (s.plan, s.sums, s.sums + s.nodeBytes);
        assembly ("memory-safe") {
            // Scratch space holds what is read once a move.
            mstore(0x00, scale)
            mstore(0x20, whole)
            addMoves(plan, add(plan, shl(5, mload(add(plan, 0x160)))), sums, apart, nodes, baseCash)

            function addMoves(head, move, into, into2, node, base) {
                let end := add(move, mul(0x60, mload(add(head, 0xc0)))) // FIRST_MOVE and MOVES
                for { let offset := 0 } lt(move, end) { offset := add(offset, 0x80) } {
                    addMove(move, add(head, 0x220), add(into, shr(1, offset)), into2, add(node, offset), base)
                    into2 := add(into2, 0x40)
                    move := add(move, 0x60)
                }
            }

            // A weight of two words of 64 bits, times the scale.
            function scaled(fraction) -> num, den {
                num := mul(mload(0x00), and(shr(64, fraction), 0xffffffffffffffff))
                den := mul(mload(0x20), and(fraction, 0xffffffffffffffff))
            }

            // From here on `starts` counts the vol states: places of their ladders, which start at STARTS.
            function addMove(move, starts, into, into2, node, base) {
                let num, den := scaled(shr(128, mload(add(move, 0x20))))
                let lowerNum, lowerDen := scaled(mload(add(move, 0x20)))
                let upperNum, upperDen := scaled(mload(add(move, 0x80)))
                let states := mload(add(move, 0x40))
                let lower := shl(255, 1)
                let upper := shl(255, 1)
                let lowerEnd := add(starts, shl(5, and(shr(8, states), 0xff)))
                let upperEnd := add(starts, shl(5, and(states, 0xff)))
                for { let last := add(starts, shl(5, shr(16, states))) } lt(starts, last) {} {
                    let place := mload(starts)
                    let at := add(node, place)
                    let loss := sdiv(mul(sar(60, sub(base, mload(add(at, 0x40)))), num), den)
                    let gap := div(mul(shr(60, mload(add(at, 0x60))), lowerNum), lowerDen)
                    place := add(into, sar(1, place))
                    mstore(place, add(mload(place), loss))
                    mstore(add(place, 0x20), add(mload(add(place, 0x20)), gap))
                    if lt(starts, lowerEnd) {
                        gap := add(gap, loss)
                        if sgt(gap, lower) { lower := gap }
                    }
                    if lt(starts, upperEnd) {
                        loss := add(loss, div(mul(shr(60, mload(add(at, 0xe0))), upperNum), upperDen))
                        if sgt(loss, upper) { upper := loss }
                    }
                    starts := add(starts, 0x20)
                }
                // What has no interval on a side stays what it was: nobody reads it.
                mstore(into2, add(mload(into2), lower))
                mstore(add(into2, 0x20), add(mload(add(into2, 0x20)), upper))
            }
        }
    }

    /// @notice Adds the sums of another scan of the same layout.
    /// @param s Scan, started.
    /// @param other Scan.
    function addScan(Scan memory s, Scan memory other) internal pure {
        (uint256 at, uint256 from, uint256 end) = (s.sums, other.sums, s.sums + s.allBytes);
        assembly ("memory-safe") {
            // Equivalent: s.sums[i] += other.sums[i] for every word.
            for {} lt(at, end) {} {
                mstore(at, add(mload(at), mload(from)))
                at := add(at, 0x20)
                from := add(from, 0x20)
            }
        }
    }

    /// @notice What is worst.
    /// @param s Scan, after all expiries.
    /// @return w Losses over nodes and intervals.
    function worst(Scan memory s) internal pure returns (Worst memory w) {
        (w.scan, w.certified, w.apart) = (type(int256).min, type(int256).min, type(int256).min);
        (uint256 plan, uint256 sums, uint256 apart) = (s.plan, s.sums, s.sums + s.nodeBytes);
        assembly ("memory-safe") {
            let states := mload(add(plan, 0x80))
            let tailStates := mload(add(plan, 0xa0))
            for { let ladder := 0 } lt(ladder, states) { ladder := add(ladder, 1) } {
                let hasTails := lt(ladder, tailStates)
                sums := climb(w, plan, ladder, hasTails, sums)
            }
            let worstApart := mload(add(w, 0x40))
            // Upper end of an interval and lower end of the next lie side by side: so do both ends of one.
            let end := add(apart, sub(shl(6, mload(add(plan, 0xc0))), 0x20))
            for { apart := add(apart, 0x20) } lt(apart, end) { apart := add(apart, 0x20) } {
                if sgt(mload(apart), worstApart) { worstApart := mload(apart) }
            }
            mstore(add(w, 0x40), worstApart)

            // One ladder: a node, and the interval below it with the gap. The first node has no gap.
            function climb(into, head, ladder_, isWhole, sum) -> sumEnd {
                let index := mul(iszero(isWhole), mload(add(head, 0xe0))) // TAILS_BELOW
                let count := mload(add(head, 0x100)) // GRID_MOVES
                if isWhole { count := mload(add(head, 0xc0)) } // MOVES
                sumEnd := add(sum, shl(6, count))
                let scan := mload(into)
                let certified := mload(add(into, 0x20))
                let before := shl(255, 1)
                for {} lt(sum, sumEnd) { index := add(index, 1) } {
                    let loss := mload(sum)
                    if iszero(slt(loss, scan)) {
                        let row := rowOf(head, ladder_, index)
                        if or(sgt(loss, scan), lt(row, mload(add(into, 0x60)))) { mstore(add(into, 0x60), row) }
                        scan := loss
                    }
                    if slt(before, loss) { before := loss }
                    before := add(before, mload(add(sum, 0x20)))
                    if sgt(before, certified) { certified := before }
                    before := loss
                    sum := add(sum, 0x40)
                }
                mstore(into, scan)
                mstore(add(into, 0x20), certified)
            }

            // Grid by rising move and vol state, then tails likewise.
            function rowOf(head, ladder_, index) -> row {
                let below := mload(add(head, 0xe0))
                let gridMoves := mload(add(head, 0x100))
                let gridStates := mload(add(head, 0x80))
                row := sub(index, below)
                switch lt(row, gridMoves)
                case 1 { row := add(mul(row, gridStates), mload(add(head, shl(5, add(14, ladder_))))) } // RANKS
                default {
                    if iszero(lt(index, below)) { index := sub(index, gridMoves) }
                    row := add(mul(gridMoves, gridStates), add(mul(index, mload(add(head, 0xa0))), ladder_))
                }
            }
        }
    }

    /// @notice Adds by how much an expiry's options gain or lose by skew at every place, half of both sides together.
    /// @param s Scan.
    /// @param places Sums by place, wei.
    /// @param nodes Memory position of the expiry's nodes.
    /// @param scale Numerator of the scale.
    /// @param whole Its denominator.
    function addSkew(Scan memory s, uint256[] memory places, uint256 nodes, uint256 scale, uint256 whole)
        internal
        pure
    {
        uint256 plan = s.plan;
        assembly ("memory-safe") {
            // Equivalent: places[i] += |cash up - cash down|*scale/(2*whole).
            let pair := add(plan, shl(5, mload(add(plan, 0x180)))) // FIRST_PAIR
            let at := add(places, 0x20)
            for { let end := add(at, shl(5, mload(places))) } lt(at, end) {} {
                let up := mload(add(add(nodes, mload(pair)), 0x40))
                let moved := sub(up, mload(add(add(nodes, mload(add(pair, 0x20))), 0x40)))
                if slt(moved, 0) { moved := sub(0, moved) }
                mstore(at, add(mload(at), add(div(mul(shr(61, moved), scale), whole), 1)))
                at := add(at, 0x20)
                pair := add(pair, 0x40)
            }
        }
    }

    /// @notice Worst loss over the nodes of one short option, or of a linear position, alone.
    /// @param plan Plan.
    /// @param nodes Memory position of its nodes.
    /// @param baseCash Its cash at the unshocked node, Q60 wei.
    /// @param linearCash What a relative move of 1 earns on its linear part, wad.
    /// @return loss Wei; negative when it never loses.
    function alone(uint256[] memory plan, uint256 nodes, int256 baseCash, int256 linearCash)
        internal
        pure
        returns (int256 loss)
    {
        assembly ("memory-safe") {
            let head := add(plan, 0x20)
            let move := add(head, shl(5, mload(add(head, 0x160)))) // FIRST_MOVE
            let end := add(move, mul(0x60, mload(add(head, 0xc0)))) // MOVES
            loss := shl(255, 1)
            for { let node := nodes } lt(move, end) { node := add(node, 0x80) } {
                // Losses are rounded up.
                let product := mul(sub(0, linearCash), mload(move))
                let moved := add(sdiv(product, 1000000000000000000), sgt(smod(product, 1000000000000000000), 0))
                let largest := shl(255, 1)
                let start_ := add(head, 0x220) // STARTS
                for { let last := add(start_, shl(5, shr(16, mload(add(move, 0x40))))) } lt(start_, last) {} {
                    let one := sub(baseCash, mload(add(add(node, mload(start_)), 0x40)))
                    if sgt(one, largest) { largest := one }
                    start_ := add(start_, 0x20)
                }
                let weight := shr(128, mload(add(move, 0x20)))
                let divisor := and(weight, 0xffffffffffffffff)
                product := mul(add(moved, sub(0, sar(60, sub(0, largest)))), shr(64, weight))
                largest := add(sdiv(product, divisor), sgt(smod(product, divisor), 0))
                if sgt(largest, loss) { loss := largest }
                move := add(move, 0x60)
            }
        }
    }

    /// @notice Half of the largest difference that skew makes at a place, to one option alone.
    /// @param plan Plan.
    /// @param nodes Memory position of its nodes.
    /// @return moved Wei.
    function largestSkew(uint256[] memory plan, uint256 nodes) internal pure returns (uint256 moved) {
        assembly ("memory-safe") {
            let head := add(plan, 0x20)
            let pair := add(head, shl(5, mload(add(head, 0x180)))) // FIRST_PAIR
            for { let end := add(pair, shl(6, mload(add(head, 0x120)))) } lt(pair, end) { pair := add(pair, 0x40) } {
                let one := mload(add(add(nodes, mload(pair)), 0x40))
                one := sub(one, mload(add(add(nodes, mload(add(pair, 0x20))), 0x40)))
                if slt(one, 0) { one := sub(0, one) }
                if gt(one, moved) { moved := one }
            }
            moved := add(shr(61, moved), iszero(iszero(moved)))
        }
    }

    /// @notice Profits of all rows of grid and tails.
    /// @param s Scan, after all expiries.
    /// @param more Rows that the caller appends.
    /// @return pnlWad Per row, after its weight, wad; rows to be appended are 0.
    function profits(Scan memory s, uint256 more) internal pure returns (int256[] memory pnlWad) {
        pnlWad = new int256[](s.nodeBytes / 64 + more);
        (uint256 plan, uint256 sums) = (s.plan, s.sums);
        assembly ("memory-safe") {
            // Equivalent: for every move of the grid, then of the tails, for every vol state in its own order:
            // pnlWad[row++] = -loss.
            let at := add(pnlWad, 0x20)
            let below := mload(add(plan, 0xe0))
            let gridMoves := mload(add(plan, 0x100))
            let states := mload(add(plan, 0x80))
            for { let i := below } lt(i, add(below, gridMoves)) { i := add(i, 1) } {
                for { let rank := 0 } lt(rank, states) { rank := add(rank, 1) } {
                    // The ladder of this rank.
                    let ladder := 0
                    for {} iszero(eq(mload(add(plan, shl(5, add(14, ladder)))), rank)) {} { ladder := add(ladder, 1) }
                    let place := add(mload(add(plan, shl(5, add(17, ladder)))), shl(7, i))
                    mstore(at, sub(0, mload(add(sums, shr(1, place)))))
                    at := add(at, 0x20)
                }
            }
            for { let i := 0 } lt(i, mload(add(plan, 0xc0))) { i := add(i, 1) } {
                if lt(sub(i, below), gridMoves) { continue }
                for { let ladder := 0 } lt(ladder, mload(add(plan, 0xa0))) { ladder := add(ladder, 1) } {
                    let place := add(mload(add(plan, shl(5, add(17, ladder)))), shl(7, i))
                    mstore(at, sub(0, mload(add(sums, shr(1, place)))))
                    at := add(at, 0x20)
                }
            }
        }
    }
}
