// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IOracle} from "../../interfaces/IOracle.sol";
import {Ln} from "./Ln.sol";
import {SpeedLimit} from "./SpeedLimit.sol";
import {Sqrt} from "./Sqrt.sol";

/// @title AnchorWord
/// @notice Time and anchors of one expiry in a word: its forward, its discount and its variance per year at three
/// strikes, k = 0 and k = +-0.6*sqrt(max(T, 1 day)).
/// @dev Most significant first: [ts 40][forward int32][discount int32][centre int32][upper int32][lower int32]. The
/// variance per year is w/V: inside the settlement window it has no limit and its anchors stay.
/// @custom:unit wad; anchors in steps of SpeedLimit
/// @custom:mirror offchain.mirror.speed_limit
library AnchorWord {
    uint256 private constant WINDOW_SEC = 30 minutes;
    /// @dev A mean over the last 30 minutes varies like a price that stops 20 minutes before.
    uint256 private constant MEAN_SEC = 20 minutes;
    uint256 private constant YEAR_SEC = 365 days;
    uint256 private constant TS_SHIFT = 160;
    uint256 private constant FORWARD_SHIFT = 128;
    uint256 private constant DISCOUNT_SHIFT = 96;
    uint256 private constant CENTRE_SHIFT = 64;
    uint256 private constant UPPER_SHIFT = 32;
    uint256 private constant VARIANCES = (1 << 96) - 1;
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
        uint256 leftSec = s.expiryTs - step.ts;
        (uint256 elapsedSec, int256 keptWad) = _since(word, step);
        int256 limitWad = SpeedLimit.reach(step.maxMoveWad, elapsedSec, step.heartbeatSec);
        int256 discountWad = s.rateWad * int256(leftSec) / int256(YEAR_SEC);
        next = step.ts << TS_SHIFT | _move("forward", word, FORWARD_SHIFT, Ln.lnWad(s.forwardWad), keptWad, limitWad)
            | _move("discount", word, DISCOUNT_SHIFT, discountWad, keptWad, limitWad);
        if (leftSec < WINDOW_SEC) return next | (word & VARIANCES);
        limitWad = SpeedLimit.reach(step.maxVarianceMoveWad, elapsedSec, step.heartbeatSec);
        uint256 openSec = leftSec - MEAN_SEC;
        int256 far = int256(Sqrt.sqrtWad((leftSec < 1 days ? 1 days : leftSec) * 0.36e18 / YEAR_SEC));
        next |= _move("centre variance", word, CENTRE_SHIFT, _lnVariance(s, 0, openSec), keptWad, limitWad);
        next |= _move("upper variance", word, UPPER_SHIFT, _lnVariance(s, far, openSec), keptWad, limitWad);
        next |= _move("lower variance", word, 0, _lnVariance(s, -far, openSec), keptWad, limitWad);
    }

    /// @notice Unpacks the anchors of an expiry.
    /// @param word Anchors.
    /// @return anchor Time and logarithms.
    function unpack(uint256 word) internal pure returns (IOracle.SurfaceAnchor memory anchor) {
        anchor.ts = uint40(word >> TS_SHIFT);
        anchor.forwardLnWad = _at(word, FORWARD_SHIFT) * SpeedLimit.STEP_WAD;
        anchor.discountLnWad = _at(word, DISCOUNT_SHIFT) * SpeedLimit.STEP_WAD;
        anchor.centreLnWad = _at(word, CENTRE_SHIFT) * SpeedLimit.STEP_WAD;
        anchor.upperLnWad = _at(word, UPPER_SHIFT) * SpeedLimit.STEP_WAD;
        anchor.lowerLnWad = _at(word, 0) * SpeedLimit.STEP_WAD;
    }

    /// @dev Time since the expiry was last listed, which is not always the time since the last round.
    function _since(uint256 word, SpeedLimit.Step memory step)
        private
        pure
        returns (uint256 elapsedSec, int256 keptWad)
    {
        uint256 sinceTs = word >> TS_SHIFT;
        if (sinceTs == step.sinceTs) return (step.ts - sinceTs, step.keptWad);
        if (sinceTs != 0) (elapsedSec, keptWad) = (step.ts - sinceTs, SpeedLimit.kept(step.ts - sinceTs));
    }

    function _move(bytes32 field, uint256 word, uint256 shift, int256 lnWad, int256 keptWad, int256 limitWad)
        private
        pure
        returns (uint256)
    {
        int256 next;
        if (word >> TS_SHIFT == 0) {
            next = SpeedLimit.first(lnWad);
        } else {
            int256 anchor = _at(word, shift);
            SpeedLimit.check(field, anchor, lnWad, limitWad);
            next = SpeedLimit.follow(anchor, lnWad, keptWad);
        }
        return uint256(uint32(int32(next))) << shift;
    }

    function _at(uint256 word, uint256 shift) private pure returns (int256) {
        return int32(uint32(word >> shift));
    }

    /// @dev ln of w(k)/V.
    function _lnVariance(IOracle.Surface calldata s, int256 kWad, uint256 openSec) private pure returns (int256) {
        unchecked {
            // Unchecked: by the domain of a round every factor is below 2**70, times a year below 2**96.
            int256 x = kWad - s.mWad;
            int256 root = int256(Sqrt.sqrt(uint256(x * x) + s.sWad * s.sWad));
            int256 w = s.aWad + int256(s.bWad) * (s.rhoWad * x / 1e18 + root) / 1e18;
            int256 perYear = w * int256(YEAR_SEC) / int256(openSec);
            return Ln.lnWad(uint256(perYear < MIN_VARIANCE_WAD ? MIN_VARIANCE_WAD : perYear));
        }
    }
}
