// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExchange} from "../../interfaces/IExchange.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {ExpiringPause} from "../access/ExpiringPause.sol";
import {PositionWord} from "../libraries/PositionWord.sol";
import {Units} from "../libraries/Units.sol";

/// @title Listing
/// @notice Which instruments trade: kinds, expiries and strikes by rule, strikes within a band around the forward, and
/// a pause per instrument that ends by itself. See IExchange.
abstract contract Listing is IExchange, ExpiringPause {
    using PositionWord for uint256;

    /// @dev Strikes trade from the forward divided by it to the forward times it. A put struck far above is a bond that
    /// no scenario of prices moves: its whole strike would change hands for a margin of nothing.
    uint256 private constant STRIKE_BAND = 8;

    IOracle internal immutable ORACLE;

    mapping(uint256 underlyingId => Rules) private _rules;

    mapping(uint256 instrumentId => Pause) private _pauses;

    constructor(IOracle oracle) {
        ORACLE = oracle;
    }

    /// @inheritdoc IExchange
    function setRules(uint8 underlyingId, Rules calldata rules) external override restricted {
        if (rules.expiryStepSec == 0 || rules.strikeStepE8 == 0) {
            revert Exchange__ZeroStep(rules.expiryStepSec, rules.strikeStepE8);
        }
        _rules[underlyingId] = rules;
        emit RulesSet(underlyingId, rules);
    }

    /// @inheritdoc IExchange
    function pauseInstrument(uint256 instrument) external override restricted {
        _begin(_pauses[instrument.instrumentOf()]);
        emit InstrumentPauseSet(instrument, true);
    }

    /// @inheritdoc IExchange
    function unpauseInstrument(uint256 instrument) external override restricted {
        _end(_pauses[instrument.instrumentOf()]);
        emit InstrumentPauseSet(instrument, false);
    }

    /// @inheritdoc IExchange
    function rulesOf(uint8 underlyingId) external view override returns (Rules memory rules) {
        rules = _rules[underlyingId];
    }

    /// @inheritdoc IExchange
    function isInstrumentPaused(uint256 instrument) public view override returns (bool) {
        return _isRunning(_pauses[instrument.instrumentOf()]);
    }

    function _requireListed(uint256 instrument) internal view {
        Rules memory rules = _rules[instrument.underlyingOf()];
        uint256 kind = instrument.kindOf();
        if ((uint256(rules.kinds) >> kind) & 1 == 0) {
            revert Exchange__KindNotListed(instrument.underlyingOf(), kind);
        }
        if (PositionWord.hasExpiry(kind)) _requireExpiry(rules, instrument.expiryOf());
        if (instrument.isOption() && instrument.priceE8Of() % int256(uint256(rules.strikeStepE8)) != 0) {
            revert Exchange__StrikeNotListed(instrument.priceE8Of(), rules.strikeStepE8);
        }
        if (isInstrumentPaused(instrument)) revert Exchange__InstrumentPaused(instrument);
    }

    /// @dev The forward is that of the latest round, which has to be fresh.
    function _requireStrike(uint256 instrument) internal view {
        uint40[] memory expiries = new uint40[](1);
        expiries[0] = uint40(instrument.expiryOf());
        (, IOracle.Surface[] memory surfaces) = ORACLE.roundFor(uint8(instrument.underlyingOf()), expiries);
        uint256 forwardWad = surfaces[0].forwardWad;
        // A strike below zero is a huge number here.
        uint256 strikeWad = uint256(instrument.priceE8Of() * Units.E8_TO_WAD);
        uint256 highestWad = forwardWad * STRIKE_BAND;
        if (strikeWad > highestWad) revert Exchange__StrikeOutsideBand(strikeWad, highestWad);
        uint256 lowestWad = (forwardWad + STRIKE_BAND - 1) / STRIKE_BAND;
        if (strikeWad < lowestWad) revert Exchange__StrikeOutsideBand(strikeWad, lowestWad);
    }

    function _requireExpiry(Rules memory rules, uint256 expiryTs) private view {
        if (expiryTs <= block.timestamp) revert Exchange__InstrumentExpired(expiryTs, block.timestamp);
        uint256 latestTs = block.timestamp + rules.maxTenorSec;
        if (expiryTs > latestTs) revert Exchange__ExpiryTooFar(expiryTs, latestTs);
        if (expiryTs % rules.expiryStepSec != 0) revert Exchange__ExpiryNotListed(expiryTs, rules.expiryStepSec);
    }
}
