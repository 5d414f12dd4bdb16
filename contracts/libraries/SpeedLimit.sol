// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IOracle} from "../../interfaces/IOracle.sol";
import {Exp} from "./Exp.sol";

/// @title SpeedLimit
/// @notice How far a signed number may be from its anchor, and how the anchor follows it (risk-model section 1).
/// @dev An anchor is a logarithm: ln a <- 2^(-dt/h)*ln a + (1 - 2^(-dt/h))*ln p, h = 1 hour, kept in steps of 2e-8 so
/// that five of them and a time share one word: 32 bits, 2^31 for ln 1. It is rounded to its old side: it never follows
/// faster than the rule.
/// @custom:unit wad; anchors in steps
/// @custom:mirror plimsoll.mirror.speed_limit
library SpeedLimit {
    /// @notice What the numbers of one message share: its time, the time of the last one, and what follows from both.
    struct Step {
        uint256 ts;
        uint256 sinceTs;
        /// @dev For numbers that were in the last message; for others see `since`.
        int256 keptWad;
        int256 limitWad;
        int256 varianceLimitWad;
        /// @dev As governance set them.
        uint256 heartbeatSec;
        int256 maxMoveWad;
        int256 maxVarianceMoveWad;
    }

    int256 private constant STEP_WAD = 2e10;
    /// @dev What the anchor of ln 1 stands for, 2^31 steps.
    int256 private constant ZERO_WAD = STEP_WAD << 31;
    uint256 private constant HALF_LIFE_SEC = 1 hours;
    int256 private constant LN2_WAD = 693147180559945309;

    /// @notice What is left of an anchor and how far a number may be from it, after some time.
    /// @dev 2^(-dt/h) of the anchor is left. Within the heartbeat the limit is what governance set. After a longer
    /// silence, in which nobody could act on the number, it is as far as a feed that posted at the limit all the while
    /// could have come: m*(1 + ln 2*dt/h).
    /// @param sinceTs When the number was last accepted.
    /// @param step Time and limits.
    /// @return keptWad Share of the anchor that is left.
    /// @return limitWad Largest distance of a price.
    /// @return varianceLimitWad Largest distance of a variance.
    function since(uint256 sinceTs, Step memory step)
        internal
        pure
        returns (int256 keptWad, int256 limitWad, int256 varianceLimitWad)
    {
        unchecked {
            // Unchecked: times have 40 bits, limits are below 2**64.
            int256 halvingsWad = int256(step.ts - sinceTs) * LN2_WAD / int256(HALF_LIFE_SEC);
            keptWad = int256(Exp.expWad(-halvingsWad));
            (limitWad, varianceLimitWad) = (step.maxMoveWad, step.maxVarianceMoveWad);
            if (step.ts - sinceTs > step.heartbeatSec) {
                limitWad += limitWad * halvingsWad / 1e18;
                varianceLimitWad += varianceLimitWad * halvingsWad / 1e18;
            }
        }
    }

    /// @notice Checks a number against its anchor and moves the anchor.
    /// @param field Name for the error.
    /// @param anchor Anchor.
    /// @param lnWad Logarithm of the number.
    /// @param keptWad See `kept`.
    /// @param limitWad Largest distance.
    /// @return Anchor.
    function move(bytes32 field, uint256 anchor, int256 lnWad, int256 keptWad, int256 limitWad)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            // Unchecked: an anchor has 32 bits, a logarithm is below 2**67, the share at most 2**60.
            int256 leadWad = lnOf(anchor) - lnWad;
            if (uint256(leadWad + limitWad) > 2 * uint256(limitWad)) _fail(field, -leadWad, limitWad);
            int256 y = lnWad + leadWad * keptWad / 1e18 + ZERO_WAD;
            if (leadWad > 0) y += STEP_WAD - 1;
            return uint256(y) / uint256(STEP_WAD);
        }
    }

    /// @notice Refuses a number that is too far from an anchor which is another number's.
    /// @param field Name for the error.
    /// @param anchor Anchor.
    /// @param lnWad Logarithm of the number.
    /// @param limitWad Largest distance.
    function check(bytes32 field, uint256 anchor, int256 lnWad, int256 limitWad) internal pure {
        move(field, anchor, lnWad, 0, limitWad);
    }

    /// @notice Anchor of a number that never had one.
    /// @param lnWad Logarithm of the number.
    /// @return Anchor.
    function first(int256 lnWad) internal pure returns (uint256) {
        return uint256(lnWad + ZERO_WAD) / uint256(STEP_WAD);
    }

    /// @notice Logarithm that an anchor stands for.
    /// @param anchor Anchor.
    /// @return Wad.
    function lnOf(uint256 anchor) internal pure returns (int256) {
        unchecked {
            // Unchecked: 32 bits times 35.
            return int256(anchor * uint256(STEP_WAD)) - ZERO_WAD;
        }
    }

    function _fail(bytes32 field, int256 movedWad, int256 limitWad) private pure {
        revert IOracle.Oracle__TooFast(field, movedWad, movedWad < 0 ? -limitWad : limitWad);
    }
}
