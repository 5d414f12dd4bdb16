// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {NormalCdf} from "./NormalCdf.sol";
import {Units} from "./Units.sol";
import {WadMath} from "./WadMath.sol";

/// @title OptionKernel
/// @notice Black-76 on a shocked forward and SVI volatility, with what all rows share computed once.
/// @dev Standard deviations and logarithms are Q64, probabilities Q60, prices wad.
/// @custom:error-bound price 1.5e-11*(F + K), delta 1.5e-11
/// @custom:mirror offchain.mirror.black76
library OptionKernel {
    /// @dev 1/sqrt(2*pi), Q60.
    int256 private constant INV_SQRT_2PI_Q60 = 459949134171706403;

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
        /// @dev D*F, wad.
        int256 presentWad;
        /// @dev Sums over the portfolio, all of quantity*D*F, Q60 wei: *delta; *phi(d1); *phi(d1)*std.
        int256 deltaCash;
        int256 densityCash;
        int256 vegaCash;
    }

    /// @notice One volatility of an option, as the grid's loop reads it.
    struct Volatility {
        /// @dev sigma*sqrt(T), Q64, and 2**128 over it.
        uint256 stdQ64;
        uint256 inverseQ64;
        /// @dev The same deviation, and the place of half of it in the normal table.
        uint256 stdQ38;
        uint256 middleQ38;
    }

    /// @notice One option before any shock; ScenarioGrid finds a vol state by its place among the first three.
    struct Option {
        Volatility up;
        Volatility flat;
        Volatility down;
        Volatility skewed;
        int256 strikeWad;
        int256 logMoneynessQ64;
        /// @dev clamp(ln(K/F)/skewScale, -1, 1), wad.
        int256 skewWad;
    }

    /// @notice Prepares an expiry.
    /// @param e Memory of the expiry.
    /// @param surface Slice of the round.
    /// @param ts Time of the round.
    /// @param volUpWad Relative vol increase at 30 days, wad.
    /// @param volDownWad Relative vol decrease at 30 days, wad.
    function prepare(
        Expiry memory e,
        IOracle.Surface memory surface,
        uint256 ts,
        uint256 volUpWad,
        uint256 volDownWad
    ) internal pure {
        e.expiryTs = surface.expiryTs;
        e.timeSec = surface.expiryTs > ts ? surface.expiryTs - ts : 0;
        e.forwardWad = surface.forwardWad;
        e.rateWad = surface.rateWad;
        int256 rateTimeWad = (surface.rateWad * int256(e.timeSec)) / int256(Units.YEAR_SEC);
        e.discountQ64 = (FixedPointMathLib.expWad(-rateTimeWad) << 64) / 1e18;
        e.presentWad = (int256(e.forwardWad) * e.discountQ64) >> 64;
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
            int256 wWad = e.aWad + WadMath.quotient(e.bWad * (WadMath.quotient(e.rhoWad * x, 1e18) + root), 1e18);
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
            o.logMoneynessQ64 = WadMath.quotient(lnWad << 64, 1e18);
            int256 skewWad = WadMath.quotient(-lnWad * 1e18, e.skewScaleWad);
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
            uint256 flat = FixedPointMathLib.sqrt((w << 128) / 1e18);
            uint256 up = (flat * e.upWad) / 1e18;
            uint256 lowest = (e.rootTimeQ64 * volFloorWad) / 1e18;
            setVolatility(o.up, up > lowest ? up : lowest);
            setVolatility(o.flat, flat);
            setVolatility(o.down, (flat * e.downWad) / 1e18);
        }
    }

    /// @notice Fills one volatility.
    /// @param v Memory of it.
    /// @param stdQ64 Standard deviation.
    function setVolatility(Volatility memory v, uint256 stdQ64) internal pure {
        unchecked {
            // Unchecked: shifts and a sum far below 2**255.
            (v.stdQ64, v.inverseQ64, v.stdQ38) = (stdQ64, inverseOf(stdQ64), stdQ64 >> 26);
            v.middleQ38 = uint256(NormalCdf.CENTRE_Q38) + (v.stdQ38 >> 1);
        }
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

    /// @notice Place of the unshocked d1 in the normal table.
    /// @param o Option.
    /// @return Position d1 + 7, Q38.
    function positionOf(Option memory o) internal pure returns (int256) {
        unchecked {
            // Unchecked: the logarithm is below 2**70, the reciprocal at most 2**140. As in ScenarioGrid.
            return ((o.logMoneynessQ64 * int256(o.flat.inverseQ64)) >> 90) + int256(o.flat.middleQ38);
        }
    }

    /// @notice Price of one unit at the unshocked point.
    /// @param o Option.
    /// @param e Expiry.
    /// @param isCall Call or put.
    /// @param table Normal table in memory.
    /// @return priceWad Discounted price, wad.
    function price(Option memory o, Expiry memory e, bool isCall, uint256 table)
        internal
        pure
        returns (int256 priceWad)
    {
        unchecked {
            // Unchecked: prices are below 2**109, the discount below 2**72.
            int256 z = positionOf(o);
            int256 forwardWad = int256(e.forwardWad);
            priceWad = (forwardWad * NormalCdf.cdf(table, z)
                    - o.strikeWad * NormalCdf.cdf(table, z - int256(o.flat.stdQ38))) >> 60;
            if (!isCall) priceWad += o.strikeWad - forwardWad;
            priceWad = priceWad > 0 ? (priceWad * e.discountQ64) >> 64 : int256(0);
        }
    }

    /// @notice Normal density, undiscounted.
    /// @param z Position d1 + 7, Q38.
    /// @return phi phi(d1), Q60.
    function density(int256 z) internal pure returns (int256 phi) {
        unchecked {
            int256 d = z - NormalCdf.CENTRE_Q38;
            // Beyond 9 standard deviations the density is below 1e-18.
            if (d > 9 << 38 || d < -(9 << 38)) return 0;
            // Unchecked: |d1| <= 9 by the line above.
            phi = WadMath.quotient(INV_SQRT_2PI_Q60 * FixedPointMathLib.expWad(-((d * d * 5e17) >> 76)), 1e18);
        }
    }

    /// @notice Gamma and theta of one unit at the unshocked point.
    /// @dev Gamma = D*phi(d1)/(F*std); theta = -D*F*phi(d1)*std/(2T) + r*V; both 0 for the intrinsic value.
    /// @param e Expiry.
    /// @param o Option.
    /// @param phiQ60 Its density.
    /// @param priceWad Its price.
    /// @return gammaWad Per unit of the forward squared, wad.
    /// @return thetaWad Cash per year, wad.
    function slowGreeks(Expiry memory e, Option memory o, int256 phiQ60, int256 priceWad)
        internal
        pure
        returns (int256 gammaWad, int256 thetaWad)
    {
        int256 std = int256(o.flat.stdQ64);
        if (std == 0) return (0, 0);
        int256 discounted = (phiQ60 * e.discountQ64) >> 60;
        gammaWad = (((((discounted << 64) / std) * 1e18) >> 64) * 1e18) / int256(e.forwardWad);
        int256 decay = ((((int256(e.forwardWad) * discounted) >> 64) * std) >> 64) * int256(Units.YEAR_SEC);
        thetaWad = (e.rateWad * priceWad) / 1e18 - decay / (2 * int256(e.timeSec));
    }
}
