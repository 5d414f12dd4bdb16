// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {BookCode} from "../libraries/BookCode.sol";
import {Exp} from "../libraries/Exp.sol";
import {NormalCdf} from "../libraries/NormalCdf.sol";
import {OptionKernel} from "../libraries/OptionKernel.sol";
import {PositionWord} from "../libraries/PositionWord.sol";
import {ScenarioGrid} from "../libraries/ScenarioGrid.sol";
import {ScenarioPlan} from "../libraries/ScenarioPlan.sol";
import {StandardMath} from "../libraries/StandardMath.sol";
import {Units} from "../libraries/Units.sol";
import {WadMath} from "../libraries/WadMath.sol";

/// @title RiskEngine
/// @notice See IRiskEngine.
/// @dev One pass: every option is opened once, walked through all rows, and leaves only sums behind.
contract RiskEngine is IRiskEngine {
    using PositionWord for uint256;

    /// @dev Upward pad per unit of |q|*(2F + K): more than the table's error in two nodes and a gap together
    /// (2.2e-9*F + 1.3e-9*K, docs/mathematics.md), so that the requirement is never below the exact one.
    int256 private constant PAD_WAD = 2e9;
    /// @dev Upward pad per option for sums that are cut off at whole wei.
    int256 private constant PAD_WEI = 64;

    IScenarioBook private immutable BOOK;
    IOracle private immutable ORACLE;

    /// @dev Working memory of one pass. Cash is wei; products of two wad are named squared until they are divided.
    struct Pass {
        IScenarioBook.Book book;
        /// @dev Of the round.
        uint256 spotWad;
        uint256 perpWad;
        uint256 confWad;
        OptionKernel.Expiry[] expiries;
        /// @dev Expiry of every position; unused for a perpetual.
        uint256[] expiryAt;
        OptionKernel.Option option;
        ScenarioGrid.Grid grid;
        /// @dev Memory position of the normal table.
        uint256 table;
        /// @dev What a relative move of 1 earns on everything linear, puts' forwards included.
        int256 linearCash;
        int256 perpCash;
        int256 linkedCash;
        /// @dev Of futures, perpetuals, and what puts are worth beyond calls.
        int256 mark;
        int256 padSquared;
        uint256 shortUnits;
        uint256 grossUnits;
        Greeks greeks;
        /// @dev Per expiry of the round, wad squared; empty unless detailed.
        ExpiryGreeks[] greeksAt;
        bool detailed;
    }

    /// @dev Wad squared.
    struct Greeks {
        int256 delta;
        int256 gamma;
        int256 vega;
        int256 theta;
    }

    constructor(IScenarioBook book, IOracle oracle) {
        BOOK = book;
        ORACLE = oracle;
    }

    /// @inheritdoc IRiskEngine
    function riskOf(uint8 underlyingId, uint256[] calldata positions, int256 linkedUnitsWad)
        external
        view
        override
        returns (UnderlyingRisk memory risk)
    {
        Pass memory p;
        _run(p, underlyingId, positions, linkedUnitsWad);
        _requirement(p, underlyingId, risk);
    }

    /// @inheritdoc IRiskEngine
    function detailOf(uint8 underlyingId, uint256[] calldata positions, int256 linkedUnitsWad)
        external
        view
        override
        returns (UnderlyingRisk memory risk, UnderlyingDetail memory detail)
    {
        Pass memory p;
        p.detailed = true;
        _run(p, underlyingId, positions, linkedUnitsWad);
        _requirement(p, underlyingId, risk);
        detail = UnderlyingDetail(
            ScenarioGrid.profits(p.grid, p.linearCash, p.book.plan[3]),
            WadMath.divDown(p.greeks.delta, 1e18),
            WadMath.divDown(p.greeks.gamma, 1e18),
            WadMath.divDown(p.greeks.vega, 1e18),
            WadMath.divDown(p.greeks.theta, 1e18),
            _greeksByExpiry(p)
        );
    }

    /// @inheritdoc IRiskEngine
    function standardOf(uint8 underlyingId, uint256[] calldata positions)
        external
        view
        override
        returns (StandardRisk memory standard)
    {
        Pass memory p;
        _open(p, underlyingId, positions);
        OptionKernel.create(p.option, ScenarioPlan.FIRST_VOLATILITIES);
        for (uint256 i; i < positions.length; ++i) {
            _standardPosition(p, i, positions[i], standard);
        }
        standard.grossNotionalWad = FixedPointMathLib.mulWadUp(standard.grossNotionalWad, p.spotWad);
        standard.confWad = p.confWad;
    }

    function _run(Pass memory p, uint8 underlyingId, uint256[] calldata positions, int256 linkedUnitsWad)
        private
        view
    {
        _open(p, underlyingId, positions);
        if (p.detailed) p.greeksAt = new ExpiryGreeks[](p.expiries.length);
        OptionKernel.create(p.option, ScenarioPlan.FIRST_VOLATILITIES + p.book.plan[0]);
        ScenarioGrid.create(p.grid, p.book.plan, p.table, p.option);
        for (uint256 i; i < positions.length; ++i) {
            uint256 word = positions[i];
            if (word.isOption()) _addOption(p, p.expiries[p.expiryAt[i]], word);
            else _addLinear(p, i, word);
        }
        if (linkedUnitsWad != 0) _addLinked(p, linkedUnitsWad);
    }

    function _addLinked(Pass memory p, int256 linkedUnitsWad) private pure {
        if (linkedUnitsWad != int128(linkedUnitsWad)) {
            revert RiskEngine__LinkedOverflow(linkedUnitsWad, type(int128).max);
        }
        p.greeks.delta += linkedUnitsWad * 1e18;
        p.linkedCash = WadMath.mulWadDown(linkedUnitsWad, int256(p.spotWad));
        p.linearCash += p.linkedCash;
    }

    /// @dev Reads the book and the round for the expiries that the positions name.
    function _open(Pass memory p, uint8 underlyingId, uint256[] calldata positions) private view {
        uint40[] memory wanted;
        (wanted, p.expiryAt) = _expiriesOf(underlyingId, positions);
        p.table = BookCode.load(p.book, BOOK.bookPointerOf(underlyingId));
        (IOracle.Header memory header, IOracle.Surface[] memory surfaces) = ORACLE.roundFor(underlyingId, wanted);
        (p.spotWad, p.perpWad, p.confWad) = (header.spotWad, header.perpWad, header.confWad);
        p.expiries = OptionKernel.createExpiries(surfaces.length);
        for (uint256 i; i < surfaces.length; ++i) {
            OptionKernel.prepare(
                p.expiries[i], surfaces[i], header.ts, p.book.params.volUpWad, p.book.params.volDownWad
            );
        }
    }

    /// @dev Different expiries, and for every position the number of its own.
    function _expiriesOf(uint8 underlyingId, uint256[] calldata positions)
        private
        pure
        returns (uint40[] memory expiries, uint256[] memory at)
    {
        unchecked {
            // Unchecked: every index stays within the two arrays of the length of positions.
            expiries = new uint40[](positions.length);
            at = new uint256[](positions.length);
            uint256 count;
            for (uint256 i; i < positions.length; ++i) {
                uint256 word = positions[i];
                if (word.underlyingOf() != underlyingId) {
                    revert RiskEngine__WrongUnderlying(word.underlyingOf(), underlyingId);
                }
                if (word.kindOf() == PositionWord.PERP) continue;
                uint256 j = _find(expiries, count, word.expiryOf());
                if (j == count) expiries[count++] = uint40(word.expiryOf());
                at[i] = j;
            }
            assembly ("memory-safe") {
                // Shorten the array to what was found; equivalent: copy the first `count` elements.
                mstore(expiries, count)
            }
        }
    }

    /// @dev Place of an expiry among the first `count`, or `count`.
    function _find(uint40[] memory expiries, uint256 count, uint256 expiryTs) private pure returns (uint256 j) {
        assembly ("memory-safe") {
            // Equivalent: while (j < count && expiries[j] != expiryTs) ++j.
            let first := add(expiries, 0x20)
            let end := add(first, shl(5, count))
            let at := first
            for {} lt(at, end) { at := add(at, 0x20) } {
                if eq(mload(at), expiryTs) { break }
            }
            j := shr(5, sub(at, first))
        }
    }

    function _addLinear(Pass memory p, uint256 i, uint256 word) private pure {
        int256 q = word.quantityOf();
        int256 entryWad = word.priceE8Of() * Units.E8_TO_WAD;
        p.grossUnits += WadMath.abs(q);
        if (word.kindOf() == PositionWord.PERP) {
            int256 priceWad = int256(p.perpWad);
            int256 cashWad = WadMath.mulWadDown(q, priceWad);
            p.mark += WadMath.mulWadDown(q, priceWad - entryWad);
            p.linearCash += cashWad;
            p.perpCash += cashWad;
            p.greeks.delta += q * 1e18;
            return;
        }
        OptionKernel.Expiry memory e = p.expiries[p.expiryAt[i]];
        int256 presentCash = WadMath.mulWadDown(q, e.presentWad);
        p.mark += presentCash - ((WadMath.mulWadUp(q, entryWad) * e.discountQ64) >> 64);
        p.linearCash += presentCash;
        e.deltaCash += presentCash << 60;
        int256 delta = (q * e.discountQ64 * 1e18) >> 64;
        p.greeks.delta += delta;
        if (p.detailed) p.greeksAt[p.expiryAt[i]].deltaWad += delta;
    }

    function _addOption(Pass memory p, OptionKernel.Expiry memory e, uint256 word) private pure {
        unchecked {
            // Unchecked: quantities are below 2**127, prices below 2**106, the discount below 2**72: cash at stake
            // is below 2**175 and its sums over 128 positions in Q60 stay within int256; see ScenarioGrid.
            OptionKernel.Option memory o = p.option;
            int256 q = word.quantityOf();
            OptionKernel.open(o, e, uint256(word.priceE8Of() * Units.E8_TO_WAD), p.book.params.volFloorWad);
            int256 forwardCash = WadMath.quotient(q * e.presentWad, 1e18);
            int256 strikeCash = WadMath.quotient(q * ((o.strikeWad * e.discountQ64) >> 64), 1e18);
            int256 z = OptionKernel.positionOf(o);
            int256 delta = NormalCdf.cdf(p.table, z);
            if (word.kindOf() == PositionWord.PUT) {
                p.mark += strikeCash - forwardCash;
                delta -= 1 << 60;
                p.linearCash -= forwardCash;
            }
            e.deltaCash += forwardCash * delta;
            uint256 std = o.stdQ64;
            int256 phi = std == 0 ? int256(0) : OptionKernel.density(z);
            int256 densityCash = forwardCash * phi;
            e.densityCash += densityCash;
            e.vegaCash += (densityCash >> 60) * int256(std);
            uint256 size = WadMath.abs(q);
            p.grossUnits += size;
            if (q < 0) p.shortUnits += size;
            p.padSquared += int256(size) * (2 * int256(e.forwardWad) + o.strikeWad) + PAD_WEI * 1e18;
            if (p.detailed) _addGreeks(p, e, word, delta, phi);
            OptionKernel.openSkews(o, e, p.book.plan);
            // Last: nothing but the pass itself has to be kept beside the walk's many variables.
            ScenarioGrid.walk(p.grid, forwardCash, strikeCash);
        }
    }

    function _addGreeks(Pass memory p, OptionKernel.Expiry memory e, uint256 word, int256 delta, int256 phi)
        private
        pure
    {
        int256 q = word.quantityOf();
        int256 priceWad =
            OptionKernel.price(p.option, e, word.kindOf() == PositionWord.CALL, p.table);
        (int256 gammaWad, int256 thetaWad) = OptionKernel.slowGreeks(e, p.option, phi, priceWad);
        delta = q * ((delta * e.discountQ64 * 1e18) >> 124);
        p.greeks.delta += delta;
        p.greeks.gamma += q * gammaWad;
        p.greeks.theta += q * thetaWad;
        ExpiryGreeks memory g = p.greeksAt[_indexOf(p.expiries, e.expiryTs)];
        g.deltaWad += delta;
        g.gammaWad += q * gammaWad;
        g.thetaWad += q * thetaWad;
    }

    /// @dev Rounds the sums; what no expiry has of delta is of perpetuals and linked collateral.
    function _greeksByExpiry(Pass memory p) private pure returns (ExpiryGreeks[] memory out) {
        out = new ExpiryGreeks[](p.greeksAt.length + 1);
        int256 delta = p.greeks.delta;
        for (uint256 i; i < p.greeksAt.length; ++i) {
            ExpiryGreeks memory g = p.greeksAt[i];
            OptionKernel.Expiry memory e = p.expiries[i];
            delta -= g.deltaWad;
            out[i + 1] = ExpiryGreeks(
                uint40(e.expiryTs),
                WadMath.divDown(g.deltaWad, 1e18),
                WadMath.divDown(g.gammaWad, 1e18),
                _vegaCash(e),
                WadMath.divDown(g.thetaWad, 1e18)
            );
        }
        out[0].deltaWad = WadMath.divDown(delta, 1e18);
    }

    function _indexOf(OptionKernel.Expiry[] memory expiries, uint256 expiryTs) private pure returns (uint256 i) {
        while (expiries[i].expiryTs != expiryTs) ++i;
    }

    /// @dev Cash vega per 1.00 of vol of all options of an expiry, wad.
    function _vegaCash(OptionKernel.Expiry memory e) private pure returns (int256) {
        return ((e.densityCash >> 60) * int256(e.rootTimeQ64)) >> 64;
    }

    function _requirement(Pass memory p, uint8 underlyingId, UnderlyingRisk memory r) private pure {
        IScenarioBook.UnderlyingParams memory params = p.book.params;
        r.underlyingId = underlyingId;
        _scan(p, r);
        int256 netCash;
        int256 vegaCash;
        (r.basisWad, r.vegaTermWad, netCash, vegaCash) = _term(p, params);
        unchecked {
            // Unchecked: every part is a sum over at most 128 positions and stays below 2**200.
            p.greeks.vega = vegaCash * 1e18;
            netCash += p.perpCash + p.linkedCash;
            uint256 shortCash = FixedPointMathLib.mulWadUp(p.shortUnits, p.spotWad);
            r.shortMinWad = FixedPointMathLib.mulWadUp(shortCash, params.shortMinRateWad);
            r.concentrationWad = _quadratic(WadMath.abs(netCash), params.n0Wad, params.concRateWad)
                + _quadratic(WadMath.abs(vegaCash), params.v0Wad, params.concVegaRateWad);
            uint256 sum = r.certifiedScanWad + r.basisWad + r.vegaTermWad;
            r.requirementWad = (sum > r.shortMinWad ? sum : r.shortMinWad) + r.concentrationWad;
            // At the unshocked node every option is worth its call.
            r.markWad = p.mark + (ScenarioGrid.cashOf(p.grid.baseNode) >> 60);
        }
        r.grossNotionalWad = FixedPointMathLib.mulWadUp(p.grossUnits, p.spotWad);
        r.confWad = p.confWad;
    }

    /// @dev Worst row, and the worst interval where long options may lie below their chords.
    function _scan(Pass memory p, UnderlyingRisk memory r) private pure {
        ScenarioGrid.Outcome memory out = ScenarioGrid.outcome(p.grid, p.linearCash);
        // Fields of a node's tag, ScenarioGrid.Grid.
        r.worstRow = out.worstTag & 0xff;
        r.worstMoveWad = int256(out.worstTag) >> 40;
        int256 loss = -out.lowest;
        int256 certified = out.intervalLoss > loss ? out.intervalLoss : loss;
        r.scanWad = _toWei(loss);
        r.padWad = FixedPointMathLib.mulWadUp(_ceil(uint256(p.padSquared)), uint256(PAD_WAD));
        r.certifiedScanWad = _toWei(certified) + r.padWad;
    }

    /// @dev A loss in Q60 wei, rounded up; 0 for a profit.
    function _toWei(int256 loss) private pure returns (uint256) {
        unchecked {
            // Unchecked: a sum over at most 128 positions, below 2**254.
            return loss > 0 ? (uint256(loss) + (1 << 60) - 1) >> 60 : 0;
        }
    }

    /// @dev What depends on the term structure: basis, vega term, and the sums that concentration needs.
    function _term(Pass memory p, IScenarioBook.UnderlyingParams memory params)
        private
        pure
        returns (uint256 basisWad, uint256 vegaTermWad, int256 netCash, int256 vegaCash)
    {
        uint256 gross;
        int256 net;
        unchecked {
            // Unchecked: at most 128 sums of cash, each below 2**240 before it is divided; rates at most 1 wad.
            for (uint256 i; i < p.expiries.length; ++i) {
                OptionKernel.Expiry memory e = p.expiries[i];
                int256 deltaCash = e.deltaCash >> 60;
                basisWad += FixedPointMathLib.mulWadUp(_magnitude(deltaCash), _basisRate(e.timeSec, params));
                netCash += deltaCash;
                vegaCash += _vegaCash(e);
                int256 shocked = WadMath.mulWadDown(e.vegaCash >> 64, int256(e.upWad) - 1e18);
                gross += WadMath.abs(shocked);
                net += shocked;
            }
            basisWad += FixedPointMathLib.mulWadUp(_magnitude(p.perpCash), params.perpBasisWad);
            // Two wei for every rounded part.
            gross += 2 * p.expiries.length;
            vegaTermWad = FixedPointMathLib.mulWadUp(gross - WadMath.abs(net), params.vegaTermRateWad);
        }
    }

    /// @dev max(basisMin, exp(basisRate*T) - 1).
    function _basisRate(uint256 timeSec, IScenarioBook.UnderlyingParams memory params) private pure returns (uint256) {
        unchecked {
            // Unchecked: the rate is at most 1 wad, the time below 2**40 seconds.
            uint256 growthWad = (params.basisRateWad * timeSec) / Units.YEAR_SEC;
            uint256 rateWad = Exp.expWad(int256(growthWad)) - 1e18;
            return rateWad > params.basisMinWad ? rateWad : params.basisMinWad;
        }
    }

    /// @dev Size of a sum that was rounded down by at most a wei.
    function _magnitude(int256 value) private pure returns (uint256) {
        return value == 0 ? 0 : WadMath.abs(value) + 1;
    }

    /// @dev From wad squared, rounded up.
    function _ceil(uint256 value) private pure returns (uint256) {
        return FixedPointMathLib.divUp(value, 1e18);
    }

    /// @dev rate*max(0, size - free)^2/free, rounded up.
    function _quadratic(uint256 sizeWad, uint256 freeWad, uint256 rateWad) private pure returns (uint256) {
        if (sizeWad <= freeWad) return 0;
        uint256 over = sizeWad - freeWad;
        return FixedPointMathLib.mulWadUp(FixedPointMathLib.fullMulDivUp(over, over, freeWad), rateWad);
    }

    function _standardPosition(Pass memory p, uint256 i, uint256 word, StandardRisk memory s) private pure {
        int256 q = word.quantityOf();
        uint256 size = WadMath.abs(q);
        s.grossNotionalWad += size;
        if (!word.isOption()) {
            _standardLinear(p, i, word, q, s);
            return;
        }
        OptionKernel.Expiry memory e = p.expiries[p.expiryAt[i]];
        uint256 strikeWad = uint256(word.priceE8Of() * Units.E8_TO_WAD);
        bool isCall = word.kindOf() == PositionWord.CALL;
        OptionKernel.Option memory o = p.option;
        OptionKernel.open(o, e, strikeWad, p.book.params.volFloorWad);
        int256 priceWad = OptionKernel.price(o, e, isCall, p.table);
        int256 value = WadMath.mulWadDown(q, priceWad);
        s.markWad += value;
        if (q > 0) return;
        s.equityValueWad += value;
        (uint256 im, uint256 mm) =
            StandardMath.shortOption(isCall, p.spotWad, strikeWad, uint256(priceWad));
        s.initialWad += FixedPointMathLib.mulWadUp(size, im);
        s.maintenanceWad += FixedPointMathLib.mulWadUp(size, mm);
    }

    function _standardLinear(Pass memory p, uint256 i, uint256 word, int256 q, StandardRisk memory s) private pure {
        int256 entryWad = word.priceE8Of() * Units.E8_TO_WAD;
        uint256 priceWad = p.perpWad;
        int256 discountQ64 = 1 << 64;
        if (word.kindOf() == PositionWord.FUTURE) {
            OptionKernel.Expiry memory e = p.expiries[p.expiryAt[i]];
            priceWad = e.forwardWad;
            discountQ64 = e.discountQ64;
        }
        int256 value = WadMath.divDown((q * (int256(priceWad) - entryWad) * discountQ64) >> 64, 1e18);
        s.markWad += value;
        s.equityValueWad += value;
        (uint256 im, uint256 mm) = StandardMath.linear(priceWad);
        s.initialWad += FixedPointMathLib.mulWadUp(WadMath.abs(q), im);
        s.maintenanceWad += FixedPointMathLib.mulWadUp(WadMath.abs(q), mm);
    }
}
