// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ln} from "./Ln.sol";
import {NormalDistribution} from "./NormalDistribution.sol";
import {Sqrt} from "./Sqrt.sol";

/// @title Black76
/// @notice Undiscounted price and delta of a European call on a forward; a put follows by parity.
/// @dev C = F*N(d1) - K*N(d2), d1 = ln(F/K)/std + std/2, d2 = d1 - std, std = vol*sqrt(T).
/// @custom:unit wad; time in seconds, a year has 365 days
/// @custom:error-bound price 4e-10*F + 8e-11*K, delta 3e-10; always inside [max(F - K, 0), F]
/// @custom:mirror plimsoll.mirror.black76
library Black76 {
    /// @dev One second in years of 365 days, wad squared.
    uint256 private constant SECOND = 31709791983764586504312531710;
    uint256 private constant LIMIT = 1 << 112;

    /// @notice Thrown when a price, a volatility (wei) or a time (seconds) is 2^112 or more; names the largest.
    error Black76__TooLarge(uint256 observed, uint256 limit);

    /// @notice Price and delta of a call.
    /// @custom:domain prices above 0, every argument below 2^112; anything else reverts by name
    /// @param forwardWad Forward.
    /// @param strikeWad Strike.
    /// @param volWad Volatility per year; 0 gives the intrinsic value.
    /// @param timeSec Time to expiry; 0 gives the intrinsic value.
    /// @return callWad Price.
    /// @return deltaWad N(d1); at the money exactly without time or volatility 1/2.
    function call(uint256 forwardWad, uint256 strikeWad, uint256 volWad, uint256 timeSec)
        internal
        pure
        returns (uint256 callWad, uint256 deltaWad)
    {
        if ((forwardWad | strikeWad | volWad | timeSec) >> 112 != 0) {
            _reject(forwardWad, strikeWad, volWad, timeSec);
        }
        unchecked {
            // Unchecked: T*1e36 < 2**232, vol*sqrt(T) < 2**216, |d1| < 2**157, F*N(d1) < 2**172.
            uint256 std = (volWad * Sqrt.sqrt(timeSec * SECOND)) / 1e18;
            int256 d1 = _d1(Ln.lnRatio(forwardWad, strikeWad), std);
            deltaWad = NormalDistribution.cdf(d1);
            uint256 n2 = NormalDistribution.cdf(d1 - int256(std));
            int256 price = int256(forwardWad * deltaWad - strikeWad * n2) / 1e18;
            assembly ("memory-safe") {
                // Equivalent: callWad = max(price, forwardWad - strikeWad, 0); rounding must not leave the bounds.
                let over := sub(sub(forwardWad, strikeWad), price)
                price := add(price, mul(over, sgt(over, 0)))
                callWad := mul(price, sgt(price, 0))
            }
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

    /// @dev One wei more in the denominator: without a deviation d1 is outside the distribution, or 0 at the money
    /// exactly, which is the intrinsic value and its delta.
    function _d1(int256 lnWad, uint256 std) private pure returns (int256 d1) {
        assembly ("memory-safe") {
            // Equivalent: d1 = lnWad * 1e18 / (std + 1) + std / 2.
            d1 := add(sdiv(mul(lnWad, 1000000000000000000), add(std, 1)), shr(1, std))
        }
    }

    function _reject(uint256 forwardWad, uint256 strikeWad, uint256 volWad, uint256 timeSec) private pure {
        uint256 price = forwardWad > strikeWad ? forwardWad : strikeWad;
        uint256 other = volWad > timeSec ? volWad : timeSec;
        revert Black76__TooLarge(price > other ? price : other, LIMIT);
    }
}
