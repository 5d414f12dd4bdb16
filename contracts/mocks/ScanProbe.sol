// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {OptionKernel} from "../libraries/OptionKernel.sol";
import {PositionGroups} from "../libraries/PositionGroups.sol";
import {ScenarioGrid} from "../libraries/ScenarioGrid.sol";
import {ScenarioPlan} from "../libraries/ScenarioPlan.sol";
import {ScenarioScan} from "../libraries/ScenarioScan.sol";

/// @title ScanProbe
/// @notice What the risk engine does in whole numbers, without prices: groups of positions, and losses over nodes whose
/// cash and gaps the caller gives.
/// @dev Free memory is all ones before each, so that nothing rests on zeros that nobody wrote.
contract ScanProbe {
    uint256 private constant DIRTY_BYTES = 0x8000;

    struct Group {
        uint256 kind;
        int256 priceE8;
        uint256 expiry;
        int256 calls;
        int256 puts;
    }

    /// @notice Groups in their order, the expiries that they name, sizes of all quantities, and the memory it takes.
    function collect(uint256 underlyingId, uint256[] calldata positions, bool withLong)
        external
        pure
        returns (Group[] memory groups, uint40[] memory expiries, uint256 units, uint256 takenBytes)
    {
        PositionGroups.Groups memory g;
        uint256 free = _soil();
        PositionGroups.collect(g, underlyingId, positions, withLong);
        assembly ("memory-safe") {
            takenBytes := sub(mload(0x40), free)
        }
        groups = new Group[]((g.end - g.first) / PositionGroups.GROUP_BYTES);
        for (uint256 i; i < groups.length; ++i) {
            Group memory group = groups[i];
            (group.kind, group.priceE8, group.expiry, group.calls, group.puts) =
                PositionGroups.read(g.first + i * PositionGroups.GROUP_BYTES);
        }
        (expiries, units) = (g.expiries, g.units);
    }

    /// @notice Worst losses, rows and skew of several expiries, each of which has nodes of its own.
    function scan(uint256[] memory plan, uint256[][] memory expiries, int256 linearCash)
        external
        pure
        returns (ScenarioScan.Worst memory worst, int256[] memory pnlWad, uint256[] memory places)
    {
        places = new uint256[](plan[ScenarioPlan.PAIRS]);
        ScenarioScan.Scan memory s = _scanned(plan, expiries, linearCash);
        for (uint256 i; i < expiries.length; ++i) {
            ScenarioScan.addSkew(s, places, _place(expiries[i]));
        }
        worst = ScenarioScan.worst(s);
        pnlWad = ScenarioScan.profits(s, 2);
    }

    /// @notice Worst losses of two scans of one layout together, and of the first when the second is taken off again.
    function joined(
        uint256[] memory plan,
        uint256[][] memory expiries,
        int256 linearCash,
        uint256[][] memory others,
        int256 otherCash
    ) external pure returns (ScenarioScan.Worst memory worst, ScenarioScan.Worst memory first) {
        ScenarioScan.Scan memory s = _scanned(plan, expiries, linearCash);
        ScenarioScan.Scan memory other = _scanned(plan, others, otherCash);
        ScenarioScan.addScan(s, other);
        worst = ScenarioScan.worst(s);
        ScenarioScan.subtractScan(s, other);
        first = ScenarioScan.worst(s);
    }

    /// @notice The same of one expiry, read off its nodes; of all its options as if they were one that is short; its
    /// largest skew.
    function one(uint256[] memory plan, uint256[] memory nodes, int256 linearCash)
        external
        pure
        returns (ScenarioScan.Worst memory worst, int256 alone, uint256 skew)
    {
        ScenarioScan.Scan memory s;
        _soil();
        ScenarioScan.create(s, plan);
        worst = ScenarioScan.worstOfOne(s, _place(nodes), _base(plan, nodes), linearCash);
        alone = ScenarioScan.alone(plan, _place(nodes), _base(plan, nodes), linearCash);
        skew = ScenarioScan.largestSkew(plan, _place(nodes));
    }

    /// @notice Nodes of the plan without cash, and with a share of the cash of others.
    function scaled(uint256[] memory plan, uint256[] memory nodes, uint256 num, uint256 den)
        external
        pure
        returns (uint256[] memory bare, uint256[] memory share)
    {
        ScenarioGrid.Grid memory g;
        OptionKernel.Option memory o;
        _soil();
        OptionKernel.create(o);
        ScenarioGrid.create(g, plan, 0, o);
        bare = _copy(ScenarioGrid.createNodes(g), g.nodeBytes);
        share = _copy(ScenarioGrid.scaledNodes(g, _place(nodes), num, den), g.nodeBytes);
    }

    function _scanned(uint256[] memory plan, uint256[][] memory expiries, int256 linearCash)
        private
        pure
        returns (ScenarioScan.Scan memory s)
    {
        _soil();
        ScenarioScan.create(s, plan);
        ScenarioScan.start(s, linearCash);
        for (uint256 i; i < expiries.length; ++i) {
            ScenarioScan.addExpiry(s, _place(expiries[i]), _base(plan, expiries[i]));
        }
    }

    function _base(uint256[] memory plan, uint256[] memory nodes) private pure returns (int256) {
        return ScenarioGrid.cashOf(_place(nodes) + plan[ScenarioPlan.BASE]);
    }

    function _place(uint256[] memory nodes) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := add(nodes, 0x20)
        }
    }

    function _copy(uint256 from, uint256 size) private pure returns (uint256[] memory words) {
        words = new uint256[](size / 32);
        assembly ("memory-safe") {
            mcopy(add(words, 0x20), from, size)
        }
    }

    function _soil() private pure returns (uint256 free) {
        assembly ("memory-safe") {
            free := mload(0x40)
            for { let at := free } lt(at, add(free, DIRTY_BYTES)) { at := add(at, 0x20) } { mstore(at, not(0)) }
        }
    }
}
