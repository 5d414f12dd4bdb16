// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {Units} from "./Units.sol";

/// @title OptionKernel
/// @notice Black-76 on a shocked forward and SVI volatility, with what all rows share computed once.
/// @dev Standard deviations, logarithms and d are Q64, probabilities Q60, prices wad.
/// @custom:error-bound price 4e-11*(F + K), delta 4e-11
/// @custom:mirror offchain.mirror.black76
library OptionKernel {
    int256 private constant INV_SQRT_2PI_WAD = 398942280401432678;

    /// @notice What every option of one expiry shares.
    struct Expiry {
        uint256 expiryTs;
        uint256 timeSec;
        uint256 forwardWad;
        int256 rateWad;
        /// @dev exp(-r*T), Q64.
        int256 discountQ64;
        /// @dev sqrt(T in years), Q64.
        uint256 rootTimeQ64;
        /// @dev 1 + volUp*g(T) and max(0, 1 - volDown*g(T)), wad.
        uint256 upWad;
        uint256 downWad;
        /// @dev 0.6*sqrt(max(T, 1 day)), wad.
        int256 skewScaleWad;
        int256 aWad;
        int256 bWad;
        int256 rhoWad;
        int256 mWad;
        int256 sWad;
    }

    /// @notice One option before any shock.
    struct Option {
        int256 strikeWad;
        int256 logMoneynessQ64;
        /// @dev clamp(ln(K/F)/skewScale, -1, 1), wad.
        int256 skewWad;
        uint256 sigmaWad;
        /// @dev sigma*sqrt(T) per vol state (up, flat, down), Q64, and 2**128 over it.
        uint256[3] stdQ64;
        uint256[3] inverseQ64;
        /// @dev Filled by `settle`: discounted price and delta, d1.
        int256 priceWad;
        int256 deltaWad;
        int256 d1Q64;
    }

    /// @notice Prepares an expiry.
    /// @param surface Slice of the round.
    /// @param ts Time of the round.
    /// @param volUpWad Relative vol increase at 30 days, wad.
    /// @param volDownWad Relative vol decrease at 30 days, wad.
    /// @return e Shared numbers.
    function prepare(IOracle.Surface memory surface, uint256 ts, uint256 volUpWad, uint256 volDownWad)
        internal
        pure
        returns (Expiry memory e)
    {
        e.expiryTs = surface.expiryTs;
        e.timeSec = surface.expiryTs > ts ? surface.expiryTs - ts : 0;
        e.forwardWad = surface.forwardWad;
        e.rateWad = surface.rateWad;
        int256 rateTimeWad = (surface.rateWad * int256(e.timeSec)) / int256(Units.YEAR_SEC);
        e.discountQ64 = (FixedPointMathLib.expWad(-rateTimeWad) << 64) / 1e18;
        e.rootTimeQ64 = FixedPointMathLib.sqrt((e.timeSec << 128) / Units.YEAR_SEC);
        uint256 floorSec = e.timeSec > 1 days ? e.timeSec : 1 days;
        uint256 factorWad = _termFactor(floorSec);
        e.upWad = 1e18 + (volUpWad * factorWad) / 1e18;
        uint256 fallWad = (volDownWad * factorWad) / 1e18;
        e.downWad = fallWad < 1e18 ? 1e18 - fallWad : 0;
        e.skewScaleWad = int256((6 * FixedPointMathLib.sqrt((floorSec * 1e36) / Units.YEAR_SEC)) / 10);
        (e.aWad, e.bWad, e.rhoWad) = (surface.aWad, int256(surface.bWad), surface.rhoWad);
        (e.mWad, e.sWad) = (surface.mWad, int256(surface.sWad));
    }

    /// @notice g(T) = (30 days / T)^p, p = 0.30 up to 30 days, else 0.13.
    /// @param timeSec At least one day.
    /// @return Factor, wad.
    function _termFactor(uint256 timeSec) private pure returns (uint256) {
        int256 powerWad = timeSec <= 30 days ? int256(0.3e18) : int256(0.13e18);
        int256 lnWad = FixedPointMathLib.lnWad(int256((30 days * 1e18) / timeSec));
        return uint256(FixedPointMathLib.expWad((powerWad * lnWad) / 1e18));
    }

    /// @notice Total variance of the SVI slice, at least 0.
    /// @param e Expiry.
    /// @param kWad ln(K/F), wad.
    /// @return w Total variance, wad.
    function totalVariance(Expiry memory e, int256 kWad) internal pure returns (uint256 w) {
        unchecked {
            // Unchecked: the round's domain bounds every factor by 2**67.
            int256 x = kWad - e.mWad;
            int256 root = int256(FixedPointMathLib.sqrt(uint256(x * x + e.sWad * e.sWad)));
            int256 wWad = e.aWad + (e.bWad * ((e.rhoWad * x) / 1e18 + root)) / 1e18;
            w = wWad > 0 ? uint256(wWad) : 0;
        }
    }

    /// @notice Prepares one option.
    /// @param o Memory of the option; overwritten, so that one allocation serves a whole portfolio.
    /// @param e Expiry.
    /// @param strikeWad Strike, positive.
    /// @param volFloorWad Floor of the up state, wad.
    function open(
        Option memory o,
        Expiry memory e,
        uint256 strikeWad,
        uint256 volFloorWad
    ) internal pure {
        unchecked {
            // Unchecked: strikes and forwards are below 2**105 and strikes at least 1e10, so |ln(F/K)| < 47.
            o.strikeWad = int256(strikeWad);
            int256 lnWad = _lnRatio(e.forwardWad, strikeWad);
            o.logMoneynessQ64 = (lnWad << 64) / 1e18;
            int256 skewWad = (-lnWad * 1e18) / e.skewScaleWad;
            o.skewWad = skewWad > 1e18 ? int256(1e18) : skewWad < -1e18 ? -int256(1e18) : skewWad;
            _setVolatility(o, e, lnWad, volFloorWad);
        }
    }

    /// @dev ln(F/K); the larger one is the numerator, so that the quotient keeps 18 digits.
    function _lnRatio(uint256 forwardWad, uint256 strikeWad) private pure returns (int256) {
        unchecked {
            if (forwardWad >= strikeWad) return FixedPointMathLib.lnWad(int256((forwardWad * 1e18) / strikeWad));
            return -FixedPointMathLib.lnWad(int256((strikeWad * 1e18) / forwardWad));
        }
    }

    /// @dev Variance at 0 time is 0: intrinsic value.
    function _setVolatility(Option memory o, Expiry memory e, int256 lnWad, uint256 volFloorWad) private pure {
        uint256 w = e.timeSec == 0 ? 0 : totalVariance(e, -lnWad);
        unchecked {
            // Unchecked: the round's domain bounds w by 2**80, so every product stays below 2**210.
            uint256 root = e.rootTimeQ64;
            uint256 flat = FixedPointMathLib.sqrt((w << 128) / 1e18);
            o.sigmaWad = root == 0 ? 0 : (flat * 1e18) / root;
            uint256 upWad = (o.sigmaWad * e.upWad) / 1e18;
            if (upWad < volFloorWad) upWad = volFloorWad;
            _setState(o, 0, (upWad * root) / 1e18);
            _setState(o, 1, flat);
            _setState(o, 2, (flat * e.downWad) / 1e18);
        }
    }

    function _setState(Option memory o, uint256 vol, uint256 stdQ64) private pure {
        o.stdQ64[vol] = stdQ64;
        o.inverseQ64[vol] = inverseOf(stdQ64);
    }

    /// @notice 2**128 over a standard deviation, Q64.
    /// @dev Zero gives a number so large that any logarithm leaves the table: N is 0 or 1, or 1/2 at the money
    /// exactly, which is the intrinsic value and its delta.
    /// @param stdQ64 Standard deviation.
    /// @return Reciprocal.
    function inverseOf(uint256 stdQ64) internal pure returns (uint256) {
        unchecked {
            return stdQ64 == 0 ? 1 << 140 : (1 << 128) / stdQ64;
        }
    }

    /// @notice Fills price and delta from the undiscounted call; a put follows by parity.
    /// @param o Option.
    /// @param e Expiry.
    /// @param isCall Call or put.
    /// @param callWad Undiscounted call price.
    /// @param n1 N(d1), Q60.
    function settle(Option memory o, Expiry memory e, bool isCall, int256 callWad, int256 n1) internal pure {
        unchecked {
            // Unchecked: prices are below 2**109, the discount below 2**72.
            if (!isCall) {
                callWad += o.strikeWad - int256(e.forwardWad);
                n1 -= 1 << 60;
            }
            o.priceWad = callWad > 0 ? (callWad * e.discountQ64) >> 64 : int256(0);
            o.deltaWad = (n1 * e.discountQ64 * 1e18) >> 124;
            o.d1Q64 = ((o.logMoneynessQ64 * int256(o.inverseQ64[1])) >> 64) + int256(o.stdQ64[1] >> 1);
        }
    }

    /// @notice Cash vega per 1.00 of vol of one unit, at the unshocked point.
    /// @param e Expiry.
    /// @param o Option.
    /// @return vegaWad D*F*phi(d1)*sqrt(T), wad; 0 for the intrinsic value.
    function vega(Expiry memory e, Option memory o) internal pure returns (int256 vegaWad) {
        if (o.stdQ64[1] == 0) return 0;
        unchecked {
            // Unchecked: density below 2**63, forward below 2**105, root below 2**68.
            vegaWad = (((density(e, o) * int256(e.forwardWad)) / 1e18) * int256(e.rootTimeQ64)) >> 64;
        }
    }

    /// @notice Gamma and theta of one unit at the unshocked point.
    /// @dev Gamma = D*phi(d1)/(F*std); theta = -vega*sigma/(2T) + r*V; both 0 for the intrinsic value.
    /// @param e Expiry.
    /// @param o Option.
    /// @param vegaWad Its vega.
    /// @return gammaWad Per unit of the forward squared, wad.
    /// @return thetaWad Cash per year, wad.
    function slowGreeks(Expiry memory e, Option memory o, int256 vegaWad)
        internal
        pure
        returns (int256 gammaWad, int256 thetaWad)
    {
        if (o.stdQ64[1] == 0) return (0, 0);
        gammaWad = (((density(e, o) << 64) / int256(o.stdQ64[1])) * 1e18) / int256(e.forwardWad);
        thetaWad = (e.rateWad * o.priceWad) / 1e18
            - (vegaWad * int256(o.sigmaWad) * int256(Units.YEAR_SEC)) / (2e18 * int256(e.timeSec));
    }

    /// @notice Discounted normal density at d1.
    /// @param e Expiry.
    /// @param o Option.
    /// @return D*phi(d1), wad.
    function density(Expiry memory e, Option memory o) internal pure returns (int256) {
        // Beyond 9 standard deviations the density is below 1e-18.
        if (o.d1Q64 > 9 << 64 || o.d1Q64 < -(9 << 64)) return 0;
        unchecked {
            // Unchecked: |d1| <= 9 by the line above.
            int256 d1Wad = (o.d1Q64 * 1e18) >> 64;
            int256 phi = (INV_SQRT_2PI_WAD * FixedPointMathLib.expWad(-(d1Wad * d1Wad) / 2e18)) / 1e18;
            return (phi * e.discountQ64) >> 64;
        }
    }
}
