// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IOracle} from "../../interfaces/IOracle.sol";
import {Exp} from "./Exp.sol";

/// @title SpeedLimit
/// @notice How far a signed number may be from its anchor, and how the anchor follows it (risk-model section 1).
/// @dev An anchor is a logarithm: ln a <- 2^(-dt/h)*ln a + (1 - 2^(-dt/h))*ln p, h = 1 hour, kept in steps of 2e-8 so
/// that five of them and a time share one word. It is rounded to its old side: it never follows faster than the rule.
/// @custom:unit wad; anchors in steps
/// @custom:mirror offchain.mirror.speed_limit
library SpeedLimit {
    /// @notice The time and the limits that all numbers of one message share.
    struct Step {
        uint256 ts;
        uint256 sinceTs;
        /// @dev 2^(-(ts - sinceTs)/h); most numbers were last seen at `sinceTs`.
        int256 keptWad;
        uint256 heartbeatSec;
        int256 maxMoveWad;
        int256 maxVarianceMoveWad;
    }

    int256 internal constant STEP_WAD = 2e10;
    uint256 private constant HALF_LIFE_SEC = 1 hours;
    int256 private constant LN2_WAD = 693147180559945309;

    /// @notice Share of an anchor that is left after some time.
    /// @param elapsedSec Time.
    /// @return Wad.
    function kept(uint256 elapsedSec) internal pure returns (int256) {
        unchecked {
            // Unchecked: times have 40 bits.
            return int256(Exp.expWad(-int256(elapsedSec) * LN2_WAD / int256(HALF_LIFE_SEC)));
        }
    }

    /// @notice Largest distance from an anchor after some time.
    /// @dev Within the heartbeat the limit itself. After a longer silence, in which nobody could act on the number, as
    /// far as a feed that posted at the limit all the while could have come: m*(1 + ln 2*dt/h).
    /// @param limitWad The limit m.
    /// @param elapsedSec Time since the number was last accepted.
    /// @param heartbeatSec Age at which it stops to count.
    /// @return Wad.
    function reach(int256 limitWad, uint256 elapsedSec, uint256 heartbeatSec) internal pure returns (int256) {
        if (elapsedSec <= heartbeatSec) return limitWad;
        return limitWad + (limitWad * LN2_WAD / 1e18) * int256(elapsedSec) / int256(HALF_LIFE_SEC);
    }

    /// @notice Refuses a number that is too far from its anchor.
    /// @param field Name for the error.
    /// @param anchor Anchor.
    /// @param lnWad Logarithm of the number.
    /// @param limitWad Largest distance.
    function check(bytes32 field, int256 anchor, int256 lnWad, int256 limitWad) internal pure {
        int256 movedWad = lnWad - anchor * STEP_WAD;
        if (movedWad > limitWad) revert IOracle.Oracle__TooFast(field, movedWad, limitWad);
        if (movedWad < -limitWad) revert IOracle.Oracle__TooFast(field, movedWad, -limitWad);
    }

    /// @notice Anchor after a number was accepted.
    /// @param anchor Anchor before.
    /// @param lnWad Logarithm of the number.
    /// @param keptWad See `kept`.
    /// @return Anchor.
    function follow(int256 anchor, int256 lnWad, int256 keptWad) internal pure returns (int256) {
        unchecked {
            // Unchecked: logarithms are below 2**67, the share at most 2**60.
            int256 leadWad = anchor * STEP_WAD - lnWad;
            int256 nextWad = lnWad + leadWad * keptWad / 1e18;
            int256 next = nextWad / STEP_WAD;
            if (leadWad > 0 && next * STEP_WAD < nextWad) ++next;
            if (leadWad < 0 && next * STEP_WAD > nextWad) --next;
            return next;
        }
    }

    /// @notice Anchor of a number that never had one.
    /// @param lnWad Logarithm of the number.
    /// @return Anchor.
    function first(int256 lnWad) internal pure returns (int256) {
        return lnWad / STEP_WAD;
    }
}
