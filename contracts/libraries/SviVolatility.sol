// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ln} from "./Ln.sol";
import {Sqrt} from "./Sqrt.sol";
import {Units} from "./Units.sol";

/// @title SviVolatility
/// @notice Volatility of a strike on a raw SVI slice of total variance.
/// @dev w(k) = a + b*(rho*(k - m) + sqrt((k - m)^2 + s^2)), k = ln(K/F); sigma = sqrt(w/T).
/// @custom:unit wad; time in seconds, a year has 365 days
/// @custom:error-bound 1e-12 of the volatility where total variance is above 1e-10
/// @custom:mirror plimsoll.mirror.svi
library SviVolatility {
    uint256 private constant YEAR_SEC = Units.YEAR_SEC;
    uint256 private constant LIMIT = 1 << 112;
    int256 private constant PARAMETER_LIMIT_WAD = 1 << 80;

    /// @notice Raw SVI parameters of one expiry.
    /// @custom:unit wad
    struct Slice {
        int256 aWad;
        int256 bWad;
        int256 rhoWad;
        int256 mWad;
        int256 sWad;
    }

    /// @notice Thrown when a price is 2^112 wei or more, or the time more seconds than that; names the largest.
    error SviVolatility__TooLarge(uint256 observed, uint256 limit);
    /// @notice Thrown when there is no time left.
    error SviVolatility__NoTime(uint256 observed, uint256 limit);
    /// @notice Thrown when a parameter is not in [-2^80, 2^80) wei (1.2 million); names the first.
    error SviVolatility__Parameter(int256 observed, int256 limit);

    /// @notice Volatility of a strike.
    /// @custom:domain prices above 0 and below 2^112, 0 < T <= 2^112, parameters in [-2^80, 2^80); anything else
    /// reverts by name
    /// @param slice Parameters.
    /// @param forwardWad Forward.
    /// @param strikeWad Strike.
    /// @param timeSec Time to expiry.
    /// @return Volatility per year; 0 where the slice is not positive.
    function volatility(Slice memory slice, uint256 forwardWad, uint256 strikeWad, uint256 timeSec)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            // Unchecked: no time wraps and fails the check; the domain bounds every product of `_variance` by 2**166
            // and the last one by 2**250.
            uint256 union = (forwardWad | strikeWad | (timeSec - 1)) >> 31;
            if ((union | _span(slice)) >> 81 != 0) _reject(slice, forwardWad, strikeWad, timeSec);
            uint256 w = _variance(slice, Ln.lnRatio(strikeWad, forwardWad));
            assembly ("memory-safe") {
                // Equivalent: w = w * 1e18 * YEAR_SEC / timeSec.
                w := div(mul(w, 31536000000000000000000000), timeSec)
            }
            return Sqrt.sqrt(w);
        }
    }

    /// @dev All parameters, moved to [0, 2^81) where they are in the domain, in one word.
    function _span(Slice memory slice) private pure returns (uint256) {
        unchecked {
            // Unchecked: what wraps has its highest bits set or was far outside.
            int256 moved = (slice.aWad + PARAMETER_LIMIT_WAD) | (slice.bWad + PARAMETER_LIMIT_WAD);
            moved |= (slice.rhoWad + PARAMETER_LIMIT_WAD) | (slice.mWad + PARAMETER_LIMIT_WAD);
            return uint256(moved | (slice.sWad + PARAMETER_LIMIT_WAD));
        }
    }

    function _variance(Slice memory slice, int256 kWad) private pure returns (uint256) {
        unchecked {
            // Unchecked: by the domain and |k| < 2**67.
            int256 x = kWad - slice.mWad;
            int256 root = int256(Sqrt.sqrt(uint256(x * x + slice.sWad * slice.sWad)));
            int256 w = slice.aWad + (slice.bWad * ((slice.rhoWad * x) / 1e18 + root)) / 1e18;
            return uint256(w & ~(w >> 255)); // at least 0
        }
    }

    function _reject(Slice memory slice, uint256 forwardWad, uint256 strikeWad, uint256 timeSec) private pure {
        if (timeSec == 0) revert SviVolatility__NoTime(0, 1);
        uint256 largest = forwardWad > strikeWad ? forwardWad : strikeWad;
        if (timeSec > largest) largest = timeSec;
        if (largest >= LIMIT) revert SviVolatility__TooLarge(largest, LIMIT);
        _rejectParameter(slice.aWad);
        _rejectParameter(slice.bWad);
        _rejectParameter(slice.rhoWad);
        _rejectParameter(slice.mWad);
        _rejectParameter(slice.sWad);
    }

    function _rejectParameter(int256 valueWad) private pure {
        if (valueWad >= PARAMETER_LIMIT_WAD || valueWad < -PARAMETER_LIMIT_WAD) {
            revert SviVolatility__Parameter(valueWad, PARAMETER_LIMIT_WAD);
        }
    }
}
