// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IOracle} from "../../interfaces/IOracle.sol";
import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {NormalCdf} from "../libraries/NormalCdf.sol";
import {RequirementMath} from "../libraries/RequirementMath.sol";
import {RiskPass} from "../libraries/RiskPass.sol";
import {ScenarioScan} from "../libraries/ScenarioScan.sol";
import {StandardPass} from "../libraries/StandardPass.sol";
import {Units} from "../libraries/Units.sol";
import {RiskDetail} from "./RiskDetail.sol";

/// @title RiskEngine
/// @notice See IRiskEngine.
/// @dev One pass: every strike of an expiry is opened once, walked through all rows, and leaves only sums behind
/// (RiskPass). From these the requirement is measured for the whole set and again for every cut-off.
contract RiskEngine is IRiskEngine {
    uint256 private constant WAD = Units.UWAD;
    uint40 private constant NO_CUTOFF = type(uint40).max;

    IScenarioBook private immutable BOOK;
    IOracle private immutable ORACLE;
    /// @dev The normal distribution, read where there are expiries.
    address private immutable NORMAL_TABLE;
    /// @dev Rows and greeks are asked for off chain alone: a contract of their own keeps this one deployable.
    RiskDetail private immutable DETAIL;

    constructor(IScenarioBook book, IOracle oracle, address normalTable) {
        bytes32 observed = normalTable.codehash;
        if (observed != NormalCdf.TABLE_HASH) revert RiskEngine__NoTable(observed, NormalCdf.TABLE_HASH);
        (BOOK, ORACLE, NORMAL_TABLE) = (book, oracle, normalTable);
        DETAIL = new RiskDetail(book, oracle, normalTable);
    }

    /// @inheritdoc IRiskEngine
    function riskOf(uint8 underlyingId, uint256[] calldata positions, int256 linkedUnitsWad)
        external
        view
        override
        returns (UnderlyingRisk memory risk)
    {
        RiskPass.Pass memory p = RiskPass.create(1)[0];
        RiskPass.run(p, _source(underlyingId, false), positions, linkedUnitsWad);
        RequirementMath.Parts memory c;
        RiskPass.measure(p, 0, c);
        RiskPass.fill(p, c, risk, underlyingId);
        RiskPass.overCutoffs(p, c, risk);
    }

    /// @inheritdoc IRiskEngine
    function detailOf(uint8, uint256[] calldata, int256, int256, uint256[] calldata)
        external
        view
        override
        returns (UnderlyingRisk memory risk, UnderlyingDetail memory detail)
    {
        address to = address(DETAIL);
        assembly ("memory-safe") {
            // Equivalent: return DETAIL.detailOf(underlyingId, positions, linkedUnitsWad, linkedGammaWad, bendsWad).
            // Its signature is the same: call and answer pass through as they are.
            let free := mload(0x40)
            calldatacopy(free, 0, calldatasize())
            let isDone := staticcall(gas(), to, free, calldatasize(), 0, 0)
            returndatacopy(free, 0, returndatasize())
            if isDone { return(free, returndatasize()) }
            revert(free, returndatasize())
        }
    }

    /// @inheritdoc IRiskEngine
    function crossOf(
        uint8[] calldata underlyings,
        uint256[][] calldata positions,
        int256[] calldata linkedUnitsWad,
        uint256[] memory bendsWad,
        uint256 stressShareWad
    ) external view override returns (UnderlyingRisk[] memory risks, uint256 requirementWad) {
        uint256 n = underlyings.length;
        RiskPass.requireLength(positions.length, n);
        RiskPass.requireLength(linkedUnitsWad.length, n);
        risks = new UnderlyingRisk[](n);
        RiskPass.Pass[] memory passes = RiskPass.create(n);
        RequirementMath.Parts[] memory parts = new RequirementMath.Parts[](n);
        bool isBent = bendsWad.length != 0;
        for (uint256 i; i < n; ++i) {
            RiskPass.Source memory source = _source(underlyings[i], true);
            // Read once for all of them.
            if (i != 0) source.table = passes[i - 1].table;
            RiskPass.run(passes[i], source, positions[i], linkedUnitsWad[i]);
            if (!isBent) continue;
            assembly ("memory-safe") {
                // Equivalent: the next of the arrays that lie one behind the other.
                let next := add(bendsWad, 0x20)
                if i { next := add(next, shl(5, mload(bendsWad))) }
                bendsWad := next
            }
            RiskPass.addBends(passes[i], bendsWad);
        }
        for (uint256 cutoffTs; cutoffTs != NO_CUTOFF; cutoffTs = _cutoffAfter(passes, cutoffTs)) {
            uint256 sumWad;
            for (uint256 i; i < n; ++i) {
                RiskPass.measure(passes[i], cutoffTs, parts[i]);
                if (cutoffTs == 0) RiskPass.fill(passes[i], parts[i], risks[i], underlyings[i]);
                sumWad += RiskPass.take(passes[i], parts[i], risks[i], cutoffTs);
            }
            uint256 totalWad = RequirementMath.mulUp(sumWad, stressShareWad)
                + RequirementMath.mulUp(_joint(passes, parts), WAD - stressShareWad);
            if (totalWad > requirementWad) requirementWad = totalWad;
        }
    }

    /// @inheritdoc IRiskEngine
    function standardOf(
        uint8 underlyingId,
        uint256[] calldata positions,
        int256 linkedUnitsWad,
        uint256[] memory bendsWad
    ) external view override returns (StandardRisk memory standard) {
        RiskPass.Pass memory p = RiskPass.create(1)[0];
        RiskPass.Source memory source = _source(underlyingId, false);
        RiskPass.open(p, source, positions);
        if (!StandardPass.run(p, linkedUnitsWad, standard) && bendsWad.length == 0) return standard;
        // Perhaps large: the concentration of all of them together takes a pass of its own.
        RiskPass.Pass memory together = RiskPass.create(1)[0];
        (source.withLong, source.table) = (false, p.table);
        RiskPass.run(together, source, positions, linkedUnitsWad);
        RiskPass.addBends(together, bendsWad);
        RequirementMath.Parts memory c;
        uint256 largestWad;
        for (uint256 cutoffTs; cutoffTs != NO_CUTOFF; cutoffTs = RiskPass.cutoffAfter(together, cutoffTs)) {
            RiskPass.measure(together, cutoffTs, c);
            if (c.concentrationWad > largestWad) largestWad = c.concentrationWad;
        }
        standard.requirementWad += largestWad;
    }

    /// @dev Where a pass over all positions of an underlying reads; others join it where rows are wanted.
    function _source(uint8 underlyingId, bool isJoined) private view returns (RiskPass.Source memory) {
        return RiskPass.Source(BOOK, ORACLE, NORMAL_TABLE, 0, underlyingId, true, isJoined, isJoined);
    }

    function _cutoffAfter(RiskPass.Pass[] memory passes, uint256 cutoffTs) private pure returns (uint40 next) {
        next = NO_CUTOFF;
        for (uint256 i; i < passes.length; ++i) {
            uint40 own = RiskPass.cutoffAfter(passes[i], cutoffTs);
            if (own < next) next = own;
        }
    }

    /// @dev Underlyings of one layout are added up row by row; those of another have no offset with them.
    function _joint(RiskPass.Pass[] memory passes, RequirementMath.Parts[] memory parts)
        private
        pure
        returns (uint256 requirementWad)
    {
        bool[] memory isDone = new bool[](passes.length);
        for (uint256 i; i < passes.length; ++i) {
            if (!isDone[i]) requirementWad += _jointOf(passes, parts, isDone, i);
        }
    }

    /// @dev All underlyings of the layout of the i-th, which is the first of them.
    function _jointOf(
        RiskPass.Pass[] memory passes,
        RequirementMath.Parts[] memory parts,
        bool[] memory isDone,
        uint256 i
    ) private pure returns (uint256) {
        RequirementMath.Parts memory sum;
        ScenarioScan.Scan memory scan;
        ScenarioScan.create(scan, passes[i].book.plan);
        ScenarioScan.start(scan, 0);
        uint256 rateWad;
        bytes32 layout = RiskPass.layoutOf(passes[i]);
        for (uint256 j = i; j < passes.length; ++j) {
            if (RiskPass.layoutOf(passes[j]) != layout) continue;
            isDone[j] = true;
            ScenarioScan.addScan(scan, passes[j].scan);
            RequirementMath.add(sum, parts[j]);
            uint256 ownWad = passes[j].book.params.vegaTermRateWad;
            if (ownWad > rateWad) rateWad = ownWad;
        }
        ScenarioScan.Worst memory worst = ScenarioScan.worst(scan);
        (sum.certified, sum.apart) = (worst.certified, worst.apart);
        return RequirementMath.total(sum, RequirementMath.vegaTerm(sum, rateWad));
    }
}
