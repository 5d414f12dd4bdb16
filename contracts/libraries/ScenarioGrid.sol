// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {NormalCdf} from "./NormalCdf.sol";
import {OptionKernel} from "./OptionKernel.sol";
import {ScenarioPlan} from "./ScenarioPlan.sol";
import {ScenarioWalk} from "./ScenarioWalk.sol";

/// @title ScenarioGrid
/// @notice Walks options through every row of a book and sums their cash per row and interval, for each expiry apart.
/// @dev Every option is walked as a call: a put differs by a forward, which the caller adds to the linear cash. The
/// quantity and the discount are part of the cash at stake, so that a row is one product of each with N(d1) and N(d2).
/// Unchecked throughout: cash at stake is below 2**175 wei, growth below 2**4, N at most 2**60, and there are at most
/// 128 options: no sum leaves int256.
library ScenarioGrid {
    uint256 private constant NODE_BYTES = 128;
    /// @dev Place within a node, in the order of ScenarioPlan.
    uint256 private constant GROWTH = 0x20;
    uint256 private constant CASH = 0x40;

    /// @dev Memory positions, not references: nothing is allocated for them. A node is ln(1 + move), Q36, and 1 + move,
    /// Q64, then the sum over options of their cash there, and over long ones of how far they may lie below the chord
    /// from the node before, Q60 wei. ScenarioWalk reads all by place.
    struct Grid {
        /// @dev First node of the expiry whose options are walked.
        uint256 firstNode;
        /// @dev The nodes as the plan has them, without cash.
        uint256 template;
        uint256 firstSegment;
        uint256 segmentsEnd;
        /// @dev Place of d = 0 in the normal table, as if the table began where memory does: ScenarioWalk.
        uint256 centre;
        /// @dev Memory position of the volatilities of the option that is walked.
        uint256 volatilities;
        /// @dev First entry of the plan's skewed volatilities.
        uint256 firstSkew;
        /// @dev Of the option that is walked: how much of a skew it feels, wad; ln(F/K), Q36.
        int256 feltWad;
        int256 logMoneynessQ36;
        uint256 nodeBytes;
        /// @dev Place of the unshocked node among the nodes.
        uint256 basePlace;
    }

    /// @notice Opens the plan of a book.
    /// @param g Memory of the grid.
    /// @param plan Plan, see ScenarioPlan.
    /// @param table Normal table in memory, at a multiple of its entries' length.
    /// @param o Memory of the options that will be walked, each opened in the place of the one before.
    function create(Grid memory g, uint256[] memory plan, uint256 table, OptionKernel.Option memory o)
        internal
        pure
    {
        unchecked {
            // Unchecked: counts at most 600, memory below 2**32.
            g.centre = (table / NormalCdf.ENTRY_BYTES + NormalCdf.CENTRE) << 60;
            g.volatilities = o.volatilities;
            uint256 at;
            assembly ("memory-safe") {
                at := add(plan, 0x20) // the reference as a number
            }
            uint256 volatilities = plan[ScenarioPlan.VOLATILITIES] * ScenarioPlan.VOLATILITY_WORDS;
            g.firstSkew = at + 32 * ScenarioPlan.HEAD_WORDS;
            g.firstSegment = g.firstSkew + 32 * volatilities;
            g.segmentsEnd = g.firstSegment + plan[ScenarioPlan.SEGMENTS] * ScenarioPlan.SEGMENT_WORDS * 32;
            g.template = at + 32 * plan[ScenarioPlan.FIRST_NODE];
            (g.nodeBytes, g.basePlace) = (plan[ScenarioPlan.NODES] * NODE_BYTES, plan[ScenarioPlan.BASE]);
        }
    }

    /// @notice Nodes of their own for an expiry, without cash.
    /// @param g Grid.
    /// @return nodes Memory position of the first.
    function createNodes(Grid memory g) internal pure returns (uint256 nodes) {
        uint256 size = g.nodeBytes;
        assembly ("memory-safe") {
            // Equivalent: new uint256[](size / 32) without its length.
            nodes := mload(0x40)
            mstore(0x40, add(nodes, size))
        }
        clear(g, nodes);
    }

    /// @notice Takes all cash off the nodes.
    /// @param g Grid.
    /// @param nodes Memory position of the first.
    function clear(Grid memory g, uint256 nodes) internal pure {
        (uint256 from, uint256 size) = (g.template, g.nodeBytes);
        assembly ("memory-safe") {
            // Equivalent: copy the words one by one.
            mcopy(nodes, from, size)
        }
    }

    /// @notice Adds the cash of the option that is open at every node, and for a long one its gaps.
    /// @param g Grid.
    /// @param o Option.
    /// @param e Its expiry.
    /// @param nodes Memory position of the first node of its expiry.
    /// @param forwardCash quantity*discount*forward, wad.
    /// @param strikeCash quantity*discount*strike, wad.
    function walk(
        Grid memory g,
        OptionKernel.Option memory o,
        OptionKernel.Expiry memory e,
        uint256 nodes,
        int256 forwardCash,
        int256 strikeCash
    ) internal pure {
        g.firstNode = nodes;
        (g.feltWad, g.logMoneynessQ36) = (OptionKernel.skewFelt(o, e), o.logMoneynessQ64 >> 28);
        uint256 grid;
        assembly ("memory-safe") {
            grid := g // the reference as a number
        }
        ScenarioWalk.walk(grid, forwardCash, strikeCash);
    }

    /// @notice Nodes with a share of the cash and the gaps of others.
    /// @param g Grid.
    /// @param nodes Memory position of the first of the others.
    /// @param num Numerator of the share, below 2**17.
    /// @param den Its denominator.
    /// @return scaled Memory position of the first.
    function scaledNodes(Grid memory g, uint256 nodes, uint256 num, uint256 den)
        internal
        pure
        returns (uint256 scaled)
    {
        scaled = createNodes(g);
        uint256 end = nodes + g.nodeBytes;
        assembly ("memory-safe") {
            // Equivalent: the third and fourth word of every node, times num, over den.
            for { let to := add(scaled, CASH) } lt(nodes, end) { to := add(to, NODE_BYTES) } {
                mstore(to, mul(sdiv(mload(add(nodes, CASH)), den), num))
                mstore(add(to, 0x20), mul(add(div(mload(add(nodes, 0x60)), den), 1), num))
                nodes := add(nodes, NODE_BYTES)
            }
        }
    }

    /// @notice Sum of the options' cash at a node.
    /// @param node Its memory position.
    /// @return cash Q60 wei.
    function cashOf(uint256 node) internal pure returns (int256 cash) {
        assembly ("memory-safe") {
            // Equivalent: the node's third word.
            cash := mload(add(node, CASH))
        }
    }

    /// @notice Price of a node over the unmoved one.
    /// @param node Its memory position.
    /// @return growth 1 + move, Q64.
    function growthOf(uint256 node) internal pure returns (int256 growth) {
        assembly ("memory-safe") {
            // Equivalent: the node's second word.
            growth := mload(add(node, GROWTH))
        }
    }
}
