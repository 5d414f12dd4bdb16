// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IGuarantees} from "../../interfaces/IGuarantees.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {IRateFeed} from "../../interfaces/IRateFeed.sol";
import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {ISourceBook} from "../../interfaces/ISourceBook.sol";
import {AccountWord} from "../libraries/AccountWord.sol";
import {BookCode} from "../libraries/BookCode.sol";
import {MarginMath} from "../libraries/MarginMath.sol";
import {PlainCall} from "../libraries/PlainCall.sol";
import {PositionWord} from "../libraries/PositionWord.sol";
import {SnapshotMath} from "../libraries/SnapshotMath.sol";
import {Units} from "../libraries/Units.sol";

/// @title MarginEngine
/// @notice See IMarginEngine.
contract MarginEngine is IMarginEngine {
    using PositionWord for uint256;

    uint256 private constant CASH_TOKEN = 0;
    uint256 private constant WAD = Units.UWAD;
    uint256 private constant STALE_SEC = 24 hours;
    uint8 private constant SINGLE = uint8(IAccounts.Mode.SINGLE);
    uint8 private constant STANDARD = uint8(IAccounts.Mode.STANDARD);
    uint8 private constant CROSS = uint8(IAccounts.Mode.CROSS);

    /// @dev What an evaluation is for, by bits. Details alone take more than numbers; an auction goes on when a token's
    /// price stays out; in the own measure a token counts no more than its source states now.
    uint256 private constant PLAIN = 0;
    uint256 private constant DETAILED = 1;
    uint256 private constant FOR_AUCTION = 2;
    uint256 private constant OWN = 4;

    IAccounts private immutable ACCOUNTS;
    IOracle private immutable ORACLE;
    IScenarioBook private immutable BOOK;
    IRiskEngine private immutable RISK;
    IRateFeed private immutable RATES;
    ISourceBook private immutable SOURCES;
    IGuarantees private immutable GUARANTEES;

    /// @dev Working memory: parameters, underlyings touched, their positions and linked collateral, sums over them.
    struct Work {
        /// @dev Account parameters, see AccountWord.
        uint256 params;
        uint256 purpose;
        /// @dev Whether a token counts for less than by the book.
        bool isLowered;
        IScenarioBook.CollateralParams[] collateral;
        uint8[] underlyings;
        uint256[][] positions;
        int256[] linkedUnitsWad;
        /// @dev Of each underlying, as far as a linked token needs them.
        uint256[] spotsWad;
        uint256[] rangesWad;
        /// @dev Share by which its linked tokens are worth less because its round is stale.
        uint256[] stalesWad;
        /// @dev Of each underlying, where the mode's own pass gives them.
        IRiskEngine.UnderlyingDetail[] details;
        /// @dev Whether a token is worth what its source says: only then is there anything in the next three. By
        /// underlying, what such tokens do together; by token, its worth at the spot and the most that it loses alone.
        bool isBent;
        ISourceBook.Curve[] curves;
        uint256[] bentValuesWad;
        uint256[] bentLossesWad;
        uint256 requirementWad;
        uint256 confChargeWad;
        int256 collateralWad;
        int256 collateralMarketWad;
        int256 countedWad;
    }

    constructor(
        IAccounts accounts,
        IOracle oracle,
        IScenarioBook book,
        IRiskEngine risk,
        IRateFeed rates,
        ISourceBook sources,
        IGuarantees guarantees
    ) {
        ACCOUNTS = accounts;
        ORACLE = oracle;
        BOOK = book;
        RISK = risk;
        RATES = rates;
        SOURCES = sources;
        GUARANTEES = guarantees;
    }

    /// @inheritdoc IMarginEngine
    function evaluate(IAccounts.Snapshot calldata snapshot)
        external
        view
        override
        returns (MarginState memory margin)
    {
        _evaluate(_workFor(PLAIN), margin, snapshot);
    }

    /// @inheritdoc IMarginEngine
    function evaluateDetailed(IAccounts.Snapshot calldata snapshot)
        external
        view
        override
        returns (MarginState memory margin, IRiskEngine.UnderlyingDetail[] memory details)
    {
        details = _evaluate(_workFor(DETAILED), margin, snapshot);
    }

    /// @inheritdoc IMarginEngine
    function evaluateOwn(IAccounts.Snapshot calldata snapshot)
        external
        view
        override
        returns (MarginState memory margin)
    {
        _evaluate(_workFor(OWN), margin, snapshot);
    }

    /// @inheritdoc IMarginEngine
    function evaluateOwnDetailed(IAccounts.Snapshot calldata snapshot)
        external
        view
        override
        returns (MarginState memory margin, IRiskEngine.UnderlyingDetail[] memory details)
    {
        details = _evaluate(_workFor(OWN | DETAILED), margin, snapshot);
    }

    /// @inheritdoc IMarginEngine
    function marginOf(uint256 accountId) external view override returns (MarginState memory margin) {
        _evaluateAccount(PLAIN, margin, accountId);
    }

    /// @inheritdoc IMarginEngine
    function auctionMarginOf(uint256 accountId) external view override returns (MarginState memory margin) {
        _evaluateAccount(FOR_AUCTION, margin, accountId);
    }

    /// @inheritdoc IMarginEngine
    function ownMarginOf(uint256 accountId) external view override returns (MarginState memory margin) {
        _evaluateAccount(OWN, margin, accountId);
    }

    /// @inheritdoc IMarginEngine
    function bidderMarginOf(uint256 accountId) external view override returns (MarginState memory margin) {
        _evaluateAccount(OWN | FOR_AUCTION, margin, accountId);
    }

    /// @inheritdoc IMarginEngine
    function isLowered(uint256[] calldata tokenIds) external view override returns (bool) {
        for (uint256 i; i < tokenIds.length; ++i) {
            IScenarioBook.CollateralParams memory c = BOOK.collateralOf(tokenIds[i]);
            if (c.linkedUnderlying != 0 && RATES.ceilingOf(tokenIds[i]) < c.ratioWad) return true;
        }
        return false;
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
        IAccounts.Snapshot memory snapshot = PlainCall.snapshotOf(ACCOUNTS, accountId);
        // Through the external interface: the evaluation exists once in the code, which has to stay deployable.
        (before_, detailsBefore) = this.evaluateOwnDetailed(snapshot);
        (after_, detailsAfter) = this.evaluateOwnDetailed(SnapshotMath.applied(snapshot, changes));
        uint256 creditWad = GUARANTEES.creditOf(accountId);
        MarginMath.fillUp(before_, creditWad);
        MarginMath.fillUp(after_, creditWad);
    }

    /// @inheritdoc IMarginEngine
    function backingOf(uint256 accountId)
        external
        view
        override
        returns (uint256 creditWad, uint256 reservesWad)
    {
        (creditWad, reservesWad) = GUARANTEES.backingOf(accountId);
    }

    /// @inheritdoc IMarginEngine
    function requireCollateral(uint256 tokenId) external view override {
        uint8 linked = BOOK.collateralOf(tokenId).linkedUnderlying;
        if (linked == 0) ORACLE.tokenPriceOf(tokenId);
        else ORACLE.roundFor(linked, new uint40[](0));
    }

    /// @inheritdoc IMarginEngine
    function enforce(uint256 accountId, IAccounts.Snapshot calldata before_) external view override {
        IAccounts.Snapshot memory snapshot = PlainCall.snapshotOf(ACCOUNTS, accountId);
        if (snapshot.positions.length == 0 && snapshot.cashWad >= 0) return;
        // Where no token is lowered both measures are one.
        if (_enforceIn(OWN, accountId, snapshot, before_)) _enforceIn(PLAIN, accountId, snapshot, before_);
    }

    /// @dev Holds an action to one measure; returns whether a token is lowered in it.
    function _enforceIn(
        uint256 measure,
        uint256 accountId,
        IAccounts.Snapshot memory snapshot,
        IAccounts.Snapshot calldata before_
    ) private view returns (bool isLower) {
        Work memory w = _workFor(measure);
        MarginState memory now_;
        _evaluate(w, now_, snapshot);
        if (now_.equityWad >= int256(now_.initialWad)) return w.isLowered;
        // Only an account that falls short asks for its guarantee lines, and only a failing one pays for the second
        // evaluation.
        uint256 creditWad = GUARANTEES.creditOf(accountId);
        MarginMath.fillUp(now_, creditWad);
        if (now_.equityWad >= int256(now_.initialWad)) return w.isLowered;
        isLower = w.isLowered;
        w = _workFor(measure);
        MarginState memory then_;
        _evaluate(w, then_, before_);
        MarginMath.fillUp(then_, creditWad);
        MarginMath.requireRelief(then_, now_, AccountWord.closeShareOf(BOOK.accountWord()));
        isLower = isLower || w.isLowered;
    }

    /// @dev In memory, so that the compiler makes one evaluation and not one for every purpose.
    function _workFor(uint256 purpose) private pure returns (Work memory w) {
        w.purpose = purpose;
    }

    /// @dev An account as it is, with what guarantee lines fill up of its initial margin; none that has it by itself
    /// pays for the question.
    function _evaluateAccount(uint256 purpose, MarginState memory m, uint256 accountId) private view {
        _evaluate(_workFor(purpose), m, PlainCall.snapshotOf(ACCOUNTS, accountId));
        if (m.equityWad < int256(m.initialWad)) MarginMath.fillUp(m, GUARANTEES.creditOf(accountId));
    }

    function _evaluate(Work memory w, MarginState memory m, IAccounts.Snapshot memory s)
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
        w.params = BOOK.accountWord();
        _group(w, s);
        if (w.purpose & FOR_AUCTION != 0) _setStaleAside(w);
        if (s.mode == STANDARD) _standard(w, m);
        else if (s.mode == SINGLE) _single(w, m);
        else _cross(w, m);
        if (w.purpose & DETAILED != 0) details = s.mode == SINGLE ? w.details : _details(w, m);
        _collateral(w, s);
        _total(w, m, s);
    }

    /// @dev Underlyings of linked collateral alone whose round is stale: their tokens count at the last spot, less what
    /// they would need in STANDARD, less the haircut of staleness.
    function _setStaleAside(Work memory w) private view {
        for (uint256 i; i < w.underlyings.length; ++i) {
            if (w.positions[i].length != 0) continue;
            (uint256 spotWad, uint256 ts) = ORACLE.lastSpotOf(w.underlyings[i]);
            if (_staleShare(ts) == 0) continue;
            w.stalesWad[i] = _staleShare(ts);
            (w.spotsWad[i], w.linkedUnitsWad[i]) = (spotWad, 0);
            w.rangesWad[i] = BookCode.priceRangeOf(BOOK.bookPointerOf(w.underlyings[i]));
        }
    }

    /// @dev How much of a price's worth is gone since it became stale.
    function _staleShare(uint256 ts) private view returns (uint256) {
        uint256 staleTs = ts + ORACLE.heartbeatSec();
        if (block.timestamp <= staleTs) return 0;
        uint256 staleSec = block.timestamp - staleTs;
        return staleSec < STALE_SEC ? (WAD * staleSec + STALE_SEC - 1) / STALE_SEC : WAD;
    }

    function _standard(Work memory w, MarginState memory m) private view {
        for (uint256 i; i < w.underlyings.length; ++i) {
            if (w.stalesWad[i] != 0) continue;
            (uint8 id, int256 units) = (w.underlyings[i], w.linkedUnitsWad[i]);
            IRiskEngine.StandardRisk memory r = RISK.standardOf(id, w.positions[i], units, _bendsOf(w, i));
            (w.spotsWad[i], w.rangesWad[i]) = (r.spotWad, r.priceRangeWad);
            w.requirementWad += r.requirementWad;
            _add(w, m, r.equityValueWad, r.markWad, MarginMath.confCharge(r.confWad, r.grossNotionalWad, w.params));
        }
    }

    function _single(Work memory w, MarginState memory m) private view {
        uint256 n = w.underlyings.length;
        m.underlyings = _createRisks(n);
        if (w.purpose & DETAILED != 0) w.details = new IRiskEngine.UnderlyingDetail[](n);
        for (uint256 i; i < n; ++i) {
            if (w.stalesWad[i] != 0) {
                IRiskEngine.UnderlyingRisk memory none;
                m.underlyings[i] = none;
                continue;
            }
            if (w.purpose & DETAILED != 0) {
                // In this mode one pass gives components, rows and greeks: a trader key's fill asks for all of them.
                (m.underlyings[i], w.details[i]) = _detailOf(w, i);
            } else if (_bendsOf(w, i).length != 0) {
                m.underlyings[i] = _bentRiskOf(w, i);
            } else {
                m.underlyings[i] = PlainCall.riskOf(RISK, w.underlyings[i], w.positions[i], w.linkedUnitsWad[i]);
            }
            w.requirementWad += m.underlyings[i].requirementWad;
            _addNetted(w, m, i);
        }
    }

    function _cross(Work memory w, MarginState memory m) private view {
        (uint8[] memory ids, uint256[] memory places) = _live(w);
        uint256 n = ids.length;
        uint256[][] memory positions = new uint256[][](n);
        int256[] memory units = new int256[](n);
        for (uint256 i; i < n; ++i) {
            (positions[i], units[i]) = (w.positions[places[i]], w.linkedUnitsWad[places[i]]);
        }
        m.underlyings = new IRiskEngine.UnderlyingRisk[](w.underlyings.length);
        if (n == 0) return;
        IRiskEngine.UnderlyingRisk[] memory risks;
        uint256 shareWad = AccountWord.stressShareOf(w.params);
        uint256[] memory bends = w.isBent ? _bendsAt(w, places) : new uint256[](0);
        (risks, w.requirementWad) = RISK.crossOf(ids, positions, units, bends, shareWad);
        for (uint256 i; i < n; ++i) {
            m.underlyings[places[i]] = risks[i];
            _addNetted(w, m, places[i]);
        }
    }

    /// @dev Bends of the underlyings at some places, each behind its length.
    function _bendsAt(Work memory w, uint256[] memory places) private pure returns (uint256[] memory bendsWad) {
        uint256 words = places.length;
        for (uint256 i; i < places.length; ++i) {
            words += w.curves[places[i]].bendsWad.length;
        }
        (bendsWad, words) = (new uint256[](words), 0);
        for (uint256 i; i < places.length; ++i) {
            uint256[] memory own = w.curves[places[i]].bendsWad;
            bendsWad[words++] = own.length;
            for (uint256 j; j < own.length; ++j) {
                bendsWad[words++] = own[j];
            }
        }
    }

    /// @dev One underlying alone, in the terms of several.
    function _bentRiskOf(Work memory w, uint256 i) private view returns (IRiskEngine.UnderlyingRisk memory risk) {
        uint8[] memory ids = new uint8[](1);
        uint256[][] memory positions = new uint256[][](1);
        int256[] memory units = new int256[](1);
        uint256[] memory places = new uint256[](1);
        (ids[0], positions[0], units[0], places[0]) = (w.underlyings[i], w.positions[i], w.linkedUnitsWad[i], i);
        (IRiskEngine.UnderlyingRisk[] memory risks,) = RISK.crossOf(ids, positions, units, _bendsAt(w, places), WAD);
        risk = risks[0];
    }

    /// @dev What collateral in an underlying loses beyond its units; empty where none bends.
    function _bendsOf(Work memory w, uint256 i) private pure returns (uint256[] memory bendsWad) {
        if (w.isBent) bendsWad = w.curves[i].bendsWad;
    }

    function _detailOf(Work memory w, uint256 i)
        private
        view
        returns (IRiskEngine.UnderlyingRisk memory risk, IRiskEngine.UnderlyingDetail memory detail)
    {
        (uint8 id, uint256[] memory positions, int256 units) = (w.underlyings[i], w.positions[i], w.linkedUnitsWad[i]);
        int256 gammaWad = w.isBent ? w.curves[i].gammaWad : int256(0);
        (risk, detail) = RISK.detailOf(id, positions, units, gammaWad, _bendsOf(w, i));
    }

    /// @dev Underlyings whose round is not stale, and their places.
    function _live(Work memory w) private pure returns (uint8[] memory ids, uint256[] memory places) {
        uint256 count;
        (ids, places) = (new uint8[](w.underlyings.length), new uint256[](w.underlyings.length));
        for (uint256 i; i < w.underlyings.length; ++i) {
            if (w.stalesWad[i] == 0) (ids[count], places[count++]) = (w.underlyings[i], i);
        }
        assembly ("memory-safe") {
            // Shorten the arrays to what was found; equivalent: copy the first `count` elements.
            mstore(ids, count)
            mstore(places, count)
        }
    }

    function _details(Work memory w, MarginState memory m)
        private
        view
        returns (IRiskEngine.UnderlyingDetail[] memory details)
    {
        uint256 n = w.underlyings.length;
        details = new IRiskEngine.UnderlyingDetail[](n);
        m.underlyings = _createRisks(n);
        for (uint256 i; i < n; ++i) {
            (m.underlyings[i], details[i]) = _detailOf(w, i);
        }
    }

    function _createRisks(uint256 n) private pure returns (IRiskEngine.UnderlyingRisk[] memory risks) {
        assembly ("memory-safe") {
            // Equivalent: risks = new UnderlyingRisk[](n), without structs of zeros: every element is assigned.
            risks := mload(0x40)
            mstore(risks, n)
            mstore(0x40, add(add(risks, 0x20), shl(5, n)))
        }
    }

    function _addNetted(Work memory w, MarginState memory m, uint256 i) private pure {
        IRiskEngine.UnderlyingRisk memory r = m.underlyings[i];
        w.spotsWad[i] = r.spotWad;
        _add(w, m, r.markWad, r.markWad, MarginMath.confCharge(r.confWad, r.grossNotionalWad, w.params));
    }

    function _add(Work memory w, MarginState memory m, int256 countedWad, int256 markWad, uint256 chargeWad)
        private
        pure
    {
        unchecked {
            // Unchecked: sums over at most 128 positions, each below 2**235.
            w.countedWad += countedWad;
            m.markToMarketWad += markWad;
            w.confChargeWad += chargeWad;
        }
    }

    /// @dev Adds up what the passes over positions and collateral found: equity, the debt's charge, both requirements
    /// and the state of the account. Sections 5 and 6 of docs/reference/risk-model.md.
    function _total(Work memory w, MarginState memory m, IAccounts.Snapshot memory s) private view {
        m.equityWad = s.cashWad + w.countedWad + w.collateralWad;
        m.marketEquityWad = s.cashWad + m.markToMarketWad + w.collateralMarketWad;
        if (s.cashWad < 0) {
            m.debtChargeWad = FixedPointMathLib.mulWadUp(uint256(-s.cashWad), AccountWord.debtRateOf(w.params));
        }
        uint256 requirementWad = w.requirementWad + m.debtChargeWad;
        m.initialWad = FixedPointMathLib.mulWadUp(requirementWad, AccountWord.imFactorOf(w.params));
        m.maintenanceWad = FixedPointMathLib.mulWadUp(requirementWad, AccountWord.mmFactorOf(w.params));
        if (requirementWad != 0) {
            uint256 pegWad = MarginMath.pegFactor(_priceOf(w, CASH_TOKEN), w.params);
            m.initialWad = FixedPointMathLib.mulWadUp(m.initialWad, pegWad);
        }
        m.initialWad += w.confChargeWad;
        m.state = MarginMath.stateOf(m.equityWad, m.marketEquityWad, m.initialWad, m.maintenanceWad);
    }

    /// @dev Price of a token that is linked to nothing.
    function _priceOf(Work memory w, uint256 tokenId) private view returns (uint256 priceWad) {
        if (w.purpose & FOR_AUCTION == 0) return ORACLE.tokenPriceOf(tokenId);
        (priceWad,) = ORACLE.lastTokenPriceOf(tokenId);
    }

    /// @dev Values collateral. A token linked to an underlying is worth its share of the round's spot, or what its
    /// source says; in netted modes it carries the smaller haircut, because it enters the scan; in STANDARD its range,
    /// or the most that it loses alone, is part of the haircut.
    function _collateral(Work memory w, IAccounts.Snapshot memory s) private view {
        for (uint256 i; i < s.tokenIds.length; ++i) {
            IScenarioBook.CollateralParams memory c = w.collateral[i];
            (uint256 valueWad, uint256 haircutWad) = (s.amountsWad[i], c.haircutWad);
            if (c.linkedUnderlying == 0) {
                valueWad = FixedPointMathLib.mulWad(valueWad, _priceOf(w, s.tokenIds[i]));
                valueWad = _worthWhenStale(w, s.tokenIds[i], valueWad);
            } else {
                uint256 at = _find(w.underlyings, w.underlyings.length, c.linkedUnderlying);
                bool isNetted = s.mode != STANDARD && w.stalesWad[at] == 0;
                // Where no token bends, one may have been lowered to nothing.
                if (w.isBent && c.ratioWad == 0) {
                    valueWad = w.bentValuesWad[i];
                    haircutWad = MarginMath.bentHaircut(c, valueWad, w.bentLossesWad[i], isNetted);
                } else {
                    valueWad = FixedPointMathLib.mulWad(FixedPointMathLib.mulWad(valueWad, c.ratioWad), w.spotsWad[at]);
                    haircutWad = MarginMath.linkedHaircut(c, w.rangesWad[at], isNetted);
                }
                valueWad = FixedPointMathLib.mulWad(valueWad, WAD - w.stalesWad[at]);
            }
            w.collateralWad += int256(FixedPointMathLib.mulWad(valueWad, WAD - haircutWad));
            w.collateralMarketWad += int256(valueWad);
        }
    }

    /// @dev In an auction a token whose price stays out loses its worth by and by.
    function _worthWhenStale(Work memory w, uint256 tokenId, uint256 valueWad) private view returns (uint256) {
        if (w.purpose & FOR_AUCTION == 0) return valueWad;
        (, uint40 ts) = ORACLE.lastTokenPriceOf(tokenId);
        return FixedPointMathLib.mulWad(valueWad, WAD - _staleShare(ts));
    }

    /// @dev Splits positions by underlying; underlyings of linked collateral take part with no positions.
    function _group(Work memory w, IAccounts.Snapshot memory s) private view {
        uint256 tokens = s.tokenIds.length;
        w.collateral = new IScenarioBook.CollateralParams[](tokens);
        w.underlyings = new uint8[](s.positions.length + tokens);
        uint256[] memory words = s.positions;
        uint256 n;
        if (words.length != 0 && PositionWord.isOneUnderlying(words)) {
            (w.underlyings[0], n) = (uint8(words[0].underlyingOf()), 1);
        } else {
            uint256 last;
            for (uint256 i; i < words.length; ++i) {
                // Neighbours mostly share their underlying.
                uint256 id = words[i].underlyingOf();
                if (id == last && n != 0) continue;
                if (_find(w.underlyings, n, uint8(id)) == n) w.underlyings[n++] = uint8(id);
                last = id;
            }
        }
        for (uint256 i; i < tokens; ++i) {
            w.collateral[i] = BOOK.collateralOf(s.tokenIds[i]);
            uint8 id = w.collateral[i].linkedUnderlying;
            if (id == 0) continue;
            if (w.collateral[i].ratioWad == 0) w.isBent = true;
            else if (w.purpose & OWN != 0) _lower(w, w.collateral[i], s.tokenIds[i]);
            if (_find(w.underlyings, n, id) == n) w.underlyings[n++] = id;
        }
        uint8[] memory found = w.underlyings;
        assembly ("memory-safe") {
            // Shorten the array to what was found; equivalent: copy the first n elements.
            mstore(found, n)
        }
        w.linkedUnitsWad = new int256[](n);
        (w.spotsWad, w.rangesWad, w.stalesWad) = (new uint256[](n), new uint256[](n), new uint256[](n));
        _link(w, s);
        w.positions = new uint256[][](n);
        for (uint256 k; k < n; ++k) {
            // One underlying is the usual case: its positions are all.
            w.positions[k] = n == 1 ? words : _select(words, found[k]);
        }
        if (w.isBent) _bend(w, s);
    }

    /// @dev Asks for the worth of tokens that are no share of their underlying.
    function _bend(Work memory w, IAccounts.Snapshot memory s) private view {
        uint256 tokens = s.tokenIds.length;
        w.curves = new ISourceBook.Curve[](w.underlyings.length);
        (w.bentValuesWad, w.bentLossesWad) = (new uint256[](tokens), new uint256[](tokens));
        for (uint256 k; k < w.underlyings.length; ++k) {
            _bendOne(w, s, k);
        }
    }

    /// @dev Those of one underlying, at the spot of its last round.
    function _bendOne(Work memory w, IAccounts.Snapshot memory s, uint256 k) private view {
        (uint8 id, uint256 tokens) = (w.underlyings[k], s.tokenIds.length);
        uint256[] memory places = new uint256[](tokens);
        uint256 count;
        for (uint256 i; i < tokens; ++i) {
            IScenarioBook.CollateralParams memory c = w.collateral[i];
            if (c.linkedUnderlying == id && c.ratioWad == 0) places[count++] = i;
        }
        if (count == 0) return;
        (uint256[] memory ids, uint256[] memory amounts) = (new uint256[](count), new uint256[](count));
        for (uint256 j; j < count; ++j) {
            (ids[j], amounts[j]) = (s.tokenIds[places[j]], s.amountsWad[places[j]]);
        }
        (uint256 spotWad,) = ORACLE.lastSpotOf(id);
        ISourceBook.Curve memory curve = SOURCES.curveOf(BOOK.bookPointerOf(id), spotWad, ids, amounts);
        w.curves[k] = curve;
        w.linkedUnitsWad[k] += curve.unitsWad;
        for (uint256 j; j < count; ++j) {
            (w.bentValuesWad[places[j]], w.bentLossesWad[places[j]]) = (curve.valuesWad[j], curve.lossesWad[j]);
        }
    }

    /// @dev In the own measure a token stands for no more than its source states now.
    function _lower(Work memory w, IScenarioBook.CollateralParams memory c, uint256 tokenId) private view {
        uint256 ceilingWad = RATES.ceilingOf(tokenId);
        if (ceilingWad < c.ratioWad) (c.ratioWad, w.isLowered) = (ceilingWad, true);
    }

    /// @dev Units of each underlying held as collateral.
    function _link(Work memory w, IAccounts.Snapshot memory s) private pure {
        for (uint256 i; i < s.tokenIds.length; ++i) {
            IScenarioBook.CollateralParams memory c = w.collateral[i];
            if (c.linkedUnderlying == 0) continue;
            uint256 at = _find(w.underlyings, w.underlyings.length, c.linkedUnderlying);
            w.linkedUnitsWad[at] += int256(FixedPointMathLib.mulWad(s.amountsWad[i], c.ratioWad));
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
