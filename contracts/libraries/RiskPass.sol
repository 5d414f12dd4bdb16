// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IOracle} from "../../interfaces/IOracle.sol";
import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {BookCode} from "./BookCode.sol";
import {LinearUnit} from "./LinearUnit.sol";
import {NormalCdf} from "./NormalCdf.sol";
import {OptionKernel} from "./OptionKernel.sol";
import {PlainCall} from "./PlainCall.sol";
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
/// @custom:mirror plimsoll.mirror.risk_engine
library RiskPass {
    /// @dev Upward pad per unit of |q|*D*(2F + K): more than the table's error in nodes, gaps and skew together
    /// (docs/reference/mathematics.md), so that the requirement is never below the exact one.
    int256 private constant PAD_WAD = 8e9;
    /// @dev Upward pad per option for sums that are cut off at whole wei.
    uint256 private constant PAD_WEI = 128;
    /// @notice Above phi(0) = 0.39894..., wad.
    uint256 internal constant HIGHEST_DENSITY_WAD = 0.39895e18;
    uint40 private constant NO_CUTOFF = type(uint40).max;
    /// @dev From so many expiries on it costs less to exchange what a cut-off reaches than to add all of them up anew.
    uint256 private constant EXCHANGED_FROM = 6;

    /// @notice Where a pass reads, and what it takes.
    struct Source {
        IScenarioBook book;
        IOracle oracle;
        /// @dev NormalTable.
        address normalTable;
        /// @dev Memory position of it where another pass has read it, else 0.
        uint256 table;
        uint8 underlyingId;
        /// @dev Whether long options take part.
        bool withLong;
        /// @dev Whether the sums of all rows are wanted: of a detail, or to be added to those of other underlyings.
        bool withRows;
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
        /// @dev Memory position of the normal table; 0 where no position has an expiry.
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
        bool withRows;
        /// @dev Whether vega may be so large that something is charged for it.
        bool withDensity;
        /// @dev The cut-off at which the scan stands, what skew takes at every place there, and room for what a further
        /// one exchanges.
        uint256 scannedTs;
        uint256[] places;
        ScenarioScan.Scan part;
        /// @dev Number of expiries that have nodes.
        uint256 withNodes;
    }

    /// @notice Makes room for passes.
    /// @param count Number of them.
    /// @return passes All of whose numbers are 0.
    function create(uint256 count) internal pure returns (Pass[] memory passes) {
        assembly ("memory-safe") {
            // Equivalent: passes = new Pass[](count), without the structs that are put in place of others later: book,
            // header and part. A pass has 21 words, behind which lie 3 of the book, 4 of groups, 4 of the option, 11
            // of the grid and 6 of the scan.
            passes := mload(0x40)
            mstore(passes, count)
            let slot := add(passes, 0x20)
            let pass := add(slot, shl(5, count))
            let size := mul(count, 0x620)
            mstore(0x40, add(pass, size))
            calldatacopy(pass, calldatasize(), size)
            for { let end := pass } lt(slot, end) { slot := add(slot, 0x20) } {
                mstore(slot, pass)
                mstore(pass, add(pass, 0x2a0))
                mstore(add(pass, 0x60), add(pass, 0x300))
                mstore(add(pass, 0x80), add(pass, 0x380))
                mstore(add(pass, 0xa0), add(pass, 0x400))
                mstore(add(pass, 0xc0), add(pass, 0x560))
                pass := add(pass, 0x620)
            }
        }
    }

    /// @notice Reads, prices and sums everything.
    /// @param p Memory of the pass.
    /// @param s Where it reads.
    /// @param positions Position words.
    /// @param linkedUnitsWad Units of the underlying held as collateral.
    function run(Pass memory p, Source memory s, uint256[] calldata positions, int256 linkedUnitsWad) internal view {
        open(p, s, positions);
        (p.isAlone, p.withRows) = (!s.isJoined && p.expiries.length < 2, s.withRows);
        ScenarioScan.create(p.scan, p.book.plan);
        for (uint256 group = p.groups.first; group != p.groups.end; group += PositionGroups.GROUP_BYTES) {
            (uint256 kind, int256 priceE8, uint256 expiry, int256 calls, int256 puts) = PositionGroups.read(group);
            int256 priceWad;
            unchecked {
                // Unchecked: at most 128 quantities below 2**127, prices of 72 bits.
                p.grossUnits += RequirementMath.absolute(calls) + RequirementMath.absolute(puts);
                priceWad = priceE8 * Units.E8_TO_WAD;
            }
            if (PositionWord.isOptionKind(kind)) _addOptions(p, p.expiries[expiry], priceWad, calls, puts);
            else _addLinear(p, kind, expiry, calls, priceWad);
        }
        if (linkedUnitsWad != 0) addLinked(p, linkedUnitsWad);
    }

    /// @notice Reads the book, the positions and the round for the expiries that they name.
    /// @param p Memory of the pass.
    /// @param s Where it reads.
    /// @param positions Position words.
    function open(Pass memory p, Source memory s, uint256[] calldata positions) internal view {
        PositionGroups.collect(p.groups, s.underlyingId, positions, s.withLong);
        BookCode.load(p.book, s.book.bookPointerOf(s.underlyingId));
        p.table = s.table;
        if (p.table == 0 && p.groups.expiries.length != 0) p.table = NormalCdf.load(s.normalTable);
        IOracle.Surface memory surface;
        (p.header, surface) = PlainCall.roundFor(s.oracle, s.underlyingId, p.groups.expiries);
        p.expiries = OptionKernel.createExpiries(p.groups.expiries.length);
        for (uint256 i; i < p.expiries.length; ++i) {
            OptionKernel.prepare(
                p.expiries[i], surface, p.header, p.book.params.volUpWad, p.book.params.volDownWad
            );
            assembly ("memory-safe") {
                surface := add(surface, 0x100) // the next one: they have eight words
            }
        }
        p.withDensity = _mostVega(p) > p.book.params.v0Wad;
        OptionKernel.create(p.option);
        ScenarioGrid.create(p.grid, p.book.plan, p.table, p.option);
    }

    /// @dev More than the size of the cash vega can be, at any cut-off.
    function _mostVega(Pass memory p) private pure returns (uint256) {
        unchecked {
            // Unchecked: prices are below 2**105, roots of a time below 2**70, quantities below 2**135.
            uint256 perUnit;
            for (uint256 i; i < p.expiries.length; ++i) {
                OptionKernel.Expiry memory e = p.expiries[i];
                uint256 own = (uint256(e.presentWad) * e.rootTimeQ64) >> 64;
                if (own > perUnit) perUnit = own;
            }
            return RequirementMath.mulUp(RequirementMath.mulUp(p.groups.units, perUnit + 1), HIGHEST_DENSITY_WAD);
        }
    }

    /// @notice Adds collateral linked to the underlying.
    /// @param p Pass.
    /// @param linkedUnitsWad Units.
    function addLinked(Pass memory p, int256 linkedUnitsWad) internal pure {
        if (linkedUnitsWad != int128(linkedUnitsWad)) {
            revert IRiskEngine.RiskEngine__LinkedOverflow(linkedUnitsWad, type(int128).max);
        }
        p.linkedCash = WadMath.mulWadDown(linkedUnitsWad, int256(p.header.spotWad));
    }

    /// @notice Adds what collateral loses beyond the units of the underlying that were added for it.
    /// @param p Pass, run.
    /// @param bendsWad Loss at every move of the ladder, after its weight.
    function addBends(Pass memory p, uint256[] memory bendsWad) internal pure {
        if (bendsWad.length == 0) return;
        requireLength(bendsWad.length, p.book.plan[ScenarioPlan.MOVES]);
        // They are losses of every row.
        p.withRows = true;
        ScenarioScan.Scan memory scan = p.scan;
        assembly ("memory-safe") {
            // Equivalent: scan.bends = the memory position of the array.
            mstore(add(scan, 0xa0), bendsWad)
        }
    }

    /// @notice Reverts when an array has another length than it must.
    /// @param length Its length.
    /// @param expected What it must be.
    function requireLength(uint256 length, uint256 expected) internal pure {
        if (length != expected) revert IRiskEngine.RiskEngine__BadLength(length, expected);
    }

    function _addLinear(Pass memory p, uint256 kind, uint256 expiry, int256 q, int256 entryWad) private pure {
        (int256 cash, int256 value) = LinearUnit.held(p.header, p.expiries, kind, expiry, q, entryWad);
        if (PositionWord.hasExpiry(kind)) {
            OptionKernel.Expiry memory e = p.expiries[expiry];
            e.markCash += value;
            e.linearCash += cash;
            e.deltaCash += cash << 60;
        } else {
            p.mark += value;
            p.perpCash += cash;
        }
    }

    /// @dev Calls and puts of one strike: as many calls as both together, and as many forwards less as there are puts.
    function _addOptions(
        Pass memory p,
        OptionKernel.Expiry memory e,
        int256 strikeWad,
        int256 calls,
        int256 puts
    ) private pure {
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
                _addForward(e, -puts, -WadMath.quotient(puts * strikePresentWad, 1e18));
            }
            int256 q = calls + puts;
            if (q == 0) return;
            int256 openWad = OptionKernel.openStrike(e, strikeWad);
            int256 strikeCash = WadMath.quotient(q * strikePresentWad, 1e18);
            // Above a strike of zero or below, a call is a forward.
            if (openWad <= 0) _addForward(e, q, strikeCash);
            else _addCalls(p, e, uint256(openWad), q, strikeCash);
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
    function _addForward(OptionKernel.Expiry memory e, int256 q, int256 strikeCash) private pure {
        unchecked {
            // Unchecked: see _addOptions.
            int256 forwardCash = WadMath.quotient(q * e.presentWad, 1e18);
            e.markCash += forwardCash - strikeCash;
            e.linearCash += forwardCash;
            e.deltaCash += forwardCash << 60;
        }
    }

    function _addCalls(
        Pass memory p,
        OptionKernel.Expiry memory e,
        uint256 strikeWad,
        int256 q,
        int256 strikeCash
    ) private pure {
        unchecked {
            // Unchecked: see _addOptions.
            OptionKernel.Option memory o = p.option;
            OptionKernel.open(o, e, strikeWad, p.book.params.volFloorWad);
            int256 forwardCash = WadMath.quotient(q * e.presentWad, 1e18);
            e.deltaCash += forwardCash * NormalCdf.cdf(p.table, OptionKernel.positionOf(o));
            if (p.withDensity) e.densityCash += forwardCash * OptionKernel.density(o);
            p.padCash += 2 * RequirementMath.absolute(forwardCash) + RequirementMath.absolute(strikeCash);
            p.padWei += PAD_WEI;
            // The last expiry takes the plan's own: nobody else needs them bare.
            if (e.nodes == 0) {
                bool isLast = ++p.withNodes == p.expiries.length;
                e.nodes = isLast ? p.grid.template : ScenarioGrid.createNodes(p.grid);
            }
            // Last: nothing but the pass itself has to be kept beside the walk's many variables.
            ScenarioGrid.walk(p.grid, o, e, e.nodes, forwardCash, strikeCash);
        }
    }

    /// @notice Value of all positions.
    /// @param p Pass.
    /// @return markWad Wad, rounded down.
    function markOf(Pass memory p) internal pure returns (int256 markWad) {
        markWad = p.mark;
        unchecked {
            // Unchecked: sums of cash over at most 128 positions.
            for (uint256 i; i < p.expiries.length; ++i) {
                OptionKernel.Expiry memory e = p.expiries[i];
                markWad += e.markCash + (baseCash(p, e) >> 60);
            }
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
        c.basisWad = RequirementMath.mulUp(RequirementMath.magnitude(p.perpCash), params.perpBasisWad);
        uint256 shortCash = RequirementMath.mulUp(_addCharges(p, cutoffTs, c), p.header.spotWad);
        c.shortMinWad = RequirementMath.mulUp(shortCash, params.shortMinRateWad);
        if (p.isAlone && !p.withRows) _scanOne(p, cutoffTs, c);
        else _scanAll(p, cutoffTs, c);
        c.padWad = padOf(p.padCash, p.padWei);
        c.skewTermWad = RequirementMath.mulUp(c.skewTermWad, params.skewRateWad);
        RequirementMath.concentrate(c, params);
    }

    /// @dev What is charged by expiry; returns how many options are short.
    function _addCharges(Pass memory p, uint256 cutoffTs, RequirementMath.Parts memory c)
        private
        pure
        returns (uint256 shortUnits)
    {
        unchecked {
            // Unchecked: at most 128 sums of cash, each below 2**240 before it is divided; scales are at most 1.
            (c.netCash, c.vegaCash) = (p.perpCash + p.linkedCash, 0);
            for (uint256 i; i < p.expiries.length; ++i) {
                OptionKernel.Expiry memory e = p.expiries[i];
                (uint256 num, uint256 den) = _scaleAt(e, cutoffTs);
                if (num == 0) continue;
                c.basisWad += RequirementMath.divUp(_basisOf(p, e) * num, den);
                c.netCash += WadMath.quotient((e.deltaCash >> 60) * int256(num), int256(den));
                shortUnits += RequirementMath.divUp(e.shortUnits * num, den);
                c.vegaCash += WadMath.quotient(_vegaCash(e) * int256(num), int256(den));
            }
        }
    }

    /// @dev Scan and skew where one expiry at most has options.
    function _scanOne(Pass memory p, uint256 cutoffTs, RequirementMath.Parts memory c) private pure {
        uint256 nodes = p.expiries.length == 0 ? 0 : _nodesAt(p, p.expiries[0], cutoffTs);
        c.skewTermWad = nodes == 0 ? 0 : ScenarioScan.largestSkew(p.book.plan, nodes);
        if (nodes == 0) nodes = _bareNodes(p);
        int256 baseCash_ = ScenarioGrid.cashOf(nodes + p.grid.basePlace);
        ScenarioScan.Worst memory w = ScenarioScan.worstOfOne(p.scan, nodes, baseCash_, linearCash(p, cutoffTs));
        (c.scan, c.certified, c.apart, c.row) = (w.scan, w.certified, w.certified, w.row);
    }

    /// @dev Nodes without cash: the plan's own, unless an expiry took them of which nothing is left.
    function _bareNodes(Pass memory p) private pure returns (uint256) {
        if (p.expiries.length == 0 || p.expiries[0].nodes == 0) return p.grid.template;
        return ScenarioGrid.scaledNodes(p.grid, p.expiries[0].nodes, 0, 1);
    }

    /// @dev The same of all expiries, whose rows stay in the scan. Cut-offs rise from none.
    function _scanAll(Pass memory p, uint256 cutoffTs, RequirementMath.Parts memory c) private pure {
        if (cutoffTs == 0 || p.expiries.length < EXCHANGED_FROM) _scanAnew(p, cutoffTs);
        else _exchange(p, cutoffTs);
        p.scannedTs = cutoffTs;
        ScenarioScan.Worst memory w = ScenarioScan.worst(p.scan);
        (c.scan, c.certified, c.apart, c.row) = (w.scan, w.certified, p.isAlone ? w.certified : w.apart, w.row);
        c.skewTermWad = _largest(p.places);
    }

    function _scanAnew(Pass memory p, uint256 cutoffTs) private pure {
        p.places = new uint256[](p.book.plan[ScenarioPlan.PAIRS]);
        ScenarioScan.start(p.scan, linearCash(p, cutoffTs));
        for (uint256 i; i < p.expiries.length; ++i) {
            _addNodes(p, p.scan, p.places, _nodesAt(p, p.expiries[i], cutoffTs));
        }
    }

    /// @dev Sums are whole numbers: what the cut-off reaches is taken out of them and comes back with what is left of
    /// it, linear instruments likewise, and all else stays as it is.
    function _exchange(Pass memory p, uint256 cutoffTs) private pure {
        uint256[] memory gone = new uint256[](p.places.length);
        if (p.scannedTs == 0) {
            ScenarioScan.Scan memory part;
            ScenarioScan.create(part, p.book.plan);
            p.part = part;
        }
        ScenarioScan.start(p.part, linearCash(p, p.scannedTs));
        for (uint256 i; i < p.expiries.length; ++i) {
            if (_isReached(p, p.expiries[i], cutoffTs)) _addNodes(p, p.part, gone, p.expiries[i].nodes);
        }
        ScenarioScan.subtractScan(p.scan, p.part);
        for (uint256 i; i < gone.length; ++i) {
            p.places[i] -= gone[i];
        }
        ScenarioScan.start(p.part, linearCash(p, cutoffTs));
        for (uint256 i; i < p.expiries.length; ++i) {
            OptionKernel.Expiry memory e = p.expiries[i];
            if (_isReached(p, e, cutoffTs)) _addNodes(p, p.part, p.places, _nodesAt(p, e, cutoffTs));
        }
        ScenarioScan.addScan(p.scan, p.part);
    }

    /// @dev Whether a cut-off reaches an expiry that the last one did not.
    function _isReached(Pass memory p, OptionKernel.Expiry memory e, uint256 cutoffTs) private pure returns (bool) {
        return e.expiryTs > p.scannedTs && e.expiryTs <= cutoffTs;
    }

    function _addNodes(Pass memory p, ScenarioScan.Scan memory scan, uint256[] memory places, uint256 nodes)
        private
        pure
    {
        if (nodes == 0) return;
        ScenarioScan.addExpiry(scan, nodes, ScenarioGrid.cashOf(nodes + p.grid.basePlace));
        ScenarioScan.addSkew(scan, places, nodes);
    }

    /// @dev What is left of an expiry's nodes at a cut-off; 0 when that is nothing.
    function _nodesAt(Pass memory p, OptionKernel.Expiry memory e, uint256 cutoffTs) private pure returns (uint256) {
        (uint256 num, uint256 den) = _scaleAt(e, cutoffTs);
        if (num == 0 || e.nodes == 0) return 0;
        if (den == 1) return e.nodes;
        // Every cut-off leaves the same of an expiry that it reaches.
        if (e.fadedNodes == 0) e.fadedNodes = ScenarioGrid.scaledNodes(p.grid, e.nodes, num, den);
        return e.fadedNodes;
    }

    /// @notice What covers the error of the table.
    /// @param cash |q|*D*(2F + K) over options.
    /// @param weiPad Wei for sums that are cut off.
    /// @return Wad, rounded up.
    function padOf(uint256 cash, uint256 weiPad) internal pure returns (uint256) {
        return cash == 0 ? 0 : RequirementMath.mulUp(cash, uint256(PAD_WAD)) + weiPad;
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

    /// @notice What a relative move of 1 earns on everything linear.
    /// @param p Pass.
    /// @param cutoffTs Cut-off, 0 for none.
    /// @return cash Wad.
    function linearCash(Pass memory p, uint256 cutoffTs) internal pure returns (int256 cash) {
        unchecked {
            // Unchecked: sums of cash over at most 128 positions; a scale is below 2**17 over as much.
            cash = p.perpCash + p.linkedCash;
            for (uint256 i; i < p.expiries.length; ++i) {
                OptionKernel.Expiry memory e = p.expiries[i];
                (uint256 num, uint256 den) = _scaleAt(e, cutoffTs);
                cash += WadMath.quotient(e.linearCash * int256(num), int256(den));
            }
        }
    }

    /// @dev max(|N|, |N - value|)*rate: forward and discount both move; what is known of a settlement has no basis.
    function _basisOf(Pass memory p, OptionKernel.Expiry memory e) private pure returns (uint256) {
        unchecked {
            // Unchecked: sums of cash over at most 128 positions.
            return basisOf(p, e, e.deltaCash >> 60, e.markCash + (baseCash(p, e) >> 60));
        }
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
        unchecked {
            // Unchecked: sums of cash over at most 128 positions, times below 2**11.
            uint256 size = RequirementMath.magnitude(netCash);
            uint256 legCash = RequirementMath.magnitude(netCash - valueCash);
            legCash = RequirementMath.divUp(legCash * e.openSec, OptionKernel.WINDOW_SEC);
            if (legCash > size) size = legCash;
            return size == 0 ? 0 : RequirementMath.mulUp(size, _basisRate(p, e));
        }
    }

    /// @dev Taken once for an expiry.
    function _basisRate(Pass memory p, OptionKernel.Expiry memory e) private pure returns (uint256 rateWad) {
        rateWad = e.basisRateWad;
        if (rateWad == 0) {
            rateWad = RequirementMath.basisRate(e.timeSec, p.book.params);
            e.basisRateWad = rateWad;
        }
    }

    /// @dev Cash vega per 1.00 of vol of all options of an expiry.
    function _vegaCash(OptionKernel.Expiry memory e) private pure returns (int256) {
        return ((e.densityCash >> 60) * int256(e.rootTimeQ64)) >> 64;
    }

    /// @notice Components of the whole set; the requirement is that of no cut-off.
    /// @param p Pass.
    /// @param c Parts, measured without a cut-off.
    /// @param r Memory of the risk.
    /// @param underlyingId Underlying.
    function fill(
        Pass memory p,
        RequirementMath.Parts memory c,
        IRiskEngine.UnderlyingRisk memory r,
        uint8 underlyingId
    ) internal pure {
        r.underlyingId = underlyingId;
        r.scanWad = RequirementMath.positive(c.scan);
        r.certifiedScanWad = RequirementMath.positive(c.certified) + c.padWad;
        (r.basisWad, r.skewTermWad, r.padWad) = (c.basisWad, c.skewTermWad, c.padWad);
        (r.shortMinWad, r.concentrationWad, r.worstRow) = (c.shortMinWad, c.concentrationWad, c.row);
        r.vegaTermWad = RequirementMath.vegaTerm(c, p.book.params.vegaTermRateWad);
        r.requirementWad = RequirementMath.total(c, r.vegaTermWad);
        r.markWad = markOf(p);
        r.grossNotionalWad = RequirementMath.mulUp(p.grossUnits, p.header.spotWad);
        (r.confWad, r.spotWad) = (p.header.confWad, p.header.spotWad);
    }

    /// @notice Takes the largest requirement over cut-offs.
    /// @param p Pass.
    /// @param c Memory of the parts.
    /// @param r Risk of the whole set.
    function overCutoffs(Pass memory p, RequirementMath.Parts memory c, IRiskEngine.UnderlyingRisk memory r)
        internal
        pure
    {
        uint40 cutoffTs = cutoffAfter(p, 0);
        while (cutoffTs != NO_CUTOFF) {
            measure(p, cutoffTs, c);
            take(p, c, r, cutoffTs);
            cutoffTs = cutoffAfter(p, cutoffTs);
        }
    }

    /// @notice Requirement of one cut-off; the largest so far stays in the risk.
    /// @param p Pass.
    /// @param c Parts, measured at the cut-off.
    /// @param r Risk.
    /// @param cutoffTs Cut-off.
    /// @return requirementWad Requirement of this one.
    function take(
        Pass memory p,
        RequirementMath.Parts memory c,
        IRiskEngine.UnderlyingRisk memory r,
        uint256 cutoffTs
    ) internal pure returns (uint256 requirementWad) {
        requirementWad = RequirementMath.total(c, RequirementMath.vegaTerm(c, p.book.params.vegaTermRateWad));
        if (requirementWad > r.requirementWad) (r.requirementWad, r.cutoffTs) = (requirementWad, uint40(cutoffTs));
    }

    /// @notice What two books must have in common to be added up node by node.
    /// @param p Pass.
    /// @return Hash.
    function layoutOf(Pass memory p) internal pure returns (bytes32) {
        return bytes32(p.book.plan[ScenarioPlan.LAYOUT]);
    }
}
