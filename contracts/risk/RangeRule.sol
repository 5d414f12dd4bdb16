// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {IRangeRule} from "../../interfaces/IRangeRule.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {BookCode} from "../libraries/BookCode.sol";
import {Ln} from "../libraries/Ln.sol";
import {Units} from "../libraries/Units.sol";

/// @title RangeRule
/// @notice See IRangeRule.
/// @dev Roundings are upwards, to the wider range, but for a root, whose range is rounded up to a step afterwards, and
/// for the average that a rule begins with, which may not exceed its floor.
/// @custom:mirror plimsoll.mirror.range_rule
contract RangeRule is IRangeRule, AccessManaged {
    uint256 private constant WAD = Units.UWAD;
    /// @dev Ranges are set in these steps from the floor: a change writes a whole book, and a raise moves the end of
    /// the grace.
    uint256 private constant STEP_WAD = 0.005e18;
    uint256 private constant MIN_FLOOR_WAD = 0.001e18;
    uint256 private constant MAX_CEILING_WAD = 0.5e18;
    uint256 private constant MIN_MULTIPLE_WAD = 0.1e18;
    uint256 private constant MAX_MULTIPLE_WAD = 18e18;
    uint256 private constant MIN_KEPT_WAD = 0.5e18;
    uint256 private constant MAX_KEPT_WAD = 0.995e18;
    uint256 private constant MIN_SPEED_WAD = 0.001e18;
    uint256 private constant MAX_SPEED_WAD = 0.1e18;

    IScenarioBook private immutable BOOK;
    IOracle private immutable ORACLE;

    mapping(uint8 underlyingId => Terms) private _terms;
    mapping(uint8 underlyingId => Observation) private _observation;

    /// @param authority Access manager.
    /// @param book Scenario book whose ranges this rule sets.
    /// @param oracle Where rounds are read.
    constructor(address authority, IScenarioBook book, IOracle oracle) AccessManaged(authority) {
        BOOK = book;
        ORACLE = oracle;
    }

    /// @inheritdoc IRangeRule
    function setTerms(uint8 underlyingId, Terms calldata terms) external override restricted {
        // Reverts when it is not listed.
        BOOK.bookPointerOf(underlyingId);
        emit RangeTermsSet(underlyingId, terms);
        if (terms.ceilingWad == 0) {
            delete _terms[underlyingId];
            delete _observation[underlyingId];
            return;
        }
        _within("ceilingWad", terms.ceilingWad, MIN_FLOOR_WAD, MAX_CEILING_WAD);
        _within("floorWad", terms.floorWad, MIN_FLOOR_WAD, terms.ceilingWad);
        _within("multipleWad", terms.multipleWad, MIN_MULTIPLE_WAD, MAX_MULTIPLE_WAD);
        _within("keptWad", terms.keptWad, MIN_KEPT_WAD, MAX_KEPT_WAD);
        _within("maxRiseWad", terms.maxRiseWad, MIN_SPEED_WAD, MAX_SPEED_WAD);
        _within("maxFallWad", terms.maxFallWad, MIN_SPEED_WAD, MAX_SPEED_WAD);
        _terms[underlyingId] = terms;
    }

    /// @inheritdoc IRangeRule
    function recalibrate(uint8 underlyingId) external override returns (uint256 rangeWad) {
        Terms memory t = _terms[underlyingId];
        if (t.ceilingWad == 0) revert RangeRule__NoTerms(underlyingId);
        (IOracle.Header memory round,) = ORACLE.roundFor(underlyingId, new uint40[](0));
        Observation memory o = _observation[underlyingId];
        if (round.ts <= o.ts) revert RangeRule__NothingNew(round.ts, o.ts);
        address pointer = BOOK.bookPointerOf(underlyingId);
        uint256 oldWad = BookCode.priceRangeOf(pointer);
        _see(o, t, round, oldWad);
        uint256 targetWad = _target(o, t);
        rangeWad = _allowed(underlyingId, pointer, oldWad, _limited(o, t, targetWad));
        o.rangeWad = uint64(rangeWad);
        _observation[underlyingId] = o;
        emit RangeObserved(underlyingId, round.ts, o.varianceWad, targetWad, rangeWad);
        if (rangeWad != oldWad) BOOK.setRange(underlyingId, rangeWad);
    }

    /// @inheritdoc IRangeRule
    function termsOf(uint8 underlyingId) external view override returns (Terms memory terms) {
        terms = _terms[underlyingId];
    }

    /// @inheritdoc IRangeRule
    function observationOf(uint8 underlyingId) external view override returns (Observation memory observation) {
        observation = _observation[underlyingId];
    }

    /// @dev Adds a price to its day. The first price of a day closes the days before it.
    function _see(Observation memory o, Terms memory t, IOracle.Header memory round, uint256 oldWad) private pure {
        uint256 day = round.ts / 1 days;
        uint104 spotWad = uint104(round.spotWad);
        if (o.ts == 0) {
            // As if the market had always moved as the floor supposes.
            uint256 rootWad = uint256(t.floorWad) * WAD / t.multipleWad;
            o.varianceWad = uint128(rootWad * rootWad / WAD);
            (o.lowWad, o.highWad, o.baseWad) = (spotWad, spotWad, uint64(oldWad));
        } else if (day > o.day) {
            // Of the days that nobody saw, the first price after them tells: it is a move since the last one seen.
            o.varianceWad = uint128(Math.ceilDiv(_closed(o, t) * _power(t.keptWad, day - o.day - 1), WAD));
            (o.lowWad, o.highWad, o.baseWad) = (o.lastWad, o.lastWad, uint64(oldWad));
        } else if (oldWad != o.rangeWad) {
            // Governance has set another range since.
            o.baseWad = uint64(oldWad);
        }
        if (spotWad < o.lowWad) o.lowWad = spotWad;
        if (spotWad > o.highWad) o.highWad = spotWad;
        (o.day, o.ts, o.lastWad) = (uint32(day), round.ts, spotWad);
    }

    /// @dev Variance once the present day is over, if no further price is seen in it.
    function _closed(Observation memory o, Terms memory t) private pure returns (uint256 varianceWad) {
        uint256 spanWad = SignedMath.abs(Ln.lnRatio(o.highWad, o.lowWad));
        uint256 squareWad = Math.ceilDiv(spanWad * spanWad, WAD);
        varianceWad = Math.ceilDiv(t.keptWad * uint256(o.varianceWad) + (WAD - t.keptWad) * squareWad, WAD);
    }

    /// @dev What the rule asks for without regard to speed. A calm day lowers it when it is over, a wild one raises it
    /// at once.
    function _target(Observation memory o, Terms memory t) private pure returns (uint256 targetWad) {
        uint256 varianceWad = Math.max(o.varianceWad, _closed(o, t));
        uint256 plainWad = Math.ceilDiv(t.multipleWad * Math.sqrt(varianceWad * WAD), WAD);
        uint256 steps = plainWad > t.floorWad ? Math.ceilDiv(plainWad - t.floorWad, STEP_WAD) : 0;
        targetWad = Math.min(t.floorWad + steps * STEP_WAD, t.ceilingWad);
    }

    /// @dev A grace compares with one book, that before its first change: whoever came in between, to a range that was
    /// lower, would not be protected by it. So a book in grace only rises, and not after a fall.
    function _allowed(uint8 underlyingId, address pointer, uint256 oldWad, uint256 wantedWad)
        private
        view
        returns (uint256 rangeWad)
    {
        address prior = BOOK.priorBookPointerOf(underlyingId);
        bool isHeld = prior != pointer && (wantedWad < oldWad || BookCode.priceRangeOf(prior) > oldWad);
        rangeWad = isHeld ? oldWad : wantedWad;
    }

    /// @dev Within a day's speed of the range with which the day began.
    function _limited(Observation memory o, Terms memory t, uint256 targetWad)
        private
        pure
        returns (uint256 rangeWad)
    {
        uint256 mostWad = uint256(o.baseWad) + t.maxRiseWad;
        uint256 leastWad = o.baseWad > t.maxFallWad ? o.baseWad - t.maxFallWad : 0;
        rangeWad = Math.min(Math.max(targetWad, leastWad), mostWad);
    }

    /// @dev base^exponent, rounded up in each of its steps.
    function _power(uint256 baseWad, uint256 exponent) private pure returns (uint256 resultWad) {
        resultWad = WAD;
        for (; exponent != 0; exponent >>= 1) {
            if (exponent & 1 == 1) resultWad = Math.ceilDiv(resultWad * baseWad, WAD);
            baseWad = Math.ceilDiv(baseWad * baseWad, WAD);
        }
    }

    function _within(bytes32 name, uint256 observed, uint256 least, uint256 most) private pure {
        if (observed < least) revert RangeRule__BadTerms(name, observed, least);
        if (observed > most) revert RangeRule__BadTerms(name, observed, most);
    }
}
