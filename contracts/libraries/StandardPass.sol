// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {LinearUnit} from "./LinearUnit.sol";
import {NormalCdf} from "./NormalCdf.sol";
import {OptionKernel} from "./OptionKernel.sol";
import {PositionGroups} from "./PositionGroups.sol";
import {PositionWord} from "./PositionWord.sol";
import {RequirementMath} from "./RequirementMath.sol";
import {RiskPass} from "./RiskPass.sol";
import {ScenarioGrid} from "./ScenarioGrid.sol";
import {ScenarioScan} from "./ScenarioScan.sol";
import {Units} from "./Units.sol";
import {WadMath} from "./WadMath.sol";

/// @title StandardPass
/// @notice Every position of an underlying alone (risk-model section 7): what section 4 asks of a short option, a
/// future or a perpetual by itself; nothing for a long option, whose value does not count either.
library StandardPass {
    /// @dev Nodes of one option at a time, and an upper bound of what concentration would see of all together.
    struct Work {
        uint256 nodes;
        /// @dev Quantity of the strike at hand that they hold, 0 while they hold another's: a straddle is walked once.
        int256 walkedWad;
        uint256 sizeCash;
        uint256 scannedCash;
        uint256 vegaCash;
        uint256 grossUnits;
        /// @dev What one short option needs, written for each.
        RequirementMath.Parts parts;
    }

    /// @notice Sums over the positions, without concentration.
    /// @param p Pass, open.
    /// @param linkedUnitsWad Units of the underlying held as collateral.
    /// @param s Memory of the result.
    /// @return isLarge Whether there might be a charge for concentration.
    function run(RiskPass.Pass memory p, int256 linkedUnitsWad, IRiskEngine.StandardRisk memory s)
        internal
        pure
        returns (bool isLarge)
    {
        Work memory w;
        for (uint256 group = p.groups.first; group != p.groups.end; group += PositionGroups.GROUP_BYTES) {
            (uint256 kind, int256 priceE8, uint256 expiry, int256 calls, int256 puts) = PositionGroups.read(group);
            int256 priceWad;
            unchecked {
                // Unchecked: at most 128 quantities below 2**127, prices of 72 bits.
                w.grossUnits += RequirementMath.absolute(calls) + RequirementMath.absolute(puts);
                priceWad = priceE8 * Units.E8_TO_WAD;
            }
            if (PositionWord.isOptionKind(kind)) _options(p, w, s, p.expiries[expiry], priceWad, calls, puts);
            else _linear(p, w, s, kind, expiry, calls, priceWad);
        }
        RiskPass.addLinked(p, linkedUnitsWad);
        IScenarioBook.UnderlyingParams memory params = p.book.params;
        s.grossNotionalWad = RequirementMath.mulUp(w.grossUnits, p.header.spotWad);
        (s.confWad, s.spotWad, s.priceRangeWad) = (p.header.confWad, p.header.spotWad, params.priceRangeWad);
        uint256 scannedWad = RequirementMath.sizeOf(w.scannedCash, params.priceRangeWad);
        uint256 sizeWad = (scannedWad > w.sizeCash ? scannedWad : w.sizeCash) + RequirementMath.absolute(p.linkedCash);
        isLarge = sizeWad > params.n0Wad || w.vegaCash > params.v0Wad;
    }

    function _linear(
        RiskPass.Pass memory p,
        Work memory w,
        IRiskEngine.StandardRisk memory s,
        uint256 kind,
        uint256 expiry,
        int256 q,
        int256 entryWad
    ) private pure {
        (int256 cash, int256 value) = LinearUnit.held(p.header, p.expiries, kind, expiry, q, entryWad);
        _count(s, value, true);
        uint256 basisWad = PositionWord.hasExpiry(kind)
            ? RiskPass.basisOf(p, p.expiries[expiry], cash, value)
            : RequirementMath.mulUp(RequirementMath.magnitude(cash), p.book.params.perpBasisWad);
        _charge(p, w, s, cash, basisWad);
    }

    /// @dev A linear position loses at the plan's bare nodes what its cash moves by.
    function _charge(
        RiskPass.Pass memory p,
        Work memory w,
        IRiskEngine.StandardRisk memory s,
        int256 cash,
        uint256 basisWad
    ) private pure {
        if (cash == 0) return;
        uint256 scanWad = RequirementMath.positive(ScenarioScan.alone(p.book.plan, p.grid.template, 0, cash));
        s.requirementWad += scanWad + basisWad;
        w.sizeCash += RequirementMath.magnitude(cash);
        w.scannedCash += scanWad;
    }

    function _count(IRiskEngine.StandardRisk memory s, int256 valueWad, bool isCounted) private pure {
        unchecked {
            // Unchecked: sums over at most 128 positions, each below 2**235.
            s.markWad += valueWad;
            if (isCounted) s.equityValueWad += valueWad;
        }
    }

    function _options(
        RiskPass.Pass memory p,
        Work memory w,
        IRiskEngine.StandardRisk memory s,
        OptionKernel.Expiry memory e,
        int256 strikeWad,
        int256 calls,
        int256 puts
    ) private pure {
        if (e.openSec == 0) {
            _count(s, RiskPass.knownValue(p, strikeWad, calls, 0), calls < 0);
            _count(s, RiskPass.knownValue(p, strikeWad, 0, puts), puts < 0);
            return;
        }
        int256 openWad = OptionKernel.openStrike(e, strikeWad);
        int256 strikePresentWad = OptionKernel.presentOf(e, strikeWad);
        if (openWad <= 0) {
            // A put is worth nothing and keeps its minimum, a call is a forward.
            if (puts < 0) s.requirementWad += _shortMin(p, e, puts);
            if (calls != 0) _certain(p, w, s, e, calls, strikePresentWad);
            return;
        }
        OptionKernel.open(p.option, e, uint256(openWad), p.book.params.volFloorWad);
        w.walkedWad = 0;
        if (calls != 0) _option(p, w, s, e, calls, strikePresentWad, true);
        if (puts != 0) _option(p, w, s, e, puts, strikePresentWad, false);
    }

    /// @dev A call that is worth its forward less its strike in any case.
    function _certain(
        RiskPass.Pass memory p,
        Work memory w,
        IRiskEngine.StandardRisk memory s,
        OptionKernel.Expiry memory e,
        int256 q,
        int256 strikePresentWad
    ) private pure {
        int256 cash = WadMath.mulWadDown(q, e.presentWad);
        int256 value = cash - WadMath.mulWadUp(q, strikePresentWad);
        _count(s, value, q < 0);
        if (q > 0) return;
        uint256 before_ = s.requirementWad;
        _charge(p, w, s, cash, RiskPass.basisOf(p, e, cash, value));
        uint256 leastWad = _shortMin(p, e, q);
        if (s.requirementWad - before_ < leastWad) s.requirementWad = before_ + leastWad;
    }

    function _shortMin(RiskPass.Pass memory p, OptionKernel.Expiry memory e, int256 q) private pure returns (uint256) {
        uint256 units = OptionKernel.openQuantity(e, RequirementMath.absolute(q));
        uint256 cash = RequirementMath.mulUp(units, p.header.spotWad);
        return RequirementMath.mulUp(cash, p.book.params.shortMinRateWad);
    }

    /// @dev The option that is open.
    function _option(
        RiskPass.Pass memory p,
        Work memory w,
        IRiskEngine.StandardRisk memory s,
        OptionKernel.Expiry memory e,
        int256 q,
        int256 strikePresentWad,
        bool isCall
    ) private pure {
        unchecked {
            // Unchecked: see RiskPass.
            int256 forwardCash = WadMath.quotient(q * e.presentWad, 1e18);
            int256 strikeCash = WadMath.quotient(q * strikePresentWad, 1e18);
            int256 value = OptionKernel.callCash(p.option, forwardCash, strikeCash, p.table);
            if (!isCall) value += strikeCash - forwardCash;
            // The table may leave the sign of what is worth next to nothing.
            if ((value < 0) != (q < 0)) value = 0;
            _count(s, value, q < 0);
            if (q > 0) return;
            RequirementMath.Parts memory c = w.parts;
            uint256 stake = 2 * RequirementMath.absolute(forwardCash) + RequirementMath.absolute(strikeCash);
            c.padWad = RiskPass.padOf(stake, 128);
            int256 net = (forwardCash * NormalCdf.cdf(p.table, OptionKernel.positionOf(p.option))) >> 60;
            if (!isCall) net -= forwardCash;
            c.basisWad = RiskPass.basisOf(p, e, net, value);
            c.shortMinWad = _shortMin(p, e, q);
            w.sizeCash += RequirementMath.magnitude(net);
            w.vegaCash += RequirementMath.mulUp(RequirementMath.absolute(forwardCash), RiskPass.HIGHEST_DENSITY_WAD)
                * e.rootTimeQ64 >> 64;
            _walk(p, w, e, q, forwardCash, strikeCash);
            _scan(p, w, c, isCall ? int256(0) : -forwardCash);
            s.requirementWad += RequirementMath.total(c, 0);
            w.scannedCash += RequirementMath.positive(c.certified) + c.padWad;
        }
    }

    /// @dev Into nodes without cash.
    function _walk(
        RiskPass.Pass memory p,
        Work memory w,
        OptionKernel.Expiry memory e,
        int256 q,
        int256 forwardCash,
        int256 strikeCash
    ) private pure {
        if (w.walkedWad == q) return;
        w.walkedWad = q;
        if (w.nodes == 0) w.nodes = ScenarioGrid.createNodes(p.grid);
        else ScenarioGrid.clear(p.grid, w.nodes);
        ScenarioGrid.walk(p.grid, p.option, e, w.nodes, forwardCash, strikeCash);
    }

    /// @dev Worst node and worst skew. A short option has no gaps.
    function _scan(RiskPass.Pass memory p, Work memory w, RequirementMath.Parts memory c, int256 linearCash)
        private
        pure
    {
        int256 baseCash = ScenarioGrid.cashOf(w.nodes + p.grid.basePlace);
        c.certified = ScenarioScan.alone(p.book.plan, w.nodes, baseCash, linearCash);
        uint256 lostWad = ScenarioScan.largestSkew(p.book.plan, w.nodes);
        c.skewTermWad = RequirementMath.mulUp(lostWad, p.book.params.skewRateWad);
    }
}
