// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {Units} from "./Units.sol";

/// @title RoundDomain
/// @notice What a round must satisfy before it is accepted (risk-model section 1), and that it fits its storage.
library RoundDomain {
    uint256 internal constant MAX_EXPIRIES = 12;
    uint256 internal constant MAX_PRICE_WAD = 1e12 * 1e18;
    int256 private constant MAX_RATE_WAD = 9e18;
    int256 private constant MAX_VARIANCE_WAD = 1000e18;
    uint256 private constant WINDOW_SEC = 30 minutes;
    /// @dev Longer than anything that is traded; a time in milliseconds is beyond it.
    uint256 private constant MAX_TENOR_SEC = 3650 days;
    /// @dev A discount factor is between 1/e and e: far from where an exponential leaves its domain.
    int256 private constant MAX_DISCOUNT_WAD = Units.WAD;
    int256 private constant YEAR_SEC = int256(Units.YEAR_SEC);

    /// @notice Checks every field of a round.
    /// @param round Round as signed.
    function check(IOracle.Round calldata round) internal pure {
        checkPrice("spot", round.spotWad);
        checkPrice("perp", round.perpWad);
        if (round.confWad > 1e18) _fail("confidence", int256(round.confWad), 1e18);
        IOracle.Surface[] calldata surfaces = round.surfaces;
        uint256 n = surfaces.length;
        if (n > MAX_EXPIRIES) revert IOracle.Oracle__BadLength(n, MAX_EXPIRIES);
        (uint256 roundTs, uint256 previous) = (round.ts, round.ts);
        for (uint256 i; i < n; ++i) {
            IOracle.Surface calldata s = surfaces[i];
            uint256 expiryTs = s.expiryTs;
            // The first may expire at the very time of the round; the others must come later and later.
            if (expiryTs < previous || (i != 0 && expiryTs == previous)) {
                _fail("expiry", int256(expiryTs), int256(previous));
            }
            previous = expiryTs;
            checkSurface(s);
            _checkTenor(s.rateWad, expiryTs, roundTs);
        }
        _checkWindow(surfaces, roundTs, round.meanWad);
    }

    /// @notice Checks a price: positive and at most 1e12.
    /// @param field Name for the error.
    /// @param priceWad Price.
    function checkPrice(bytes32 field, uint256 priceWad) internal pure {
        if (priceWad == 0) _fail(field, 0, 1);
        if (priceWad > MAX_PRICE_WAD) _fail(field, int256(priceWad), int256(MAX_PRICE_WAD));
    }

    /// @notice Checks one slice: signs, minimum variance, Lee wing bound.
    /// @param s Slice.
    function checkSurface(IOracle.Surface calldata s) internal pure {
        checkPrice("forward", s.forwardWad);
        _within("rate", s.rateWad, MAX_RATE_WAD);
        _within("a", s.aWad, MAX_VARIANCE_WAD);
        _within("m", s.mWad, MAX_RATE_WAD);
        _within("rho", s.rhoWad, 1e18 - 1);
        if (s.sWad == 0) _fail("s", 0, 1);
        if (s.sWad > 9e18) _fail("s", int256(s.sWad), 9e18);
        if (s.bWad > 2e18) _fail("b", int256(s.bWad), 2e18);
        unchecked {
            // Unchecked: every factor is at most 9e18 by now.
            int256 absRho = s.rhoWad < 0 ? -s.rhoWad : s.rhoWad;
            int256 wing = (int256(s.bWad) * (1e18 + absRho)) / 1e18;
            if (wing > 2e18) _fail("b*(1+|rho|)", wing, 2e18);
            int256 root = int256(FixedPointMathLib.sqrt(uint256(1e36 - absRho * absRho)));
            int256 minimum = s.aWad + (((int256(s.bWad) * int256(s.sWad)) / 1e18) * root) / 1e18;
            // Two wei of slack: the products above are rounded down.
            if (minimum < -2) _fail("minimum variance", minimum, 0);
        }
    }

    /// @dev What time makes of an expiry: how far it is and what a unit of cash at it is worth.
    function _checkTenor(int256 rateWad, uint256 expiryTs, uint256 roundTs) private pure {
        unchecked {
            // Unchecked: times have 40 bits, an expiry does not come before its round, a rate is at most 9e18.
            uint256 leftSec = expiryTs - roundTs;
            if (leftSec > MAX_TENOR_SEC) _fail("expiry", int256(expiryTs), int256(roundTs + MAX_TENOR_SEC));
            _within("rate*T", (rateWad * int256(leftSec)) / YEAR_SEC, MAX_DISCOUNT_WAD);
        }
    }

    /// @dev A running mean belongs to the one settlement window that is open, and to none otherwise.
    function _checkWindow(IOracle.Surface[] calldata surfaces, uint256 roundTs, uint256 meanWad) private pure {
        uint256 until = roundTs + WINDOW_SEC;
        if (surfaces.length == 0 || surfaces[0].expiryTs >= until) {
            if (meanWad != 0) _fail("mean", int256(meanWad), 0);
            return;
        }
        checkPrice("mean", meanWad);
        if (surfaces.length > 1 && surfaces[1].expiryTs < until) {
            revert IOracle.Oracle__WindowsOverlap(surfaces[1].expiryTs, until);
        }
    }

    function _within(bytes32 field, int256 value, int256 limit) private pure {
        if (value > limit) _fail(field, value, limit);
        if (value < -limit) _fail(field, value, -limit);
    }

    function _fail(bytes32 field, int256 observed, int256 limit) private pure {
        revert IOracle.Oracle__OutOfDomain(field, observed, limit);
    }
}
