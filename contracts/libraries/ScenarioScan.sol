// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ScenarioPlan} from "./ScenarioPlan.sol";

/// @title ScenarioScan
/// @notice Worst loss over nodes and intervals of what the expiries of a portfolio hold.
/// @dev Sums are losses in wei after their weight: for each node of the ladders the loss there and the gap of the
/// interval below it (two words, in the order of the nodes); then for each move of the ladder, with every expiry in the
/// vol state that is worst for itself, the loss as the upper end of the interval below and as the lower end of the one
/// above (risk-model section 4, C_non). Linear P&L is the same in every vol state and stands in all of them once.
/// Cuts below a wei are left to the pad of the options. Unchecked: losses are below 2**175, weights below 2**64.
library ScenarioScan {
    struct Scan {
        /// @dev Memory positions of the plan's head and of the sums; bytes of the sums of the nodes and of all.
        uint256 plan;
        uint256 sums;
        uint256 nodeBytes;
        uint256 allBytes;
        /// @dev Memory position of three words: the loss of an expiry at the last node of each ladder.
        uint256 before;
        /// @dev By move of the ladder, what is lost beside all else, after its weight: memory position of the array, 0
        /// for none.
        uint256 bends;
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
                let before := add(sums, mload(add(s, 0x60)))
                mstore(add(s, 0x80), before)
                mstore(0x40, add(before, 0x60))
            }
        }
    }

    /// @notice Sums of nothing but what is linear, and what is lost beside it at every move.
    /// @param s Scan.
    /// @param linearCash What a relative move of 1 earns, wad.
    function start(Scan memory s, int256 linearCash) internal pure {
        (uint256 sums, uint256 allBytes) = (s.sums, s.allBytes);
        assembly ("memory-safe") {
            // Equivalent: every word of the sums is 0.
            calldatacopy(sums, calldatasize(), allBytes)
        }
        uint256 bends = s.bends;
        if (linearCash == 0 && bends == 0) return;
        (uint256 plan, uint256 apart) = (s.plan, sums + s.nodeBytes);
        assembly ("memory-safe") {
            let move := add(plan, shl(5, mload(add(plan, 0x160)))) // FIRST_MOVE
            let end := add(move, mul(0x60, mload(add(plan, 0xc0)))) // MOVES
            for { let offset := 0 } lt(move, end) { offset := add(offset, 0x80) } {
                // Losses are rounded up: the profit down, or a loss by the part that division cut off.
                let product := mul(sub(0, linearCash), mload(move))
                let loss := add(sdiv(product, 1000000000000000000), sgt(smod(product, 1000000000000000000), 0))
                let weight := shr(128, mload(add(move, 0x20)))
                if weight {
                    let divisor := and(weight, 0xffffffffffffffff)
                    product := mul(loss, shr(64, weight))
                    loss := add(sdiv(product, divisor), sgt(smod(product, divisor), 0))
                }
                if bends {
                    bends := add(bends, 0x20)
                    loss := add(loss, mload(bends))
                }
                let start_ := add(plan, 0x220) // STARTS
                let states := mload(add(move, 0x40))
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
    function addExpiry(Scan memory s, uint256 nodes, int256 baseCash) internal pure {
        (uint256 plan, uint256 sums, uint256 apart, uint256 before) = (s.plan, s.sums, s.sums + s.nodeBytes, s.before);
        assembly ("memory-safe") {
            // No ladder has a node below its first.
            mstore(before, shl(255, 1))
            mstore(add(before, 0x20), shl(255, 1))
            mstore(add(before, 0x40), shl(255, 1))
            addMoves(plan, sums, apart, add(nodes, 0x40), baseCash, before)

            // What leaves from within is not copied into its caller, whose variables would push its own out of reach.
            // The first ladder climbs all moves; `second` and `third` are what the places of the others are further.
            // Each ladder is written out: a call would cost gas at every node of every expiry.
            function addMoves(head, into, into2, node, base, before_) {
                let third := mload(add(head, 0x220)) // STARTS
                node := add(node, third)
                into := add(into, sar(1, third))
                let second := sub(mload(add(head, 0x240)), third)
                third := sub(mload(add(head, 0x260)), third)
                let move := add(head, shl(5, mload(add(head, 0x160)))) // FIRST_MOVE
                head := add(move, mul(0x60, mload(add(head, 0xc0)))) // MOVES
                for {} 1 {} {
                    if iszero(lt(move, head)) { leave }
                    // Lower and upper end of the interval below, in the vol state that is worst.
                    let lower
                    let upper
                    let weights := mload(add(move, 0x20))
                    // Most moves have three states, as the one below, and weights of 1. (Before the first move lies the
                    // size of a segment, which is no 3.)
                    switch or(weights, or(xor(mload(add(move, 0x40)), 3), xor(mload(sub(move, 0x20)), 3)))
                    case 0 {
                        let gap := shr(60, mload(add(node, 0x20)))
                        let loss := sar(60, sub(base, mload(node)))
                        mstore(into, add(mload(into), loss))
                        mstore(add(into, 0x20), add(mload(add(into, 0x20)), gap))
                        lower := add(mload(before_), gap)
                        upper := add(loss, gap)
                        mstore(before_, loss)
                        let at := add(node, second)
                        gap := shr(60, mload(add(at, 0x20)))
                        loss := sar(60, sub(base, mload(at)))
                        at := add(into, sar(1, second))
                        mstore(at, add(mload(at), loss))
                        at := add(at, 0x20)
                        mstore(at, add(mload(at), gap))
                        at := add(mload(add(before_, 0x20)), gap)
                        if sgt(at, lower) { lower := at }
                        mstore(add(before_, 0x20), loss)
                        loss := add(loss, gap)
                        if sgt(loss, upper) { upper := loss }
                        at := add(node, third)
                        gap := shr(60, mload(add(at, 0x20)))
                        loss := sar(60, sub(base, mload(at)))
                        at := add(into, sar(1, third))
                        mstore(at, add(mload(at), loss))
                        at := add(at, 0x20)
                        mstore(at, add(mload(at), gap))
                        at := add(mload(add(before_, 0x40)), gap)
                        if sgt(at, lower) { lower := at }
                        mstore(add(before_, 0x40), loss)
                        loss := add(loss, gap)
                        if sgt(loss, upper) { upper := loss }
                    }
                    default {
                        let gap := shr(60, mload(add(node, 0x20)))
                        let loss := sar(60, sub(base, mload(node)))
                        if weights {
                            loss := weighted(loss, shr(128, weights))
                            gap := weighted(gap, weights)
                        }
                        mstore(into, add(mload(into), loss))
                        mstore(add(into, 0x20), add(mload(add(into, 0x20)), gap))
                        lower := add(mload(before_), gap)
                        upper := add(loss, gap)
                        mstore(before_, loss)
                        if gt(mload(add(move, 0x40)), 1) {
                            gap := shr(60, mload(add(add(node, second), 0x20)))
                            loss := sar(60, sub(base, mload(add(node, second))))
                            if weights {
                                loss := weighted(loss, shr(128, weights))
                                gap := weighted(gap, weights)
                            }
                            let sum := add(into, sar(1, second))
                            mstore(sum, add(mload(sum), loss))
                            sum := add(sum, 0x20)
                            mstore(sum, add(mload(sum), gap))
                            sum := mload(add(before_, 0x20))
                            mstore(add(before_, 0x20), loss)
                            if xor(sum, shl(255, 1)) {
                                sum := add(sum, gap)
                                if sgt(sum, lower) { lower := sum }
                                gap := add(gap, loss)
                                if sgt(gap, upper) { upper := gap }
                            }
                            if gt(mload(add(move, 0x40)), 2) {
                                gap := shr(60, mload(add(add(node, third), 0x20)))
                                loss := sar(60, sub(base, mload(add(node, third))))
                                if weights {
                                    loss := weighted(loss, shr(128, weights))
                                    gap := weighted(gap, weights)
                                }
                                sum := add(into, sar(1, third))
                                mstore(sum, add(mload(sum), loss))
                                sum := add(sum, 0x20)
                                mstore(sum, add(mload(sum), gap))
                                sum := mload(add(before_, 0x40))
                                mstore(add(before_, 0x40), loss)
                                if xor(sum, shl(255, 1)) {
                                    sum := add(sum, gap)
                                    if sgt(sum, lower) { lower := sum }
                                    gap := add(gap, loss)
                                    if sgt(gap, upper) { upper := gap }
                                }
                            }
                        }
                    }
                    // Below the first move there is none.
                    if xor(lower, shl(255, 1)) { mstore(sub(into2, 0x20), add(mload(sub(into2, 0x20)), lower)) }
                    mstore(into2, add(mload(into2), upper))
                    into2 := add(into2, 0x40)
                    move := add(move, 0x60)
                    into := add(into, 0x40)
                    node := add(node, 0x80)
                }
            }

            // value*weight, a fraction of two words of 64 bits.
            function weighted(value, fraction) -> product {
                product := mul(value, and(shr(64, fraction), 0xffffffffffffffff))
                product := sdiv(product, and(fraction, 0xffffffffffffffff))
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
            for {} lt(at, end) { at := add(at, 0x20) } {
                mstore(at, add(mload(at), mload(from)))
                from := add(from, 0x20)
            }
        }
    }

    /// @notice Takes the sums of another scan of the same layout off.
    /// @param s Scan that holds them.
    /// @param other Scan.
    function subtractScan(Scan memory s, Scan memory other) internal pure {
        (uint256 at, uint256 from, uint256 end) = (s.sums, other.sums, s.sums + s.allBytes);
        assembly ("memory-safe") {
            // Equivalent: s.sums[i] -= other.sums[i] for every word.
            for {} lt(at, end) { at := add(at, 0x20) } {
                mstore(at, sub(mload(at), mload(from)))
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
            mstore(add(w, 0x60), rowAt(plan, mload(add(w, 0x60))))
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
                for {} 1 { index := add(index, 1) } {
                    if iszero(lt(sum, sumEnd)) {
                        mstore(into, scan)
                        mstore(add(into, 0x20), certified)
                        leave
                    }
                    let loss := mload(sum)
                    if iszero(slt(loss, scan)) {
                        // Until the end the place of the row; of equal losses the lowest row counts.
                        let place := or(shl(8, ladder_), index)
                        if eq(loss, scan) {
                            let other := mload(add(into, 0x60))
                            if lt(rowAt(head, other), rowAt(head, place)) { place := other }
                        }
                        mstore(add(into, 0x60), place)
                        scan := loss
                    }
                    if slt(before, loss) { before := loss }
                    before := add(before, mload(add(sum, 0x20)))
                    if sgt(before, certified) { certified := before }
                    before := loss
                    sum := add(sum, 0x40)
                }
            }

            // Grid by rising move and vol state, then tails likewise.
            function rowAt(head, place) -> row {
                let ladder_ := shr(8, place)
                let index := and(place, 0xff)
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

    /// @notice Adds what an expiry's options lose by skew at every place, on the worse of both sides.
    /// @param s Scan.
    /// @param places Sums by place, wei.
    /// @param nodes Memory position of the expiry's nodes.
    function addSkew(Scan memory s, uint256[] memory places, uint256 nodes) internal pure {
        uint256 plan = s.plan;
        assembly ("memory-safe") {
            // Equivalent: places[i] += max(0, cash - min(cash up, cash down)).
            let pair := add(plan, shl(5, mload(add(plan, 0x180)))) // FIRST_PAIR
            let at := add(places, 0x20)
            nodes := add(nodes, 0x40)
            for { let end := add(at, shl(5, mload(places))) } lt(at, end) {} {
                // The other side is the next node.
                let worse := add(nodes, mload(pair))
                let other := mload(add(worse, 0x80))
                worse := mload(worse)
                if slt(other, worse) { worse := other }
                let lost := sub(mload(add(nodes, mload(add(pair, 0x40)))), worse)
                if sgt(lost, 0) { mstore(at, add(mload(at), add(shr(60, lost), 1))) }
                at := add(at, 0x20)
                pair := add(pair, 0x60)
            }
        }
    }

    /// @notice What is worst where one expiry at most has options: the same losses, read off its nodes.
    /// @param s Scan; its sums stay as they are.
    /// @param nodes Memory position of the nodes.
    /// @param baseCash Cash at the unshocked node, Q60 wei.
    /// @param linearCash What a relative move of 1 earns on everything linear, wad.
    /// @return w Losses; none with vol states apart.
    function worstOfOne(Scan memory s, uint256 nodes, int256 baseCash, int256 linearCash)
        internal
        pure
        returns (Worst memory w)
    {
        (uint256 plan, uint256 before) = (s.plan, s.before);
        assembly ("memory-safe") {
            // Scratch space holds the largest losses so far, `before` those at the last node of each ladder.
            mstore(0x00, shl(255, 1))
            mstore(0x20, shl(255, 1))
            let first := add(plan, shl(5, mload(add(plan, 0x160)))) // FIRST_MOVE
            mstore(before, shl(255, 1))
            mstore(add(before, 0x20), shl(255, 1))
            mstore(add(before, 0x40), shl(255, 1))
            climbOne(plan, first, linearCash, add(nodes, 0x40), baseCash, sub(before, add(plan, 0x220)), w)
            mstore(w, mload(0x00))
            mstore(add(w, 0x20), mload(0x20))
            let ladder := shr(5, sub(mload(add(w, 0x40)), add(plan, 0x220)))
            mstore(add(w, 0x60), rowOfOne(plan, ladder, div(sub(mload(add(w, 0x60)), first), 0x60)))

            // All vol states of a move at a time. `behind` leads from the start of a ladder to the loss at its last
            // node.
            function climbOne(head, move, linear, node, base, behind, into) {
                let end := add(move, mul(0x60, mload(add(head, 0xc0)))) // MOVES
                for {} 1 {} {
                    if iszero(lt(move, end)) { leave }
                    let weights := mload(add(move, 0x20))
                    let linearLoss := 0
                    if linear { linearLoss := linearLossOf(linear, mload(move), shr(128, weights)) }
                    let starts := add(head, 0x220) // STARTS
                    for { let last := add(starts, shl(5, mload(add(move, 0x40)))) } lt(starts, last) {} {
                        let loss := add(node, mload(starts))
                        let gap := shr(60, mload(add(loss, 0x20)))
                        loss := sar(60, sub(base, mload(loss)))
                        if weights {
                            loss := weightedOne(loss, shr(128, weights))
                            gap := weightedOne(gap, weights)
                        }
                        loss := add(loss, linearLoss)
                        if iszero(slt(loss, mload(0x00))) { note(loss, starts, move, head, into) }
                        let ended := mload(add(starts, behind))
                        if slt(ended, loss) { ended := loss }
                        ended := add(ended, gap)
                        if sgt(ended, mload(0x20)) { mstore(0x20, ended) }
                        mstore(add(starts, behind), loss)
                        starts := add(starts, 0x20)
                    }
                    node := add(node, 0x80)
                    move := add(move, 0x60)
                }
            }

            // Loss of what is linear, as `start` has it.
            function linearLossOf(linear, move, weight) -> loss {
                let product := mul(sub(0, linear), move)
                loss := add(sdiv(product, 1000000000000000000), sgt(smod(product, 1000000000000000000), 0))
                if weight {
                    let divisor := and(weight, 0xffffffffffffffff)
                    product := mul(loss, shr(64, weight))
                    loss := add(sdiv(product, divisor), sgt(smod(product, divisor), 0))
                }
            }

            // As `weighted` in `addExpiry`, out of reach here.
            function weightedOne(value, fraction) -> product {
                product := mul(value, and(shr(64, fraction), 0xffffffffffffffff))
                product := sdiv(product, and(fraction, 0xffffffffffffffff))
            }

            // Keeps where a loss is that is as large as any so far, unless an equal one has a lower row.
            function note(loss, starts, move, head, into) {
                if eq(loss, mload(0x00)) {
                    if iszero(isLower(starts, move, head, into)) { leave }
                }
                mstore(0x00, loss)
                mstore(add(into, 0x40), starts)
                mstore(add(into, 0x60), move)
            }

            // A row of the grid is lower than those of tails, and at one move that of the lower rank. All else comes in
            // the order of the rows.
            function isLower(starts, move, head, into) -> isIt {
                let other := mload(add(into, 0x60))
                if isOfGrid(move, head) {
                    isIt := iszero(isOfGrid(other, head))
                    if eq(move, other) {
                        other := mload(add(into, 0x40))
                        isIt := lt(mload(sub(starts, 0x60)), mload(sub(other, 0x60))) // RANKS
                    }
                }
            }

            function isOfGrid(move, head) -> isIt {
                let first_ := add(shl(5, mload(add(head, 0x160))), mul(0x60, mload(add(head, 0xe0)))) // TAILS_BELOW
                isIt := lt(sub(sub(move, head), first_), mul(0x60, mload(add(head, 0x100)))) // GRID_MOVES
            }

            // As `rowOf` in `worst`: no block of assembly can call a function of another.
            function rowOfOne(head, ladder_, index) -> row {
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
            let first := mload(add(plan, 0x240)) // STARTS
            let second := sub(mload(add(plan, 0x260)), first)
            let third := sub(mload(add(plan, 0x280)), first)
            loss := climb(add(plan, 0x20), add(add(nodes, 0x40), first), second, third, baseCash, linearCash)

            // Second and third are what the places of the other ladders' nodes are further.
            function climb(head, node, second_, third_, base, linear) -> largest {
                let move := add(head, shl(5, mload(add(head, 0x160)))) // FIRST_MOVE
                let end := add(move, mul(0x60, mload(add(head, 0xc0)))) // MOVES
                largest := shl(255, 1)
                for {} 1 { move := add(move, 0x60) } {
                    if iszero(lt(move, end)) { leave }
                    let states := mload(add(move, 0x40))
                    let one := mload(node)
                    if gt(states, 1) {
                        let other := mload(add(node, second_))
                        if slt(other, one) { one := other }
                        if gt(states, 2) {
                            other := mload(add(node, third_))
                            if slt(other, one) { one := other }
                        }
                    }
                    // Losses are rounded up: profits down, linear ones as wad first.
                    one := sub(0, sar(60, sub(one, base)))
                    if linear {
                        let product := mul(sub(0, linear), mload(move))
                        one := add(one, sdiv(product, 1000000000000000000))
                        one := add(one, sgt(smod(product, 1000000000000000000), 0))
                    }
                    let weight := shr(128, mload(add(move, 0x20)))
                    if weight {
                        one := mul(one, shr(64, weight))
                        weight := and(weight, 0xffffffffffffffff)
                        one := add(sdiv(one, weight), sgt(smod(one, weight), 0))
                    }
                    if sgt(one, largest) { largest := one }
                    node := add(node, 0x80)
                }
            }
        }
    }

    /// @notice The most that skew takes from one option alone at a place.
    /// @param plan Plan.
    /// @param nodes Memory position of its nodes.
    /// @return lost Wei.
    function largestSkew(uint256[] memory plan, uint256 nodes) internal pure returns (uint256 lost) {
        assembly ("memory-safe") {
            let head := add(plan, 0x20)
            let pair := add(head, shl(5, mload(add(head, 0x180)))) // FIRST_PAIR
            nodes := add(nodes, 0x40)
            for { let end := add(pair, mul(0x60, mload(add(head, 0x120)))) } lt(pair, end) { pair := add(pair, 0x60) } {
                // The other side is the next node.
                let worse := add(nodes, mload(pair))
                let other := mload(add(worse, 0x80))
                worse := mload(worse)
                if slt(other, worse) { worse := other }
                let one := sub(mload(add(nodes, mload(add(pair, 0x40)))), worse)
                if sgt(one, lost) { lost := one }
            }
            lost := add(shr(60, lost), iszero(iszero(lost)))
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
