// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {BookCode} from "./BookCode.sol";
import {NormalCdf} from "./NormalCdf.sol";
import {OptionKernel} from "./OptionKernel.sol";
import {PositionGroups} from "./PositionGroups.sol";
import {PositionWord} from "./PositionWord.sol";
import {RequirementMath} from "./RequirementMath.sol";
import {ScenarioGrid} from "./ScenarioGrid.sol";
import {ScenarioPlan} from "./ScenarioPlan.sol";
import {ScenarioScan} from "./ScenarioScan.sol";
import {Units} from "./Units.sol";
import {WadMath} from "./WadMath.sol";

/// @title RiskPass
/// @notice One pass over the positions of an underlying, and the requirement of what it leaves at any cut-off.
/// @custom:mirror offchain.mirror.risk_engine
library RiskPass {
    /// @dev Upward pad per unit of |q|*D*(2F + K): more than the table's error in nodes, gaps and skew together
    /// (docs/mathematics.md), so that the requirement is never below the exact one.
    int256 private constant PAD_WAD = 2e9;
    /// @dev Upward pad per option for sums that are cut off at whole wei.
    uint256 private constant PAD_WEI = 128;
    uint40 private constant NO_CUTOFF = type(uint40).max;

    /// @notice Where a pass reads, and what it takes.
    struct Source {
        IScenarioBook book;
        IOracle oracle;
        uint8 underlyingId;
        /// @dev Whether greeks are wanted.
        bool isDetailed;
        /// @dev Whether long options take part.
        bool withLong;
        /// @dev Whether other underlyings are added.
        bool isJoined;
    }

    /// @notice Working memory of one pass. Cash is wei; products of two wad are named squared until they are divided.
    struct Pass {
        IScenarioBook.Book book;
        IOracle.Header header;
        OptionKernel.Expiry[] expiries;
        PositionGroups.Groups groups;
        OptionKernel.Option option;
        ScenarioGrid.Grid grid;
        ScenarioScan.Scan scan;
        /// @dev Memory position of the normal table.
        uint256 table;
        int256 perpCash;
        int256 linkedCash;
        /// @dev Of perpetuals, and of what is known of a settlement price.
        int256 mark;
        uint256 padCash;
        uint256 padWei;
        uint256 grossUnits;
        /// @dev Whether one expiry alone has options, and no other underlying joins: no vol states can be apart.
        bool isAlone;
        bool isDetailed;
        /// @dev Delta of perpetuals and linked collateral, wad squared.
        int256 spotDelta;
        /// @dev Per expiry of the round, wad squared; empty unless detailed.
        IRiskEngine.ExpiryGreeks[] greeksAt;
    }

    /// @notice Reads, prices and sums everything.
    /// @param p Memory of the pass.
    /// @param s Where it reads.
    /// @param positions Position words.
    /// @param linkedUnitsWad Units of the underlying held as collateral.
    function run(Pass memory p, Source memory s, uint256[] calldata positions, int256 linkedUnitsWad) internal view {
        open(p, s, positions);
        p.isDetailed = s.isDetailed;
        p.isAlone = !s.isJoined && p.expiries.length < 2;
        if (s.isDetailed) p.greeksAt = new IRiskEngine.ExpiryGreeks[](p.expiries.length);
        ScenarioScan.create(p.scan, p.book.plan);
        for (uint256 group = p.groups.first; group != p.groups.end; group += PositionGroups.GROUP_BYTES) {
            (uint256 kind, int256 priceE8, uint256 expiry, int256 calls, int256 puts) = PositionGroups.read(group);
            unchecked {
                // Unchecked: at most 128 quantities below 2**127.
                p.grossUnits += WadMath.abs(calls) + WadMath.abs(puts);
            }
            if (kind == PositionWord.PERP) _addPerp(p, calls, priceE8 * Units.E8_TO_WAD);
            else if (kind == PositionWord.FUTURE) _addFuture(p, expiry, calls, priceE8 * Units.E8_TO_WAD);
            else _addOptions(p, expiry, priceE8 * Units.E8_TO_WAD, calls, puts);
        }
        if (linkedUnitsWad != 0) addLinked(p, linkedUnitsWad);
    }

    /// @notice Reads the book, the positions and the round for the expiries that they name.
    /// @param p Memory of the pass.
    /// @param s Where it reads.
    /// @param positions Position words.
    function open(Pass memory p, Source memory s, uint256[] calldata positions) internal view {
        PositionGroups.collect(p.groups, s.underlyingId, positions, s.withLong);
        p.table = BookCode.load(p.book, s.book.bookPointerOf(s.underlyingId));
        IOracle.Surface[] memory surfaces;
        (p.header, surfaces) = s.oracle.roundFor(s.underlyingId, p.groups.expiries);
        p.expiries = OptionKernel.createExpiries(surfaces.length);
        for (uint256 i; i < surfaces.length; ++i) {
            OptionKernel.prepare(
                p.expiries[i], surfaces[i], p.header, p.book.params.volUpWad, p.book.params.volDownWad
            );
        }
        uint256 volatilities = ScenarioPlan.FIRST_VOLATILITIES + p.book.plan[ScenarioPlan.VOLATILITIES];
        OptionKernel.create(p.option, volatilities);
        ScenarioGrid.create(p.grid, p.book.plan, p.table, p.option);
    }

    /// @notice Adds collateral linked to the underlying.
    /// @param p Pass.
    /// @param linkedUnitsWad Units.
    function addLinked(Pass memory p, int256 linkedUnitsWad) internal pure {
        if (linkedUnitsWad != int128(linkedUnitsWad)) {
            revert IRiskEngine.RiskEngine__LinkedOverflow(linkedUnitsWad, type(int128).max);
        }
        p.spotDelta += linkedUnitsWad * 1e18;
        p.linkedCash = WadMath.mulWadDown(linkedUnitsWad, int256(p.header.spotWad));
    }

    function _addPerp(Pass memory p, int256 q, int256 entryWad) private pure {
        int256 priceWad = int256(p.header.perpWad);
        p.mark += WadMath.mulWadDown(q, priceWad - entryWad);
        p.perpCash += WadMath.mulWadDown(q, priceWad);
        p.spotDelta += q * 1e18;
    }

    function _addFuture(Pass memory p, uint256 expiry, int256 q, int256 entryWad) private pure {
        OptionKernel.Expiry memory e = p.expiries[expiry];
        int256 presentCash = WadMath.mulWadDown(q, e.presentWad);
        e.markCash += presentCash - WadMath.mulWadUp(q, OptionKernel.presentOf(e, entryWad));
        e.linearCash += presentCash;
        e.deltaCash += presentCash << 60;
        if (p.isDetailed) p.greeksAt[expiry].deltaWad += _deltaOf(e, q, 1 << 60);
    }

    /// @dev Calls and puts of one strike: as many calls as both together, and as many forwards less as there are puts.
    function _addOptions(Pass memory p, uint256 expiry, int256 strikeWad, int256 calls, int256 puts) private pure {
        OptionKernel.Expiry memory e = p.expiries[expiry];
        if (e.openSec == 0) {
            p.mark += knownValue(p, strikeWad, calls, puts);
            return;
        }
        unchecked {
            // Unchecked: quantities are below 2**134, prices below 2**117, the discount below 2**72: cash at stake
            // is below 2**175 and its sums in Q60 stay within int256; see ScenarioGrid.
            int256 strikePresentWad = OptionKernel.presentOf(e, strikeWad);
            if (calls < 0) e.shortUnits += OptionKernel.openQuantity(e, uint256(-calls));
            if (puts < 0) e.shortUnits += OptionKernel.openQuantity(e, uint256(-puts));
            if (puts != 0) {
                _addForward(p, expiry, -puts, -WadMath.quotient(puts * strikePresentWad, 1e18));
            }
            int256 q = calls + puts;
            if (q == 0) return;
            int256 openWad = OptionKernel.openStrike(e, strikeWad);
            int256 strikeCash = WadMath.quotient(q * strikePresentWad, 1e18);
            // Above a strike of zero or below, a call is a forward.
            if (openWad <= 0) _addForward(p, expiry, q, strikeCash);
            else _addCalls(p, expiry, uint256(openWad), q, strikeCash);
        }
    }

    /// @notice Value of options of which nothing is open any more.
    /// @param p Pass.
    /// @param strikeWad Strike.
    /// @param calls Quantity of calls.
    /// @param puts Quantity of puts.
    /// @return Wad, rounded down.
    function knownValue(Pass memory p, int256 strikeWad, int256 calls, int256 puts) internal pure returns (int256) {
        int256 payoffWad = int256(p.header.meanWad) - strikeWad;
        return payoffWad > 0 ? WadMath.mulWadDown(calls, payoffWad) : WadMath.mulWadDown(puts, -payoffWad);
    }

    /// @dev What is worth its forward less its strike in any case.
    function _addForward(Pass memory p, uint256 expiry, int256 q, int256 strikeCash) private pure {
        unchecked {
            // Unchecked: see _addOptions.
            OptionKernel.Expiry memory e = p.expiries[expiry];
            int256 forwardCash = WadMath.quotient(q * e.presentWad, 1e18);
            e.markCash += forwardCash - strikeCash;
            e.linearCash += forwardCash;
            e.deltaCash += forwardCash << 60;
            if (p.isDetailed) {
                IRiskEngine.ExpiryGreeks memory g = p.greeksAt[expiry];
                g.deltaWad += _deltaOf(e, q, 1 << 60);
                g.thetaWad += (forwardCash - strikeCash) * e.rateWad;
            }
        }
    }

    function _addCalls(Pass memory p, uint256 expiry, uint256 strikeWad, int256 q, int256 strikeCash) private pure {
        unchecked {
            // Unchecked: see _addOptions.
            OptionKernel.Expiry memory e = p.expiries[expiry];
            OptionKernel.Option memory o = p.option;
            OptionKernel.open(o, e, strikeWad, p.book.params.volFloorWad);
            int256 forwardCash = WadMath.quotient(q * e.presentWad, 1e18);
            int256 z = OptionKernel.positionOf(o);
            e.deltaCash += forwardCash * NormalCdf.cdf(p.table, z);
            int256 phi = o.stdQ64 == 0 ? int256(0) : OptionKernel.density(z);
            e.densityCash += forwardCash * phi;
            p.padCash += 2 * WadMath.abs(forwardCash) + WadMath.abs(strikeCash);
            p.padWei += PAD_WEI;
            if (p.isDetailed) _addGreeks(p, expiry, q, phi, forwardCash, strikeCash);
            OptionKernel.openSkews(o, e, p.book.plan);
            if (e.nodes == 0) e.nodes = ScenarioGrid.createNodes(p.grid);
            // Last: nothing but the pass itself has to be kept beside the walk's many variables.
            ScenarioGrid.walk(p.grid, e.nodes, forwardCash, strikeCash);
        }
    }

    function _addGreeks(Pass memory p, uint256 expiry, int256 q, int256 phi, int256 forwardCash, int256 strikeCash)
        private
        pure
    {
        OptionKernel.Expiry memory e = p.expiries[expiry];
        (int256 gammaWad, int256 decayWad) = OptionKernel.slowGreeks(e, p.option, phi);
        int256 openQ = (q * int256(e.openSec)) / int256(OptionKernel.WINDOW_SEC);
        int256 z = OptionKernel.positionOf(p.option);
        IRiskEngine.ExpiryGreeks memory g = p.greeksAt[expiry];
        g.deltaWad += _deltaOf(e, q, NormalCdf.cdf(p.table, z));
        g.gammaWad += openQ * gammaWad;
        g.thetaWad += OptionKernel.callCash(p.option, forwardCash, strikeCash, p.table) * e.rateWad - openQ * decayWad;
    }

    /// @dev Delta of what is open of a quantity, discounted, wad squared.
    function _deltaOf(OptionKernel.Expiry memory e, int256 q, int256 shareQ60) private pure returns (int256) {
        int256 perUnit = (((shareQ60 * e.discountQ64) >> 60) * int256(e.openSec) * 1e18) >> 64;
        return (q * perUnit) / int256(OptionKernel.WINDOW_SEC);
    }

    /// @notice Value of all positions.
    /// @param p Pass.
    /// @return markWad Wad, rounded down.
    function markOf(Pass memory p) internal pure returns (int256 markWad) {
        markWad = p.mark;
        for (uint256 i; i < p.expiries.length; ++i) {
            markWad += p.expiries[i].markCash + (baseCash(p, p.expiries[i]) >> 60);
        }
    }

    /// @notice Cash of an expiry's calls at the unshocked node: their value.
    /// @param p Pass.
    /// @param e Expiry.
    /// @return Q60 wei.
    function baseCash(Pass memory p, OptionKernel.Expiry memory e) internal pure returns (int256) {
        return e.nodes == 0 ? int256(0) : ScenarioGrid.cashOf(e.nodes + p.grid.basePlace);
    }

    /// @notice The earliest expiry nearer than a day after a cut-off.
    /// @param p Pass.
    /// @param cutoffTs Cut-off, 0 for none.
    /// @return next Unix seconds; the largest uint40 when there is none.
    function cutoffAfter(Pass memory p, uint256 cutoffTs) internal pure returns (uint40 next) {
        next = NO_CUTOFF;
        for (uint256 i; i < p.expiries.length; ++i) {
            OptionKernel.Expiry memory e = p.expiries[i];
            bool isNear = e.timeSec < RequirementMath.FADE_START_SEC;
            if (isNear && e.expiryTs > cutoffTs && e.expiryTs < next) next = uint40(e.expiryTs);
        }
    }

    /// @notice Measures what is left at a cut-off.
    /// @param p Pass.
    /// @param cutoffTs Cut-off, 0 for none.
    /// @param c Memory of the parts, all of which are written.
    function measure(Pass memory p, uint256 cutoffTs, RequirementMath.Parts memory c) internal pure {
        IScenarioBook.UnderlyingParams memory params = p.book.params;
        uint256[] memory places = new uint256[](p.book.plan[ScenarioPlan.PAIRS]);
        c.basisWad = FixedPointMathLib.mulWadUp(RequirementMath.magnitude(p.perpCash), params.perpBasisWad);
        c.netCash = p.perpCash + p.linkedCash;
        c.vegaCash = 0;
        ScenarioScan.start(p.scan, _linearCash(p, cutoffTs));
        uint256 shortUnits;
        unchecked {
            // Unchecked: at most 128 sums of cash, each below 2**240 before it is divided; scales are at most 1.
            for (uint256 i; i < p.expiries.length; ++i) {
                OptionKernel.Expiry memory e = p.expiries[i];
                (uint256 num, uint256 den) = _scaleAt(e, cutoffTs);
                if (num == 0) continue;
                c.basisWad += FixedPointMathLib.divUp(_basisOf(p, e) * num, den);
                c.netCash += WadMath.quotient((e.deltaCash >> 60) * int256(num), int256(den));
                shortUnits += FixedPointMathLib.divUp(e.shortUnits * num, den);
                if (e.nodes == 0) continue;
                c.vegaCash += WadMath.quotient(vegaCash(e) * int256(num), int256(den));
                _addNodes(p, den == 1 ? e.nodes : ScenarioGrid.scaledNodes(p.grid, e.nodes, num, den), places);
            }
        }
        _worst(p, c);
        c.skewTermWad = FixedPointMathLib.mulWadUp(_largest(places), params.skewRateWad);
        uint256 shortCash = FixedPointMathLib.mulWadUp(shortUnits, p.header.spotWad);
        c.shortMinWad = FixedPointMathLib.mulWadUp(shortCash, params.shortMinRateWad);
        RequirementMath.concentrate(c, params);
    }

    function _addNodes(Pass memory p, uint256 nodes, uint256[] memory places) private pure {
        int256 baseCash_ = ScenarioGrid.cashOf(nodes + p.grid.basePlace);
        ScenarioScan.addExpiry(p.scan, nodes, baseCash_, p.isAlone);
        ScenarioScan.addSkew(p.scan, places, nodes);
    }

    function _worst(Pass memory p, RequirementMath.Parts memory c) private pure {
        ScenarioScan.Worst memory w = ScenarioScan.worst(p.scan);
        (c.scan, c.certified, c.apart, c.row) = (w.scan, w.certified, p.isAlone ? w.certified : w.apart, w.row);
        c.padWad = padOf(p.padCash, p.padWei);
    }

    /// @notice What covers the error of the table.
    /// @param cash |q|*D*(2F + K) over options.
    /// @param weiPad Wei for sums that are cut off.
    /// @return Wad, rounded up.
    function padOf(uint256 cash, uint256 weiPad) internal pure returns (uint256) {
        return cash == 0 ? 0 : FixedPointMathLib.mulWadUp(cash, uint256(PAD_WAD)) + weiPad;
    }

    function _largest(uint256[] memory values) private pure returns (uint256 largest) {
        for (uint256 i; i < values.length; ++i) {
            if (values[i] > largest) largest = values[i];
        }
    }

    /// @dev What is left of an expiry at a cut-off.
    function _scaleAt(OptionKernel.Expiry memory e, uint256 cutoffTs) private pure returns (uint256 num, uint256 den) {
        if (e.expiryTs > cutoffTs) return (1, 1);
        return RequirementMath.fade(e.timeSec);
    }

    /// @dev What a relative move of 1 earns on everything linear.
    function _linearCash(Pass memory p, uint256 cutoffTs) private pure returns (int256 cash) {
        cash = p.perpCash + p.linkedCash;
        for (uint256 i; i < p.expiries.length; ++i) {
            OptionKernel.Expiry memory e = p.expiries[i];
            (uint256 num, uint256 den) = _scaleAt(e, cutoffTs);
            cash += (e.linearCash * int256(num)) / int256(den);
        }
    }

    /// @dev max(|N|, |N - value|)*rate: forward and discount both move; what is known of a settlement has no basis.
    function _basisOf(Pass memory p, OptionKernel.Expiry memory e) private pure returns (uint256) {
        int256 netCash = e.deltaCash >> 60;
        int256 valueCash = e.markCash + (baseCash(p, e) >> 60);
        return basisOf(p, e, netCash, valueCash);
    }

    /// @notice Basis of a net cash delta and a value.
    /// @param p Pass.
    /// @param e Their expiry.
    /// @param netCash Net cash delta.
    /// @param valueCash Net mark.
    /// @return Wad.
    function basisOf(Pass memory p, OptionKernel.Expiry memory e, int256 netCash, int256 valueCash)
        internal
        pure
        returns (uint256)
    {
        uint256 size = RequirementMath.magnitude(netCash);
        uint256 legCash = RequirementMath.magnitude(netCash - valueCash);
        legCash = FixedPointMathLib.divUp(legCash * e.openSec, OptionKernel.WINDOW_SEC);
        if (legCash > size) size = legCash;
        return size == 0 ? 0 : FixedPointMathLib.mulWadUp(size, RequirementMath.basisRate(e.timeSec, p.book.params));
    }

    /// @notice Cash vega per 1.00 of vol of all options of an expiry.
    /// @param e Expiry.
    /// @return Wad.
    function vegaCash(OptionKernel.Expiry memory e) internal pure returns (int256) {
        return ((e.densityCash >> 60) * int256(e.rootTimeQ64)) >> 64;
    }

    /// @notice What two books must have in common to be added up node by node.
    /// @param p Pass.
    /// @return Hash.
    function layoutOf(Pass memory p) internal pure returns (bytes32) {
        return bytes32(p.book.plan[ScenarioPlan.LAYOUT]);
    }

    /// @notice Rows and greeks; the scan holds the whole set.
    /// @param p Pass, detailed and measured without a cut-off.
    /// @return d Detail.
    function detail(Pass memory p) internal pure returns (IRiskEngine.UnderlyingDetail memory d) {
        d.rowPnlWad = _rows(p);
        d.expiries = new IRiskEngine.ExpiryGreeks[](p.greeksAt.length + 1);
        d.expiries[0].deltaWad = WadMath.divDown(p.spotDelta, 1e18);
        IRiskEngine.ExpiryGreeks memory sum;
        sum.deltaWad = p.spotDelta;
        for (uint256 i; i < p.greeksAt.length; ++i) {
            IRiskEngine.ExpiryGreeks memory g = p.greeksAt[i];
            int256 vegaWad = vegaCash(p.expiries[i]);
            sum.deltaWad += g.deltaWad;
            sum.gammaWad += g.gammaWad;
            sum.vegaWad += vegaWad;
            sum.thetaWad += g.thetaWad;
            d.expiries[i + 1] = IRiskEngine.ExpiryGreeks(
                uint40(p.expiries[i].expiryTs),
                WadMath.divDown(g.deltaWad, 1e18),
                WadMath.divDown(g.gammaWad, 1e18),
                vegaWad,
                WadMath.divDown(g.thetaWad, 1e18)
            );
        }
        (d.deltaWad, d.gammaWad) = (WadMath.divDown(sum.deltaWad, 1e18), WadMath.divDown(sum.gammaWad, 1e18));
        (d.vegaWad, d.thetaWad) = (sum.vegaWad, WadMath.divDown(sum.thetaWad, 1e18));
    }

    /// @dev Weighted profits of grid and tails, then those of the skew pairs at full weight.
    function _rows(Pass memory p) private pure returns (int256[] memory pnlWad) {
        uint256[] memory plan = p.book.plan;
        uint256 pairs = plan[ScenarioPlan.PAIRS];
        pnlWad = ScenarioScan.profits(p.scan, 2 * pairs);
        uint256 at = pnlWad.length - 2 * pairs;
        int256 linearCash = _linearCash(p, 0);
        for (uint256 i; i < 2 * pairs; ++i) {
            uint256 place = plan[plan[ScenarioPlan.FIRST_PAIR] + ScenarioPlan.PAIR_WORDS * (i / 2) + i % 2];
            int256 profit = ((linearCash * ScenarioGrid.growthOf(p.grid.template + place)) >> 4) - (linearCash << 60);
            for (uint256 j; j < p.expiries.length; ++j) {
                OptionKernel.Expiry memory e = p.expiries[j];
                if (e.nodes != 0) profit += ScenarioGrid.cashOf(e.nodes + place) - baseCash(p, e);
            }
            pnlWad[at + i] = profit >> 60;
        }
    }
}
