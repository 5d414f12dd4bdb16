// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {BookCode} from "../libraries/BookCode.sol";
import {NormalCdf} from "../libraries/NormalCdf.sol";
import {OptionKernel} from "../libraries/OptionKernel.sol";
import {PositionWord} from "../libraries/PositionWord.sol";
import {ScenarioGrid} from "../libraries/ScenarioGrid.sol";
import {ScenarioRow} from "../libraries/ScenarioRow.sol";
import {StandardMath} from "../libraries/StandardMath.sol";
import {Units} from "../libraries/Units.sol";
import {WadMath} from "../libraries/WadMath.sol";

/// @title RiskEngine
/// @notice See IRiskEngine.
/// @dev One pass: every option is opened once, walked through all rows, and leaves only sums behind.
contract RiskEngine is IRiskEngine {
    using PositionWord for uint256;
    using ScenarioRow for uint256;

    /// @dev Upward pad per unit of |q|*(2F + K): more than the table's error in two nodes and a gap together
    /// (3e-10*F, docs/mathematics.md), so that the requirement is never below the exact one.
    int256 private constant PAD_WAD = 4e8;

    IScenarioBook private immutable BOOK;
    IOracle private immutable ORACLE;
    address private immutable NORMAL_TABLE;

    /// @dev Working memory of one pass. Products of a quantity and a price stay in wad squared until the end.
    struct Pass {
        IScenarioBook.Book book;
        IOracle.Header header;
        OptionKernel.Expiry[] expiries;
        OptionKernel.Option option;
        ScenarioGrid.Grid grid;
        int256[] netCashDelta;
        int256[] shockedVega;
        /// @dev What a relative move of 1 earns on everything linear, puts' forwards included.
        int256 linearCash;
        int256[] pnl;
        int256 perpCash;
        int256 linkedCash;
        int256 mark;
        int256 pad;
        uint256 shortUnits;
        uint256 grossUnits;
        int256 delta;
        int256 gamma;
        int256 vega;
        int256 theta;
        /// @dev Per expiry of the round, wad squared; empty unless detailed.
        ExpiryGreeks[] greeks;
        bool detailed;
    }

    constructor(IScenarioBook book, IOracle oracle, address normalTable) {
        BOOK = book;
        ORACLE = oracle;
        NORMAL_TABLE = normalTable;
    }

    /// @inheritdoc IRiskEngine
    function riskOf(uint8 underlyingId, uint256[] calldata positions, int256 linkedUnitsWad)
        external
        view
        override
        returns (UnderlyingRisk memory risk)
    {
        Pass memory p = _run(underlyingId, positions, linkedUnitsWad, false);
        risk = _requirement(p, underlyingId);
    }

    /// @inheritdoc IRiskEngine
    function detailOf(uint8 underlyingId, uint256[] calldata positions, int256 linkedUnitsWad)
        external
        view
        override
        returns (UnderlyingRisk memory risk, UnderlyingDetail memory detail)
    {
        Pass memory p = _run(underlyingId, positions, linkedUnitsWad, true);
        risk = _requirement(p, underlyingId);
        detail = UnderlyingDetail(
            p.pnl,
            WadMath.divDown(p.delta, 1e18),
            WadMath.divDown(p.gamma, 1e18),
            WadMath.divDown(p.vega, 1e18),
            WadMath.divDown(p.theta, 1e18),
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
        Pass memory p = _open(underlyingId, positions, false);
        for (uint256 i; i < positions.length; ++i) {
            _standardPosition(p, positions[i], standard);
        }
        standard.grossNotionalWad = FixedPointMathLib.mulWadUp(standard.grossNotionalWad, p.header.spotWad);
        standard.confWad = p.header.confWad;
    }

    function _run(uint8 underlyingId, uint256[] calldata positions, int256 linkedUnitsWad, bool detailed)
        private
        view
        returns (Pass memory p)
    {
        p = _open(underlyingId, positions, true);
        p.detailed = detailed;
        if (detailed) p.greeks = new ExpiryGreeks[](p.expiries.length);
        p.netCashDelta = new int256[](p.expiries.length);
        p.shockedVega = new int256[](p.expiries.length);
        for (uint256 i; i < positions.length; ++i) {
            uint256 word = positions[i];
            if (word.isOption()) _addOption(p, word);
            else _addLinear(p, word);
        }
        p.delta += linkedUnitsWad * 1e18;
        p.linkedCash = linkedUnitsWad * int256(p.header.spotWad);
        p.linearCash += p.linkedCash;
        p.pnl = ScenarioGrid.profits(p.grid, p.book.rows, p.linearCash);
    }

    /// @dev Reads the book, the table and the round for the expiries that the positions name.
    function _open(uint8 underlyingId, uint256[] calldata positions, bool shocked)
        private
        view
        returns (Pass memory p)
    {
        uint40[] memory wanted = _expiriesOf(underlyingId, positions);
        p.book = BookCode.load(BOOK.bookPointerOf(underlyingId));
        uint256[] memory none;
        ScenarioGrid.create(
            p.grid,
            shocked ? p.book.rows : none,
            shocked ? p.book.intervals : none,
            NormalCdf.load(NORMAL_TABLE)
        );
        IOracle.Surface[] memory surfaces;
        (p.header, surfaces) = ORACLE.roundFor(underlyingId, wanted);
        p.expiries = new OptionKernel.Expiry[](surfaces.length);
        for (uint256 i; i < surfaces.length; ++i) {
            p.expiries[i] = OptionKernel.prepare(
                surfaces[i], p.header.ts, p.book.params.volUpWad, p.book.params.volDownWad
            );
        }
    }

    function _expiriesOf(uint8 underlyingId, uint256[] calldata positions)
        private
        pure
        returns (uint40[] memory expiries)
    {
        expiries = new uint40[](positions.length);
        uint256 count;
        for (uint256 i; i < positions.length; ++i) {
            uint256 word = positions[i];
            if (word.underlyingOf() != underlyingId) {
                revert RiskEngine__WrongUnderlying(word.underlyingOf(), underlyingId);
            }
            if (word.kindOf() == PositionWord.PERP) continue;
            uint40 expiryTs = uint40(word.expiryOf());
            uint256 j;
            while (j < count && expiries[j] != expiryTs) ++j;
            if (j == count) expiries[count++] = expiryTs;
        }
        assembly ("memory-safe") {
            // Shorten the array to what was found; equivalent: copy the first `count` elements.
            mstore(expiries, count)
        }
    }

    function _expiryIndex(Pass memory p, uint256 expiryTs) private pure returns (uint256 i) {
        OptionKernel.Expiry[] memory expiries = p.expiries;
        while (expiries[i].expiryTs != expiryTs) ++i;
    }

    function _addLinear(Pass memory p, uint256 word) private pure {
        int256 q = word.quantityOf();
        int256 entryWad = word.priceE8Of() * Units.E8_TO_WAD;
        p.grossUnits += WadMath.abs(q);
        if (word.kindOf() == PositionWord.PERP) {
            int256 priceWad = int256(p.header.perpWad);
            p.mark += q * (priceWad - entryWad);
            p.linearCash += q * priceWad;
            p.perpCash += q * priceWad;
            p.delta += q * 1e18;
            return;
        }
        uint256 i = _expiryIndex(p, word.expiryOf());
        OptionKernel.Expiry memory e = p.expiries[i];
        int256 forwardWad = int256(e.forwardWad);
        int256 cash = (q * forwardWad * e.discountQ64) >> 64;
        p.mark += (q * (forwardWad - entryWad) * e.discountQ64) >> 64;
        p.linearCash += cash;
        p.netCashDelta[i] += cash;
        int256 delta = (q * e.discountQ64 * 1e18) >> 64;
        p.delta += delta;
        if (p.detailed) p.greeks[i].deltaWad += delta;
    }

    function _addOption(Pass memory p, uint256 word) private pure {
        uint256 i = _expiryIndex(p, word.expiryOf());
        OptionKernel.Expiry memory e = p.expiries[i];
        OptionKernel.Option memory o = p.option;
        int256 q = word.quantityOf();
        bool isCall = word.kindOf() == PositionWord.CALL;
        OptionKernel.open(o, e, uint256(word.priceE8Of() * Units.E8_TO_WAD), p.book.params.volFloorWad);
        unchecked {
            // Unchecked: see ScenarioGrid.
            int256 forwardWad = int256(e.forwardWad);
            int256 discounted = (q * e.discountQ64) >> 64;
            if (!isCall) p.linearCash -= discounted * forwardWad;
            ScenarioGrid.walk(p.grid, o, forwardWad, discounted);
            if (q > 0) ScenarioGrid.addGaps(p.grid, forwardWad, discounted);
        }
        (int256 callWad, int256 n1) = ScenarioGrid.unshocked(p.grid);
        OptionKernel.settle(o, e, isCall, callWad, n1);
        _addUnshocked(p, e, o, i, q);
    }

    /// @dev Everything that is summed at the unshocked point.
    function _addUnshocked(
        Pass memory p,
        OptionKernel.Expiry memory e,
        OptionKernel.Option memory o,
        uint256 i,
        int256 q
    ) private pure {
        unchecked {
            // Unchecked: quantities are below 2**127, prices and vegas below 2**106, at most 128 terms.
            uint256 size = WadMath.abs(q);
            p.grossUnits += size;
            if (q < 0) p.shortUnits += size;
            p.mark += q * o.priceWad;
            p.pad += (int256(size) * (2 * int256(e.forwardWad) + o.strikeWad)) / 1e18;
            p.netCashDelta[i] += q * ((o.deltaWad * int256(e.forwardWad)) / 1e18);
            int256 vegaWad = OptionKernel.vega(e, o);
            p.vega += q * vegaWad;
            int256 shockWad = int256(e.upWad) - 1e18;
            p.shockedVega[i] += q * ((((vegaWad * int256(o.sigmaWad)) / 1e18) * shockWad) / 1e18);
            p.delta += q * o.deltaWad;
            if (!p.detailed) return;
            (int256 gammaWad, int256 thetaWad) = OptionKernel.slowGreeks(e, o, vegaWad);
            p.gamma += q * gammaWad;
            p.theta += q * thetaWad;
            ExpiryGreeks memory g = p.greeks[i];
            g.deltaWad += q * o.deltaWad;
            g.gammaWad += q * gammaWad;
            g.vegaWad += q * vegaWad;
            g.thetaWad += q * thetaWad;
        }
    }

    /// @dev Rounds the sums; what no expiry has of delta is of perpetuals and linked collateral.
    function _greeksByExpiry(Pass memory p) private pure returns (ExpiryGreeks[] memory out) {
        out = new ExpiryGreeks[](p.greeks.length + 1);
        int256 delta = p.delta;
        for (uint256 i; i < p.greeks.length; ++i) {
            ExpiryGreeks memory g = p.greeks[i];
            delta -= g.deltaWad;
            out[i + 1] = ExpiryGreeks(
                uint40(p.expiries[i].expiryTs),
                WadMath.divDown(g.deltaWad, 1e18),
                WadMath.divDown(g.gammaWad, 1e18),
                WadMath.divDown(g.vegaWad, 1e18),
                WadMath.divDown(g.thetaWad, 1e18)
            );
        }
        out[0].deltaWad = WadMath.divDown(delta, 1e18);
    }

    function _requirement(Pass memory p, uint8 underlyingId) private pure returns (UnderlyingRisk memory r) {
        IScenarioBook.UnderlyingParams memory params = p.book.params;
        r.underlyingId = underlyingId;
        _scan(p, r);
        r.basisWad = _basis(p, params);
        r.vegaTermWad = _vegaTerm(p, params);
        uint256 shortCash = FixedPointMathLib.mulWadUp(p.shortUnits, p.header.spotWad);
        r.shortMinWad = FixedPointMathLib.mulWadUp(shortCash, params.shortMinRateWad);
        r.concentrationWad = _concentration(p, params);
        uint256 sum = r.certifiedScanWad + r.basisWad + r.vegaTermWad;
        r.requirementWad = (sum > r.shortMinWad ? sum : r.shortMinWad) + r.concentrationWad;
        r.markWad = WadMath.divDown(p.mark, 1e18);
        r.grossNotionalWad = FixedPointMathLib.mulWadUp(p.grossUnits, p.header.spotWad);
        r.confWad = p.header.confWad;
    }

    /// @dev Worst row, and the worst interval where long options may lie below their chords.
    function _scan(Pass memory p, UnderlyingRisk memory r) private pure {
        int256[] memory pnl = p.pnl;
        uint256 worst;
        int256 lowest = pnl[0];
        unchecked {
            for (uint256 j = 1; j < pnl.length; ++j) {
                int256 value = pnl[j];
                if (value < lowest) (worst, lowest) = (j, value);
            }
        }
        r.worstRow = worst;
        r.worstMoveWad = p.book.rows[worst].moveOf();
        int256 loss = -lowest;
        int256 certified = ScenarioGrid.intervalLoss(p.grid, p.book.intervals, pnl);
        if (certified < loss) certified = loss;
        r.scanWad = loss > 0 ? uint256(loss) : 0;
        certified = certified > 0 ? certified : int256(0);
        r.padWad = uint256(WadMath.divUp(p.pad * PAD_WAD, 1e18));
        r.certifiedScanWad = uint256(certified) + r.padWad;
    }

    function _basis(Pass memory p, IScenarioBook.UnderlyingParams memory params) private pure returns (uint256 sum) {
        for (uint256 i; i < p.expiries.length; ++i) {
            int256 growthWad = (int256(params.basisRateWad) * int256(p.expiries[i].timeSec)) / int256(Units.YEAR_SEC);
            uint256 rateWad = uint256(FixedPointMathLib.expWad(growthWad) - 1e18);
            if (rateWad < params.basisMinWad) rateWad = params.basisMinWad;
            sum += FixedPointMathLib.mulWadUp(_ceil(WadMath.abs(p.netCashDelta[i])), rateWad);
        }
        sum += FixedPointMathLib.mulWadUp(_ceil(WadMath.abs(p.perpCash)), params.perpBasisWad);
    }

    function _vegaTerm(Pass memory p, IScenarioBook.UnderlyingParams memory params) private pure returns (uint256) {
        uint256 gross;
        int256 net;
        for (uint256 i; i < p.shockedVega.length; ++i) {
            gross += WadMath.abs(p.shockedVega[i]);
            net += p.shockedVega[i];
        }
        return FixedPointMathLib.mulWadUp(_ceil(gross - WadMath.abs(net)), params.vegaTermRateWad);
    }

    function _concentration(Pass memory p, IScenarioBook.UnderlyingParams memory params)
        private
        pure
        returns (uint256)
    {
        int256 net = p.perpCash + p.linkedCash;
        for (uint256 i; i < p.netCashDelta.length; ++i) {
            net += p.netCashDelta[i];
        }
        return _quadratic(_ceil(WadMath.abs(net)), params.n0Wad, params.concRateWad)
            + _quadratic(_ceil(WadMath.abs(p.vega)), params.v0Wad, params.concVegaRateWad);
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

    function _standardPosition(Pass memory p, uint256 word, StandardRisk memory s) private pure {
        int256 q = word.quantityOf();
        uint256 size = WadMath.abs(q);
        s.grossNotionalWad += size;
        if (!word.isOption()) {
            _standardLinear(p, word, q, s);
            return;
        }
        OptionKernel.Expiry memory e = p.expiries[_expiryIndex(p, word.expiryOf())];
        uint256 strikeWad = uint256(word.priceE8Of() * Units.E8_TO_WAD);
        bool isCall = word.kindOf() == PositionWord.CALL;
        OptionKernel.Option memory o = p.option;
        OptionKernel.open(o, e, strikeWad, p.book.params.volFloorWad);
        ScenarioGrid.walk(p.grid, o, int256(e.forwardWad), 0);
        (int256 callWad, int256 n1) = ScenarioGrid.unshocked(p.grid);
        OptionKernel.settle(o, e, isCall, callWad, n1);
        int256 value = WadMath.mulWadDown(q, o.priceWad);
        s.markWad += value;
        if (q > 0) return;
        s.equityValueWad += value;
        (uint256 im, uint256 mm) =
            StandardMath.shortOption(isCall, p.header.spotWad, strikeWad, uint256(o.priceWad));
        s.initialWad += FixedPointMathLib.mulWadUp(size, im);
        s.maintenanceWad += FixedPointMathLib.mulWadUp(size, mm);
    }

    function _standardLinear(Pass memory p, uint256 word, int256 q, StandardRisk memory s) private pure {
        int256 entryWad = word.priceE8Of() * Units.E8_TO_WAD;
        uint256 priceWad = p.header.perpWad;
        int256 discountQ64 = 1 << 64;
        if (word.kindOf() == PositionWord.FUTURE) {
            OptionKernel.Expiry memory e = p.expiries[_expiryIndex(p, word.expiryOf())];
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
