// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IOracle} from "../../interfaces/IOracle.sol";
import {Exp} from "../libraries/Exp.sol";
import {RoundDomain} from "../libraries/RoundDomain.sol";
import {RoundHash} from "../libraries/RoundHash.sol";
import {Quorum} from "./Quorum.sol";

/// @title SettlementPrices
/// @notice Price at which an expiry is settled, fixed once: by signed samples, and where those fail by samples with
/// gaps, by the rounds of the window, or by governance. See IOracle.
abstract contract SettlementPrices is Quorum {
    uint256 internal constant WINDOW_SEC = 30 minutes;
    uint256 private constant MAX_EDGE_SEC = 5 minutes;
    uint256 private constant MIN_SAMPLES = 6;
    uint256 private constant MAX_SAMPLES = 1800;
    /// @dev Until here only samples that cover the window count.
    uint256 private constant GAPS_AFTER_SEC = 2 hours;
    /// @dev A last round far from the end of the window leaves signers more time to find something better.
    uint256 private constant ROUNDS_AFTER_SEC = 4 hours;
    uint256 private constant GOVERNOR_AFTER_SEC = 24 hours;

    /// @dev slot 0: the last round inside a settlement window.
    struct LastInWindow {
        uint40 ts;
        uint104 spotWad;
        uint104 meanWad;
    }

    mapping(uint8 underlyingId => mapping(uint40 expiryTs => uint256)) private _settlementWad;

    /// @inheritdoc IOracle
    function postSettlement(SettlementSamples calldata samples, bytes[] calldata signatures)
        external
        override
        whenNotPaused
    {
        uint40 expiryTs = samples.expiryTs;
        _requireUnsettled(samples.underlyingId, expiryTs);
        if (block.timestamp < expiryTs) revert Oracle__FromFuture(expiryTs, block.timestamp);
        _requireSigned(RoundHash.settlement(samples), signatures);
        bool mayGap = block.timestamp >= expiryTs + GAPS_AFTER_SEC;
        (uint256 priceWad, bool hasGap) = _timeWeightedMean(samples, mayGap);
        _requireInReach(samples.underlyingId, expiryTs, priceWad);
        _settle(
            samples.underlyingId,
            expiryTs,
            priceWad,
            hasGap ? SettlementSource.GAPPED_SAMPLES : SettlementSource.SAMPLES
        );
    }

    /// @inheritdoc IOracle
    function settleFromRounds(uint8 underlyingId, uint40 expiryTs) external override whenNotPaused {
        _requireUnsettled(underlyingId, expiryTs);
        LastInWindow memory last = _lastInWindow(underlyingId, expiryTs);
        if (last.ts == 0) revert Oracle__NoRoundInWindow(underlyingId, expiryTs);
        uint256 openSec = expiryTs - last.ts;
        _requireLater(expiryTs, openSec > MAX_EDGE_SEC ? ROUNDS_AFTER_SEC : GAPS_AFTER_SEC);
        uint256 priceWad = (last.meanWad * (WINDOW_SEC - openSec) + last.spotWad * openSec) / WINDOW_SEC;
        _settle(underlyingId, expiryTs, priceWad, SettlementSource.ROUNDS);
    }

    /// @inheritdoc IOracle
    function settleByGovernor(uint8 underlyingId, uint40 expiryTs, uint256 priceWad) external override restricted {
        _requireUnsettled(underlyingId, expiryTs);
        _requireLater(expiryTs, GOVERNOR_AFTER_SEC);
        RoundDomain.checkPrice("settlement", priceWad);
        (uint256 forwardWad,) = _lastKnown(underlyingId, expiryTs);
        if (forwardWad == 0) revert Oracle__ExpiryNotInRound(underlyingId, expiryTs);
        _requireInReach(underlyingId, expiryTs, priceWad);
        _settle(underlyingId, expiryTs, priceWad, SettlementSource.GOVERNOR);
    }

    /// @inheritdoc IOracle
    function settlementPriceOf(uint8 underlyingId, uint40 expiryTs)
        external
        view
        override
        returns (uint256 priceWad)
    {
        priceWad = _settlementWad[underlyingId][expiryTs];
        if (priceWad == 0) revert Oracle__NotSettled(underlyingId, expiryTs);
    }

    function _requireUnsettled(uint8 underlyingId, uint40 expiryTs) internal view {
        if (_settlementWad[underlyingId][expiryTs] != 0) revert Oracle__AlreadySettled(underlyingId, expiryTs);
    }

    /// @dev The last accepted round inside the window of an expiry; of time 0 when there was none.
    function _lastInWindow(uint8 underlyingId, uint40 expiryTs) internal view virtual returns (LastInWindow memory);

    /// @dev Last forward of an expiry and last spot of its underlying; 0 where there is none.
    function _lastKnown(uint8 underlyingId, uint40 expiryTs)
        internal
        view
        virtual
        returns (uint256 forwardWad, uint256 spotWad);

    function _settle(uint8 underlyingId, uint40 expiryTs, uint256 priceWad, SettlementSource source) private {
        _settlementWad[underlyingId][expiryTs] = priceWad;
        emit SettlementPosted(underlyingId, expiryTs, priceWad, source);
    }

    function _requireLater(uint256 expiryTs, uint256 delaySec) private view {
        if (block.timestamp < expiryTs + delaySec) revert Oracle__TooEarly(block.timestamp, expiryTs + delaySec);
    }

    /// @dev A settlement price is the last word on a series and no way round the speed limit: it lies within one limit
    /// of what was last known. Of a series that no round ever listed nothing is known, and nobody holds it.
    function _requireInReach(uint8 underlyingId, uint40 expiryTs, uint256 priceWad) private view {
        (uint256 lowWad, uint256 highWad) = _lastKnown(underlyingId, expiryTs);
        if (lowWad == 0) return;
        if (lowWad > highWad) (lowWad, highWad) = (highWad, lowWad);
        uint256 factorWad = Exp.expWad(int256(uint256(_limits.maxMoveWad)));
        (lowWad, highWad) = (lowWad * 1e18 / factorWad, highWad * factorWad / 1e18);
        if (priceWad > highWad) revert Oracle__OutOfDomain("settlement", int256(priceWad), int256(highWad));
        if (priceWad < lowWad) revert Oracle__OutOfDomain("settlement", int256(priceWad), int256(lowWad));
    }

    /// @dev Each sample holds until the next, the first from the start of the window, the last until expiry.
    function _timeWeightedMean(SettlementSamples calldata samples, bool mayGap)
        private
        pure
        returns (uint256 meanWad, bool hasGap)
    {
        uint256 n = samples.sampleTs.length;
        if (n != samples.spotsWad.length) revert Oracle__BadLength(samples.spotsWad.length, n);
        if (n < (mayGap ? 1 : MIN_SAMPLES)) revert Oracle__BadLength(n, mayGap ? 1 : MIN_SAMPLES);
        if (n > MAX_SAMPLES) revert Oracle__BadLength(n, MAX_SAMPLES);
        hasGap = n < MIN_SAMPLES;
        if (samples.expiryTs < WINDOW_SEC) revert Oracle__BadSample(samples.expiryTs, WINDOW_SEC);
        uint256 start = samples.expiryTs - WINDOW_SEC;
        (uint256 from, uint256 floorTs, uint256 sum) = (start, start, 0);
        for (uint256 i; i < n; ++i) {
            uint256 at = samples.sampleTs[i];
            if (at <= floorTs) revert Oracle__BadSample(at, floorTs);
            if (at > samples.expiryTs) revert Oracle__BadSample(at, samples.expiryTs);
            if (at > floorTs + MAX_EDGE_SEC) {
                if (!mayGap) revert Oracle__BadSample(at, floorTs + MAX_EDGE_SEC);
                hasGap = true;
            }
            RoundDomain.checkPrice("sample", samples.spotsWad[i]);
            uint256 until = i + 1 == n ? samples.expiryTs : samples.sampleTs[i + 1];
            if (until < at) revert Oracle__BadSample(until, at);
            sum += samples.spotsWad[i] * (until - from);
            (from, floorTs) = (until, at);
        }
        if (floorTs + MAX_EDGE_SEC < samples.expiryTs) {
            if (!mayGap) revert Oracle__BadSample(floorTs, samples.expiryTs - MAX_EDGE_SEC);
            hasGap = true;
        }
        meanWad = sum / WINDOW_SEC;
    }
}
