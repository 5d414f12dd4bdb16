// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IOracle} from "../../interfaces/IOracle.sol";
import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";
import {Exp} from "./Exp.sol";
import {Ln} from "./Ln.sol";
import {NormalCdf} from "./NormalCdf.sol";
import {Sqrt} from "./Sqrt.sol";
import {Units} from "./Units.sol";
import {WadMath} from "./WadMath.sol";

/// @title OptionKernel
/// @notice Black-76 on a shocked forward and SVI volatility, with what all rows share computed once.
/// @dev Standard deviations and logarithms are Q64, probabilities Q60, prices wad.
/// @custom:error-bound price 1e-9*(F + K), delta 1e-9
/// @custom:mirror plimsoll.mirror.black76
library OptionKernel {
    /// @dev 1/sqrt(2*pi), Q60.
    int256 private constant INV_SQRT_2PI_Q60 = 459949134171706403;

    /// @dev sqrt(1/365), Q64.
    uint256 private constant DAY_ROOT_Q64 = 965546714207883173;
    /// @dev 25 words of Expiry.
    uint256 private constant EXPIRY_BYTES = 800;
    /// @notice Length of the settlement window, whose mean of spot an expiry settles on.
    uint256 internal constant WINDOW_SEC = 30 minutes;
    /// @dev Before the window opens, the time of a variance is shorter than the time to expiry by this: a mean over the
    /// window varies like a price at a third of it.
    uint256 private constant MEAN_SEC = 20 minutes;
    /// @notice Bytes of one volatility in memory.
    uint256 internal constant VOLATILITY_BYTES = 128;
    uint256 private constant FLAT_PLACE = VOLATILITY_BYTES;
    uint256 private constant DOWN_PLACE = 2 * VOLATILITY_BYTES;

    /// @notice What every position of one expiry shares.
    struct Expiry {
        uint256 expiryTs;
        uint256 timeSec;
        /// @dev What is open of the settlement price, in WINDOW_SEC: all of it until the settlement window.
        uint256 openSec;
        /// @dev What is known of it, WINDOW_SEC times its share times the mean so far, wad.
        int256 knownWadSec;
        uint256 forwardWad;
        int256 rateWad;
        /// @dev exp(-r*T), Q64.
        int256 discountQ64;
        /// @dev Root of the time that the variance belongs to, in years, Q64.
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
        /// @dev D*F of what is open, wad.
        int256 presentWad;
        /// @dev Sums over the open options, weighted by quantity*D*F, in Q60 wei: of their deltas, and of their
        /// densities phi(d1), 0 where nobody asks for vega.
        int256 deltaCash;
        int256 densityCash;
        /// @dev Value of the linear part, the forwards inside puts included, and what a relative move of 1 would earn
        /// on it, both in wei.
        int256 markCash;
        int256 linearCash;
        /// @dev Number of options that are short, wad.
        uint256 shortUnits;
        /// @dev Memory position of the nodes in which options are summed, 0 while there are none.
        uint256 nodes;
        /// @dev The same of those with what is left of them at a cut-off, 0 until it is asked for.
        uint256 fadedNodes;
        /// @dev What forward and discount may move by, wad; 0 until it is asked for.
        uint256 basisRateWad;
    }

    /// @notice One option before any shock.
    struct Option {
        /// @dev Memory position of its volatilities, VOLATILITY_BYTES each: up, flat, down. ScenarioWalk takes those of
        /// the skews from them. Words of one, which ScenarioWalk reads as well:
        /// reciprocal of the standard deviation in the scale of positions, Q24: times a logarithm in Q36 it is one;
        /// position of the unshocked d1 = ln(F/K)/std + std/2, see NormalCdf, Q60;
        /// the deviation in the scale of positions, Q60;
        /// the deviation, Q64.
        uint256 volatilities;
        int256 strikeWad;
        int256 logMoneynessQ64;
        /// @dev Of the flat volatility.
        uint256 stdQ64;
    }

    /// @notice Makes room for expiries.
    /// @param count Number of them.
    /// @return expiries To be prepared, each before anything of it is read.
    function createExpiries(uint256 count) internal pure returns (Expiry[] memory expiries) {
        assembly ("memory-safe") {
            // Equivalent: expiries = new Expiry[](count), not cleared: `prepare` writes every field.
            expiries := mload(0x40)
            mstore(expiries, count)
            let slot := add(expiries, 0x20)
            let expiry := add(slot, shl(5, count))
            for { let end := expiry } lt(slot, end) { slot := add(slot, 0x20) } {
                mstore(slot, expiry)
                expiry := add(expiry, EXPIRY_BYTES)
            }
            mstore(0x40, expiry)
        }
    }

    /// @notice Prepares an expiry.
    /// @param e Memory of the expiry.
    /// @param surface Slice of the round.
    /// @param header Head of the round.
    /// @param volUpWad Relative vol increase at 30 days, wad.
    /// @param volDownWad Relative vol decrease at 30 days, wad.
    function prepare(
        Expiry memory e,
        IOracle.Surface memory surface,
        IOracle.Header memory header,
        uint256 volUpWad,
        uint256 volDownWad
    ) internal pure {
        unchecked {
            // Unchecked: the round's domain and the book's limits bound every factor by 2**104, times by 2**40.
            (e.expiryTs, e.forwardWad, e.rateWad) = (surface.expiryTs, surface.forwardWad, surface.rateWad);
            uint256 timeSec = surface.expiryTs > header.ts ? surface.expiryTs - header.ts : 0;
            e.timeSec = timeSec;
            int256 rateTimeWad = WadMath.quotient(surface.rateWad * int256(timeSec), int256(Units.YEAR_SEC));
            e.discountQ64 = int256((Exp.expWad(-rateTimeWad) << 64) / 1e18);
            e.presentWad = (int256(e.forwardWad) * e.discountQ64) >> 64;
            if (timeSec < WINDOW_SEC) _openWindow(e, header);
            else (e.openSec, e.knownWadSec, e.rootTimeQ64) = (WINDOW_SEC, 0, _rootQ64(timeSec - MEAN_SEC));
            uint256 rootQ64 = DAY_ROOT_Q64;
            if (timeSec < 1 days) timeSec = 1 days;
            else rootQ64 = _rootQ64(timeSec);
            uint256 factorWad = _termFactor(timeSec);
            e.upWad = 1e18 + (volUpWad * factorWad) / 1e18;
            uint256 fallWad = (volDownWad * factorWad) / 1e18;
            e.downWad = fallWad < 1e18 ? 1e18 - fallWad : 0;
            e.skewScaleWad = int256((rootQ64 * 0.6e18) >> 64);
            (e.aWad, e.bWad, e.rhoWad) = (surface.aWad, int256(surface.bWad), surface.rhoWad);
            (e.mWad, e.sWad) = (surface.mWad, int256(surface.sWad));
            (e.deltaCash, e.densityCash, e.markCash, e.linearCash) = (0, 0, 0, 0);
            (e.shortUnits, e.nodes, e.fadedNodes, e.basisRateWad) = (0, 0, 0, 0);
        }
    }

    /// @dev Inside the settlement window part of the payoff is known: a position is looked at as its open part at the
    /// strike or entry that is left for it.
    function _openWindow(Expiry memory e, IOracle.Header memory header) private pure {
        unchecked {
            // Unchecked: prices are below 2**105, times below 2**11.
            if (header.meanWad == 0) revert IRiskEngine.RiskEngine__NoSettlementMean(e.expiryTs, header.ts);
            uint256 timeSec = e.timeSec;
            e.openSec = timeSec;
            e.knownWadSec = int256(header.meanWad * (WINDOW_SEC - timeSec));
            e.presentWad = (e.presentWad * int256(timeSec)) / int256(WINDOW_SEC);
            e.rootTimeQ64 = Sqrt.sqrt((timeSec << 120) / (3 * Units.YEAR_SEC)) << 4;
        }
    }

    /// @dev Root of a time in years. In Q120 usual times (nine hours to three years) lie in the range where a root is
    /// cheap.
    function _rootQ64(uint256 timeSec) private pure returns (uint256) {
        unchecked {
            // Unchecked: times are below 2**40.
            return Sqrt.sqrt((timeSec << 120) / Units.YEAR_SEC) << 4;
        }
    }

    /// @notice Strike or entry of what is open of a position, discounted and times what is open.
    /// @param e Expiry.
    /// @param priceWad Strike or entry.
    /// @return presentWad Wad; not above 0 when what is known of the mean exceeds it.
    function presentOf(Expiry memory e, int256 priceWad) internal pure returns (int256 presentWad) {
        unchecked {
            // Unchecked: prices are below 2**105, the discount below 2**72.
            if (e.openSec == WINDOW_SEC) return (priceWad * e.discountQ64) >> 64;
            int256 left = priceWad * int256(WINDOW_SEC) - e.knownWadSec;
            return ((left * e.discountQ64) >> 64) / int256(WINDOW_SEC);
        }
    }

    /// @notice Strike of what is open of an option.
    /// @param e Expiry, of which something is open.
    /// @param strikeWad Strike.
    /// @return openWad Wad; not above 0 when what is known of the mean exceeds it.
    function openStrike(Expiry memory e, int256 strikeWad) internal pure returns (int256 openWad) {
        if (e.openSec == WINDOW_SEC) return strikeWad;
        unchecked {
            // Unchecked: prices are below 2**105, times below 2**11.
            return (strikeWad * int256(WINDOW_SEC) - e.knownWadSec) / int256(e.openSec);
        }
    }

    /// @notice Quantity of what is open.
    /// @param e Expiry.
    /// @param quantityWad Quantity, not negative.
    /// @return openWad Rounded up.
    function openQuantity(Expiry memory e, uint256 quantityWad) internal pure returns (uint256 openWad) {
        if (e.openSec == WINDOW_SEC) return quantityWad;
        unchecked {
            // Unchecked: quantities are below 2**135, times below 2**11.
            return (quantityWad * e.openSec + WINDOW_SEC - 1) / WINDOW_SEC;
        }
    }

    /// @notice g(T) = (30 days / T)^p, p = 0.30 up to 30 days, else 0.13.
    /// @param timeSec At least one day.
    /// @return Factor, wad.
    function _termFactor(uint256 timeSec) private pure returns (uint256) {
        unchecked {
            // Unchecked: the logarithm is below 5 wad. 100 times the power is whole.
            int256 percent = timeSec <= 30 days ? int256(30) : int256(13);
            return Exp.expWad((percent * Ln.lnRatio(30 days, timeSec)) / 100);
        }
    }

    /// @notice Total variance of the SVI slice, at least 0.
    /// @param e Expiry.
    /// @param kWad ln(K/F), wad.
    /// @return w Total variance, wad.
    function totalVariance(Expiry memory e, int256 kWad) internal pure returns (uint256 w) {
        unchecked {
            // Unchecked: the round's domain bounds every factor by 2**67.
            int256 x = kWad - e.mWad;
            int256 root = int256(Sqrt.sqrt(uint256(x * x + e.sWad * e.sWad)));
            int256 wWad = e.aWad + WadMath.quotient(e.bWad * (WadMath.quotient(e.rhoWad * x, 1e18) + root), 1e18);
            w = wWad > 0 ? uint256(wWad) : 0;
        }
    }

    /// @notice Makes room for an option.
    /// @param o Memory of the option.
    function create(Option memory o) internal pure {
        assembly ("memory-safe") {
            // Equivalent: o.volatilities = new bytes(3 * VOLATILITY_BYTES), not cleared: all is written before it is
            // read.
            let place := mload(0x40)
            mstore(0x40, add(place, mul(3, VOLATILITY_BYTES)))
            mstore(o, place)
        }
    }

    /// @notice Prepares one option under up, flat and down volatility.
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
        // Strikes are below 2**116 and forwards below 2**105, each at least 1, so |ln(F/K)| < 81.
        int256 lnWad = Ln.lnRatio(e.forwardWad, strikeWad);
        // Variance at 0 time is 0: intrinsic value.
        openAt(o, e, strikeWad, lnWad, e.timeSec == 0 ? 0 : totalVariance(e, -lnWad), volFloorWad);
    }

    /// @notice Prepares one option of a known variance.
    /// @param o Memory of the option.
    /// @param e Expiry.
    /// @param strikeWad Strike, positive.
    /// @param lnWad ln(F/K), wad.
    /// @param w Total variance, wad, below 2^80.
    /// @param volFloorWad Floor of the up state, wad.
    function openAt(
        Option memory o,
        Expiry memory e,
        uint256 strikeWad,
        int256 lnWad,
        uint256 w,
        uint256 volFloorWad
    ) internal pure {
        unchecked {
            // Unchecked: the domain bounds logarithm and variance, so every product stays below 2**210.
            (o.strikeWad, o.logMoneynessQ64) = (int256(strikeWad), WadMath.quotient(lnWad << 64, 1e18));
            // In Q120 usual variances (0.001 to 3) lie in the range where a root is cheap.
            uint256 flat = Sqrt.sqrt((w << 120) / 1e18) << 4;
            uint256 up = (flat * e.upWad) / 1e18;
            uint256 lowest = (e.rootTimeQ64 * volFloorWad) / 1e18;
            o.stdQ64 = flat;
            _setVolatility(o, 0, up > lowest ? up : lowest);
            _setVolatility(o, FLAT_PLACE, flat);
            _setVolatility(o, DOWN_PLACE, (flat * e.downWad) / 1e18);
        }
    }

    /// @notice How much of a skew an option feels: clamp(ln(K/F)/skewScale, -1, 1).
    /// @param o Option, open.
    /// @param e Its expiry.
    /// @return feltWad Wad.
    function skewFelt(Option memory o, Expiry memory e) internal pure returns (int256 feltWad) {
        unchecked {
            // Unchecked: a logarithm is below 2**70.
            feltWad = WadMath.quotient((-o.logMoneynessQ64 * 1e36) >> 64, e.skewScaleWad);
            feltWad = feltWad > 1e18 ? int256(1e18) : feltWad < -1e18 ? -int256(1e18) : feltWad;
        }
    }

    /// @dev Fills one volatility. Zero deviation is taken as 2^-64: any logarithm leaves the table and N is 0 or 1, or
    /// 1/2 at the money exactly, which is the intrinsic value and its delta.
    function _setVolatility(Option memory o, uint256 place, uint256 stdQ64) private pure {
        unchecked {
            // Unchecked: a logarithm is below 2**71, a reciprocal at most 2**95, a deviation below 2**110.
            uint256 inverse = (1 << 95) / (stdQ64 | 1);
            int256 placeQ60 = (o.logMoneynessQ64 * int256(inverse)) >> 28;
            placeQ60 += int256(stdQ64 << 2);
            assembly ("memory-safe") {
                // The words in the order of Option.
                let at := add(mload(o), place)
                mstore(at, inverse)
                mstore(add(at, 0x20), placeQ60)
                mstore(add(at, 0x40), shl(3, stdQ64))
                mstore(add(at, 0x60), stdQ64)
            }
        }
    }

    /// @notice Position of the unshocked d1, see NormalCdf.
    /// @param o Option.
    /// @return zQ60 Position d1*128.
    function positionOf(Option memory o) internal pure returns (int256 zQ60) {
        assembly ("memory-safe") {
            // Equivalent: the second word of the volatility at FLAT_PLACE.
            zQ60 := mload(add(mload(o), 0xa0))
        }
    }

    /// @notice Price of a call at the unshocked point.
    /// @param o Option.
    /// @param forwardCash quantity*discount*forward, wad.
    /// @param strikeCash quantity*discount*strike, wad.
    /// @param table Normal table in memory.
    /// @return cash Of the quantity, wad, between 0 and the forward.
    function callCash(Option memory o, int256 forwardCash, int256 strikeCash, uint256 table)
        internal
        pure
        returns (int256 cash)
    {
        unchecked {
            // Unchecked: cash at stake is below 2**175, probabilities at most 2**60.
            int256 z = positionOf(o);
            cash = (forwardCash * NormalCdf.cdf(table, z)
                    - strikeCash * NormalCdf.cdf(table, z - int256(o.stdQ64 << 3))) >> 60;
        }
    }

    /// @notice Normal density at the unshocked d1, undiscounted.
    /// @param o Option.
    /// @return phi phi(d1), Q60; 0 for the intrinsic value.
    function density(Option memory o) internal pure returns (int256 phi) {
        unchecked {
            int256 dQ67 = positionOf(o);
            // Beyond 9 standard deviations the density is below 1e-18.
            if (o.stdQ64 == 0 || dQ67 > 9 << 67 || dQ67 < -(9 << 67)) return 0;
            // Unchecked: |d1| <= 9 by the line above.
            phi = WadMath.quotient(INV_SQRT_2PI_Q60 * int256(Exp.expWad(-((dQ67 * dQ67 * 5e17) >> 134))), 1e18);
        }
    }

    /// @notice Gamma of a unit of cash delta at stake, and what a unit loses a year by time alone.
    /// @dev Gamma = D*phi(d1)/(F*std); the loss D*F*phi(d1)*std/(2V), V the time of the variance, which passes at a
    /// third of the pace inside the settlement window. Both 0 for the intrinsic value.
    /// @param e Expiry.
    /// @param o Option.
    /// @param phiQ60 Its density.
    /// @return gammaWad Per unit of the forward squared, wad.
    /// @return decayWad Cash per year, wad.
    function slowGreeks(Expiry memory e, Option memory o, int256 phiQ60)
        internal
        pure
        returns (int256 gammaWad, int256 decayWad)
    {
        int256 std = int256(o.stdQ64);
        if (std == 0) return (0, 0);
        int256 discounted = (phiQ60 * e.discountQ64) >> 60;
        gammaWad = (((((discounted << 64) / std) * 1e18) >> 64) * 1e18) / int256(e.forwardWad);
        int256 decay = ((((int256(e.forwardWad) * discounted) >> 64) * std) >> 64) * int256(Units.YEAR_SEC);
        decayWad = decay / (2 * int256(e.timeSec < WINDOW_SEC ? e.timeSec : e.timeSec - MEAN_SEC));
    }
}
