// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ln} from "./Ln.sol";
import {Sqrt} from "./Sqrt.sol";

/// @title SviVolatility
/// @notice Volatility of a strike on a raw SVI slice of total variance.
/// @dev w(k) = a + b*(rho*(k - m) + sqrt((k - m)^2 + s^2)), k = ln(K/F); sigma = sqrt(w/T).
/// @custom:unit wad; time in seconds, a year has 365 days
/// @custom:mirror offchain.mirror.svi
library SviVolatility {
    uint256 private constant YEAR_SEC = 365 days;
    uint256 private constant PRICE_LIMIT = 1 << 112;
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

    /// @notice Thrown when a price is 0, or 2^112 wei or more.
    error SviVolatility__Price(uint256 observed, uint256 limit);
    /// @notice Thrown when a parameter is 2^80 wei (1.2 million) or more in size.
    error SviVolatility__Parameter(int256 observed, int256 limit);
    /// @notice Thrown when the time is 0, or 2^40 seconds or more.
    error SviVolatility__Time(uint256 observed, uint256 limit);

    /// @notice Volatility of a strike.
    /// @custom:domain 0 < F, K < 2^112; 0 < T < 2^40; |parameters| < 2^80; anything else reverts by name
    /// @custom:error-bound 1e-14 of the volatility plus 1e-14*b*(1 + |rho|)/(2*sigma*T)
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
        if ((forwardWad | strikeWad) >> 112 != 0) revert SviVolatility__Price(forwardWad | strikeWad, PRICE_LIMIT);
        if (forwardWad == 0 || strikeWad == 0) revert SviVolatility__Price(0, 1);
        if (timeSec == 0 || timeSec >> 40 != 0) revert SviVolatility__Time(timeSec, 1 << 40);
        uint256 w = totalVariance(slice, Ln.lnRatio(strikeWad, forwardWad));
        unchecked {
            // Unchecked: w < 2**164, so the product is below 2**250.
            return Sqrt.sqrt((w * (1e18 * YEAR_SEC)) / timeSec);
        }
    }

    /// @notice Total variance at a log-moneyness.
    /// @custom:domain |parameters| and |k| < 2^80, else a named revert
    /// @param slice Parameters.
    /// @param kWad ln(K/F).
    /// @return Total variance, at least 0.
    function totalVariance(Slice memory slice, int256 kWad) internal pure returns (uint256) {
        unchecked {
            // Unchecked: the domain bounds every product by 2**163.
            (int256 a, int256 b, int256 rho) = (slice.aWad, slice.bWad, slice.rhoWad);
            (int256 m, int256 s) = (slice.mWad, slice.sWad);
            _check(a, b, rho, m, s);
            int256 x = kWad - m;
            int256 root = int256(Sqrt.sqrt(uint256(x * x + s * s)));
            int256 w = a + (b * ((rho * x) / 1e18 + root)) / 1e18;
            return w > 0 ? uint256(w) : 0;
        }
    }

    /// @dev x ^ (x >> 255) is x or -x - 1, so one comparison of their union bounds all.
    function _check(int256 a, int256 b, int256 rho, int256 m, int256 s) private pure {
        int256 union = (a ^ (a >> 255)) | (b ^ (b >> 255)) | (rho ^ (rho >> 255)) | (m ^ (m >> 255)) | (s ^ (s >> 255));
        if (union >= PARAMETER_LIMIT_WAD) revert SviVolatility__Parameter(union, PARAMETER_LIMIT_WAD);
    }
}
