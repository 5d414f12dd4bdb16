// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {AccountWord} from "../libraries/AccountWord.sol";
import {MarginMath} from "../libraries/MarginMath.sol";
import {PositionWord} from "../libraries/PositionWord.sol";
import {SnapshotMath} from "../libraries/SnapshotMath.sol";
import {Units} from "../libraries/Units.sol";

/// @title MarginEngine
/// @notice See IMarginEngine.
contract MarginEngine is IMarginEngine {
    using PositionWord for uint256;

    uint256 private constant CASH_TOKEN = 0;
    uint8 private constant STANDARD = uint8(IAccounts.Mode.STANDARD);
    uint8 private constant CROSS = uint8(IAccounts.Mode.CROSS);

    IAccounts private immutable ACCOUNTS;
    IOracle private immutable ORACLE;
    IScenarioBook private immutable BOOK;
    IRiskEngine private immutable RISK;

    /// @dev Working memory: parameters, underlyings touched, their positions and linked collateral, sums over them.
    struct Work {
        /// @dev Account parameters, see AccountWord.
        uint256 params;
        IScenarioBook.CollateralParams[] collateral;
        uint8[] underlyings;
        uint256[][] positions;
        int256[] linkedUnitsWad;
        uint256 confChargeWad;
        uint256 standardInitialWad;
        uint256 standardMaintenanceWad;
        int256 collateralWad;
        int256 collateralMarketWad;
        int256 countedWad;
    }

    constructor(IAccounts accounts, IOracle oracle, IScenarioBook book, IRiskEngine risk) {
        ACCOUNTS = accounts;
        ORACLE = oracle;
        BOOK = book;
        RISK = risk;
    }

    /// @inheritdoc IMarginEngine
    function evaluate(IAccounts.Snapshot calldata snapshot)
        external
        view
        override
        returns (MarginState memory margin)
    {
        _evaluate(margin, snapshot, false);
    }

    /// @inheritdoc IMarginEngine
    function evaluateDetailed(IAccounts.Snapshot calldata snapshot)
        external
        view
        override
        returns (MarginState memory margin, IRiskEngine.UnderlyingDetail[] memory details)
    {
        details = _evaluate(margin, snapshot, true);
    }

    /// @inheritdoc IMarginEngine
    function marginOf(uint256 accountId) external view override returns (MarginState memory margin) {
        _evaluate(margin, ACCOUNTS.snapshotOf(accountId), false);
    }

    /// @inheritdoc IMarginEngine
    function auctionMarginOf(uint256 accountId) external view override returns (MarginState memory margin) {
        _evaluate(margin, ACCOUNTS.snapshotOf(accountId), false);
    }

    /// @inheritdoc IMarginEngine
    function preview(uint256 accountId, Changes calldata changes)
        external
        view
        override
        returns (
            MarginState memory before_,
            MarginState memory after_,
            IRiskEngine.UnderlyingDetail[] memory detailsBefore,
            IRiskEngine.UnderlyingDetail[] memory detailsAfter
        )
    {
        IAccounts.Snapshot memory snapshot = ACCOUNTS.snapshotOf(accountId);
        // Through the external interface: the evaluation exists once in the code, which has to stay deployable.
        (before_, detailsBefore) = this.evaluateDetailed(snapshot);
        (after_, detailsAfter) = this.evaluateDetailed(SnapshotMath.applied(snapshot, changes));
    }

    /// @inheritdoc IMarginEngine
    function requireCollateral(uint256 tokenId) external view override {
        BOOK.collateralOf(tokenId);
        if (ORACLE.tokenPriceTsOf(tokenId) == 0) revert IOracle.Oracle__NoTokenPrice(tokenId);
    }

    /// @inheritdoc IMarginEngine
    function enforce(uint256 accountId, IAccounts.Snapshot calldata before_) external view override {
        IAccounts.Snapshot memory snapshot = ACCOUNTS.snapshotOf(accountId);
        if (snapshot.positions.length == 0 && snapshot.cashWad >= 0) return;
        MarginState memory now_;
        _evaluate(now_, snapshot, false);
        if (now_.equityWad >= int256(now_.initialWad)) return;
        // Only a failing account pays for the second evaluation.
        MarginState memory then_;
        _evaluate(then_, before_, false);
        int256 excessNow = now_.equityWad - int256(now_.initialWad);
        int256 excessThen = then_.equityWad - int256(then_.initialWad);
        // Margin set free does not pay for a new hole: no action of its own may open or deepen an insolvency.
        bool deepens = now_.marketEquityWad < 0 && now_.marketEquityWad < then_.marketEquityWad;
        if (deepens || excessNow < excessThen) {
            revert MarginEngine__BelowInitial(now_.equityWad, now_.initialWad);
        }
    }

    function _evaluate(MarginState memory m, IAccounts.Snapshot memory s, bool detailed)
        private
        view
        returns (IRiskEngine.UnderlyingDetail[] memory details)
    {
        if (s.mode > CROSS) revert MarginEngine__UnknownMode(s.mode, CROSS);
        if (s.tokenIds.length != s.amountsWad.length) {
            revert MarginEngine__BadLength(s.amountsWad.length, s.tokenIds.length);
        }
        if (s.positions.length > Units.MAX_POSITIONS) {
            revert MarginEngine__TooManyPositions(s.positions.length, Units.MAX_POSITIONS);
        }
        Work memory w;
        w.params = BOOK.accountWord();
        _group(w, s);
        _collateral(w, s);
        uint256 n = w.underlyings.length;
        if (detailed || s.mode != STANDARD) m.underlyings = _createRisks(n);
        if (detailed) details = new IRiskEngine.UnderlyingDetail[](n);
        for (uint256 i; i < n; ++i) {
            (uint8 id, uint256[] memory positions) = (w.underlyings[i], w.positions[i]);
            if (detailed) {
                (m.underlyings[i], details[i]) = RISK.detailOf(id, positions, w.linkedUnitsWad[i]);
            } else if (s.mode != STANDARD) {
                m.underlyings[i] = RISK.riskOf(id, positions, w.linkedUnitsWad[i]);
            }
            if (s.mode == STANDARD) _addStandard(w, m, RISK.standardOf(id, positions));
            else _addNetted(w, m, m.underlyings[i]);
        }
        _total(w, m, s);
    }

    function _createRisks(uint256 n) private pure returns (IRiskEngine.UnderlyingRisk[] memory risks) {
        assembly ("memory-safe") {
            // Equivalent: risks = new UnderlyingRisk[](n), without structs of zeros: every element is assigned.
            risks := mload(0x40)
            mstore(risks, n)
            mstore(0x40, add(add(risks, 0x20), shl(5, n)))
        }
    }

    function _addStandard(Work memory w, MarginState memory m, IRiskEngine.StandardRisk memory r) private pure {
        unchecked {
            // Unchecked: sums over at most 128 positions, each below 2**235.
            w.standardInitialWad += r.initialWad;
            w.standardMaintenanceWad += r.maintenanceWad;
            w.countedWad += r.equityValueWad;
            m.markToMarketWad += r.markWad;
            w.confChargeWad += MarginMath.confCharge(r.confWad, r.grossNotionalWad, w.params);
        }
    }

    function _addNetted(Work memory w, MarginState memory m, IRiskEngine.UnderlyingRisk memory r) private pure {
        unchecked {
            // Unchecked: sums over at most 128 positions, each below 2**235.
            w.countedWad += r.markWad;
            m.markToMarketWad += r.markWad;
            w.confChargeWad += MarginMath.confCharge(r.confWad, r.grossNotionalWad, w.params);
        }
    }

    /// @dev Sections 5 and 6: requirement by mode, charges, equity, state.
    function _total(Work memory w, MarginState memory m, IAccounts.Snapshot memory s) private view {
        m.equityWad = s.cashWad + w.countedWad + w.collateralWad;
        m.marketEquityWad = s.cashWad + m.markToMarketWad + w.collateralMarketWad;
        uint256 initialWad = w.standardInitialWad;
        m.maintenanceWad = w.standardMaintenanceWad;
        if (s.mode != STANDARD) {
            uint256 requirementWad =
                s.mode == CROSS ? MarginMath.cross(m.underlyings, w.params) : MarginMath.sum(m.underlyings);
            initialWad = FixedPointMathLib.mulWadUp(requirementWad, AccountWord.imFactorOf(w.params));
            m.maintenanceWad = FixedPointMathLib.mulWadUp(requirementWad, AccountWord.mmFactorOf(w.params));
        }
        if (w.underlyings.length != 0) {
            uint256 pegWad = MarginMath.pegFactor(ORACLE.tokenPriceOf(CASH_TOKEN), w.params);
            initialWad = FixedPointMathLib.mulWadUp(initialWad, pegWad);
        }
        m.initialWad = initialWad + w.confChargeWad;
        m.state = MarginMath.stateOf(m.equityWad, m.marketEquityWad, m.initialWad, m.maintenanceWad);
    }

    /// @dev Values collateral; in netted modes a linked token carries the smaller haircut and enters the scan.
    function _collateral(Work memory w, IAccounts.Snapshot memory s) private view {
        for (uint256 i; i < s.tokenIds.length; ++i) {
            IScenarioBook.CollateralParams memory c = w.collateral[i];
            uint256 valueWad = FixedPointMathLib.mulWad(s.amountsWad[i], ORACLE.tokenPriceOf(s.tokenIds[i]));
            bool netted = c.linkedUnderlying != 0 && s.mode != STANDARD;
            uint256 haircutWad = netted ? c.linkedHaircutWad : c.haircutWad;
            w.collateralWad += int256(FixedPointMathLib.mulWad(valueWad, 1e18 - haircutWad));
            w.collateralMarketWad += int256(valueWad);
            if (c.linkedUnderlying == 0) continue;
            uint256 at = _find(w.underlyings, w.underlyings.length, c.linkedUnderlying);
            w.linkedUnitsWad[at] += int256(FixedPointMathLib.mulWad(s.amountsWad[i], c.ratioWad));
        }
    }

    /// @dev Splits positions by underlying; underlyings of linked collateral take part with no positions.
    function _group(Work memory w, IAccounts.Snapshot memory s) private view {
        uint256 tokens = s.tokenIds.length;
        w.collateral = new IScenarioBook.CollateralParams[](tokens);
        w.underlyings = new uint8[](s.positions.length + tokens);
        uint256[] memory words = s.positions;
        uint256 n;
        uint256 last;
        for (uint256 i; i < words.length; ++i) {
            // Neighbours mostly share their underlying.
            uint256 id = words[i].underlyingOf();
            if (id == last && n != 0) continue;
            if (_find(w.underlyings, n, uint8(id)) == n) w.underlyings[n++] = uint8(id);
            last = id;
        }
        for (uint256 i; i < tokens; ++i) {
            w.collateral[i] = BOOK.collateralOf(s.tokenIds[i]);
            uint8 id = w.collateral[i].linkedUnderlying;
            if (id != 0 && _find(w.underlyings, n, id) == n) w.underlyings[n++] = id;
        }
        uint8[] memory found = w.underlyings;
        assembly ("memory-safe") {
            // Shorten the array to what was found; equivalent: copy the first n elements.
            mstore(found, n)
        }
        w.linkedUnitsWad = new int256[](n);
        w.positions = new uint256[][](n);
        for (uint256 k; k < n; ++k) {
            // One underlying is the usual case: its positions are all.
            w.positions[k] = n == 1 ? words : _select(words, found[k]);
        }
    }

    function _select(uint256[] memory words, uint8 id) private pure returns (uint256[] memory out) {
        out = new uint256[](words.length);
        uint256 n;
        for (uint256 i; i < words.length; ++i) {
            if (words[i].underlyingOf() == id) out[n++] = words[i];
        }
        assembly ("memory-safe") {
            // Shorten the array to what was found; equivalent: copy the first n elements.
            mstore(out, n)
        }
    }

    /// @dev Place of an underlying among the first `count`, or `count`.
    function _find(uint8[] memory ids, uint256 count, uint8 id) private pure returns (uint256 i) {
        while (i < count && ids[i] != id) ++i;
    }
}
