// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IOracle} from "../../interfaces/IOracle.sol";
import {Ln} from "./Ln.sol";
import {SpeedLimit} from "./SpeedLimit.sol";
import {Sqrt} from "./Sqrt.sol";
import {Units} from "./Units.sol";

/// @title AnchorWord
/// @notice Time and anchors of one expiry in a word: its forward, its discount and its variance per year at three
/// strikes, k = 0 and k = +-0.6*sqrt(max(T, 1 day)).
/// @dev Most significant first: [ts 40][forward 32][discount 32][centre 32][upper 32][lower 32]. The
/// variance per year is w/V: inside the settlement window it has no limit and its anchors stay.
/// @custom:unit wad; anchors in steps of SpeedLimit
/// @custom:mirror plimsoll.mirror.speed_limit
library AnchorWord {
    uint256 private constant WINDOW_SEC = 30 minutes;
    /// @dev A mean over the last 30 minutes varies like a price that stops 20 minutes before.
    uint256 private constant MEAN_SEC = 20 minutes;
    uint256 private constant YEAR_SEC = Units.YEAR_SEC;
    uint256 private constant TS_SHIFT = 160;
    uint256 private constant FORWARD_SHIFT = 128;
    uint256 private constant DISCOUNT_SHIFT = 96;
    uint256 private constant CENTRE_SHIFT = 64;
    uint256 private constant UPPER_SHIFT = 32;
    uint256 private constant VARIANCES = (1 << 96) - 1;
    uint256 private constant ANCHOR = (1 << 32) - 1;
    /// @dev Variance below that of a volatility of 1 % counts as that: the logarithm of nothing is no yardstick.
    int256 private constant MIN_VARIANCE_WAD = 1e14;

    /// @notice Checks an expiry against its anchors and moves them.
    /// @param word Anchors so far; 0 for an expiry that was never listed, which takes them from here.
    /// @param s Expiry, inside the domain.
    /// @param step Time and limits.
    /// @return next Anchors.
    function advance(uint256 word, IOracle.Surface calldata s, SpeedLimit.Step memory step)
        internal
        pure
        returns (uint256 next)
    {
        unchecked {
            // Unchecked: a round lists no expiry before it, none later than ten years; rates are below 2**64.
            uint256 leftSec = s.expiryTs - step.ts;
            (int256 keptWad, int256 limitWad, int256 varianceLimitWad) = _since(word, step);
            int256 discountWad = s.rateWad * int256(leftSec) / int256(YEAR_SEC);
            next = step.ts << TS_SHIFT;
            next |= _move("forward", word, FORWARD_SHIFT, Ln.lnWad(s.forwardWad), keptWad, limitWad)
                | _move("discount", word, DISCOUNT_SHIFT, discountWad, keptWad, limitWad);
            if (leftSec < WINDOW_SEC) return next | (word & VARIANCES);
            (int256 centre, int256 upper, int256 lower) = _lnVariances(s, leftSec);
            next |= _move("centre variance", word, CENTRE_SHIFT, centre, keptWad, varianceLimitWad)
                | _move("upper variance", word, UPPER_SHIFT, upper, keptWad, varianceLimitWad)
                | _move("lower variance", word, 0, lower, keptWad, varianceLimitWad);
        }
    }

    /// @notice Unpacks the anchors of an expiry.
    /// @param word Anchors.
    /// @return anchor Time and logarithms.
    function unpack(uint256 word) internal pure returns (IOracle.SurfaceAnchor memory anchor) {
        if (word == 0) return anchor;
        anchor.ts = uint40(word >> TS_SHIFT);
        anchor.forwardLnWad = _at(word, FORWARD_SHIFT);
        anchor.discountLnWad = _at(word, DISCOUNT_SHIFT);
        anchor.centreLnWad = _at(word, CENTRE_SHIFT);
        anchor.upperLnWad = _at(word, UPPER_SHIFT);
        anchor.lowerLnWad = _at(word, 0);
    }

    /// @dev Share that is left and limits, by the time since the expiry was last listed; mostly that of the last round.
    function _since(uint256 word, SpeedLimit.Step memory step)
        private
        pure
        returns (int256 keptWad, int256 limitWad, int256 varianceLimitWad)
    {
        uint256 sinceTs = word >> TS_SHIFT;
        if (sinceTs == step.sinceTs) return (step.keptWad, step.limitWad, step.varianceLimitWad);
        if (sinceTs == 0) return (0, 0, 0);
        return SpeedLimit.since(sinceTs, step);
    }

    function _move(bytes32 field, uint256 word, uint256 shift, int256 lnWad, int256 keptWad, int256 limitWad)
        private
        pure
        returns (uint256)
    {
        if (word == 0) return SpeedLimit.first(lnWad) << shift;
        return SpeedLimit.move(field, (word >> shift) & ANCHOR, lnWad, keptWad, limitWad) << shift;
    }

    function _at(uint256 word, uint256 shift) private pure returns (int256) {
        return SpeedLimit.lnOf((word >> shift) & ANCHOR);
    }

    /// @dev ln of w(k)/V at the three strikes.
    function _lnVariances(IOracle.Surface calldata s, uint256 leftSec)
        private
        pure
        returns (int256 centre, int256 upper, int256 lower)
    {
        unchecked {
            // Unchecked: by the domain of a round every factor is below 2**70, times a year below 2**96.
            int256 far = int256(Sqrt.sqrtWad((leftSec < 1 days ? 1 days : leftSec) * 0.36e18 / YEAR_SEC));
            (int256 aWad, int256 bWad, int256 rhoWad) = (s.aWad, int256(s.bWad), s.rhoWad);
            (int256 x, uint256 square) = (-s.mWad, s.sWad * s.sWad);
            uint256 openSec = leftSec - MEAN_SEC;
            centre = _lnPerYear(aWad + bWad * _wing(rhoWad, x, square) / 1e18, openSec);
            upper = _lnPerYear(aWad + bWad * _wing(rhoWad, x + far, square) / 1e18, openSec);
            lower = _lnPerYear(aWad + bWad * _wing(rhoWad, x - far, square) / 1e18, openSec);
        }
    }

    /// @dev rho*x + sqrt(x^2 + s^2).
    function _wing(int256 rhoWad, int256 x, uint256 square) private pure returns (int256) {
        unchecked {
            // Unchecked: see above.
            return rhoWad * x / 1e18 + int256(Sqrt.sqrt(uint256(x * x) + square));
        }
    }

    function _lnPerYear(int256 w, uint256 openSec) private pure returns (int256) {
        unchecked {
            // Unchecked: see above.
            int256 perYear = w * int256(YEAR_SEC) / int256(openSec);
            return Ln.lnWad(uint256(perYear < MIN_VARIANCE_WAD ? MIN_VARIANCE_WAD : perYear));
        }
    }
}
