// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ln} from "./Ln.sol";
import {NormalDistribution} from "./NormalDistribution.sol";
import {Sqrt} from "./Sqrt.sol";

/// @title Black76
/// @notice Undiscounted price and delta of a European call on a forward; a put follows by parity.
/// @dev C = F*N(d1) - K*N(d2), d1 = ln(F/K)/std + std/2, d2 = d1 - std, std = vol*sqrt(T).
/// @custom:unit wad; time in seconds, a year has 365 days
/// @custom:error-bound price 6e-10*F + 2e-11*K, delta 3e-10; always inside [max(F - K, 0), F]
/// @custom:mirror offchain.mirror.black76
library Black76 {
    uint256 private constant YEAR_SEC = 365 days;
    uint256 private constant PRICE_LIMIT = 1 << 112;
    uint256 private constant VOL_LIMIT_WAD = 1 << 80;
    uint256 private constant TIME_LIMIT_SEC = 1 << 40;

    /// @notice Thrown when a price is 2^112 wei or more.
    error Black76__Price(uint256 observed, uint256 limit);
    /// @notice Thrown when a volatility is 2^80 wei (1.2 million) or more.
    error Black76__Volatility(uint256 observed, uint256 limit);
    /// @notice Thrown when a time is 2^40 seconds or more.
    error Black76__Time(uint256 observed, uint256 limit);

    /// @notice Price and delta of a call.
    /// @custom:domain F, K < 2^112, vol < 2^80, T < 2^40; anything else reverts by name
    /// @param forwardWad Forward; 0 gives 0.
    /// @param strikeWad Strike; 0 gives the forward.
    /// @param volWad Volatility per year; 0 gives the intrinsic value.
    /// @param timeSec Time to expiry; 0 gives the intrinsic value.
    /// @return callWad Price.
    /// @return deltaWad N(d1); at the money exactly without time or volatility 1/2.
    function call(uint256 forwardWad, uint256 strikeWad, uint256 volWad, uint256 timeSec)
        internal
        pure
        returns (uint256 callWad, uint256 deltaWad)
    {
        unchecked {
            // Unchecked: the domain below keeps T*1e36 under 2**160 and vol*sqrt(T) under 2**168.
            if ((forwardWad | strikeWad) >> 112 | volWad >> 80 | timeSec >> 40 != 0) {
                _reject(forwardWad, strikeWad, volWad, timeSec);
            }
            return _call(forwardWad, strikeWad, (volWad * Sqrt.sqrt((timeSec * 1e36) / YEAR_SEC)) / 1e18);
        }
    }

    /// @notice Price and delta of a put: parity with the call.
    /// @custom:domain as `call`
    /// @param forwardWad Forward.
    /// @param strikeWad Strike.
    /// @param volWad Volatility per year.
    /// @param timeSec Time to expiry.
    /// @return putWad Price.
    /// @return deltaWad N(d1) - 1.
    function put(uint256 forwardWad, uint256 strikeWad, uint256 volWad, uint256 timeSec)
        internal
        pure
        returns (uint256 putWad, int256 deltaWad)
    {
        (uint256 callWad, uint256 n1) = call(forwardWad, strikeWad, volWad, timeSec);
        unchecked {
            // Unchecked: the call is at least F - K.
            return (callWad + strikeWad - forwardWad, int256(n1) - 1e18);
        }
    }

    function _call(uint256 forwardWad, uint256 strikeWad, uint256 stdWad)
        private
        pure
        returns (uint256 callWad, uint256 deltaWad)
    {
        unchecked {
            // Unchecked: |ln| < 2**67 and std < 2**108, prices times probabilities stay below 2**172.
            int256 f = int256(forwardWad);
            int256 k = int256(strikeWad);
            if (stdWad == 0 || f * k == 0) return _intrinsic(f, k);
            int256 std = int256(stdWad);
            int256 d1 = (Ln.lnRatio(forwardWad, strikeWad) * 1e18) / std + (std >> 1);
            deltaWad = NormalDistribution.cdf(d1);
            int256 price = (f * int256(deltaWad) - k * int256(NormalDistribution.cdf(d1 - std))) / 1e18;
            int256 floor = f > k ? f - k : int256(0);
            callWad = uint256(price > floor ? price : floor);
        }
    }

    function _intrinsic(int256 f, int256 k) private pure returns (uint256 callWad, uint256 deltaWad) {
        if (f > k) return (uint256(f - k), 1e18);
        return (0, f == k && f != 0 ? 0.5e18 : 0);
    }

    function _reject(uint256 forwardWad, uint256 strikeWad, uint256 volWad, uint256 timeSec) private pure {
        if (forwardWad >= PRICE_LIMIT) revert Black76__Price(forwardWad, PRICE_LIMIT);
        if (strikeWad >= PRICE_LIMIT) revert Black76__Price(strikeWad, PRICE_LIMIT);
        if (volWad >= VOL_LIMIT_WAD) revert Black76__Volatility(volWad, VOL_LIMIT_WAD);
        revert Black76__Time(timeSec, TIME_LIMIT_SEC);
    }
}
