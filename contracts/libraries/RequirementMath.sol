// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {Exp} from "./Exp.sol";
import {Units} from "./Units.sol";

/// @title RequirementMath
/// @notice What is charged beside the scan, and how the components of a requirement add up (risk-model section 4).
/// @custom:unit wad
/// @custom:rounding up (R-02)
library RequirementMath {
    uint256 private constant WAD = Units.UWAD;
    /// @dev Of a hedge that expires: nothing is left of it two hours before, all of it a day before.
    uint256 private constant FADE_END_SEC = 2 hours;
    /// @notice From here on a hedge counts whole.
    uint256 internal constant FADE_START_SEC = 24 hours;

    /// @dev Sums over the positions of a set; may be those of several underlyings.
    struct Parts {
        /// @dev Of nodes; with gaps; with vol states apart. May be negative.
        int256 scan;
        int256 certified;
        int256 apart;
        uint256 row;
        uint256 padWad;
        uint256 basisWad;
        uint256 skewTermWad;
        uint256 shortMinWad;
        uint256 concentrationWad;
        /// @dev Net cash delta and vega.
        int256 netCash;
        int256 vegaCash;
    }

    /// @notice How much of a hedge is left: (time - 2 h)/22 h, between 0 and 1.
    /// @param timeSec Time to its expiry.
    /// @return num Numerator.
    /// @return den Denominator.
    function fade(uint256 timeSec) internal pure returns (uint256 num, uint256 den) {
        if (timeSec >= FADE_START_SEC) return (1, 1);
        unchecked {
            // Unchecked: at least FADE_END_SEC where it is taken off.
            num = timeSec > FADE_END_SEC ? timeSec - FADE_END_SEC : 0;
            den = FADE_START_SEC - FADE_END_SEC;
        }
    }

    /// @notice max(basisMin, exp(basisRate*T) - 1).
    /// @param timeSec Time to expiry.
    /// @param p Parameters.
    /// @return Rate.
    function basisRate(uint256 timeSec, IScenarioBook.UnderlyingParams memory p) internal pure returns (uint256) {
        unchecked {
            // Unchecked: the rate is at most 1 wad, the time below 2**40 seconds.
            uint256 growthWad = (p.basisRateWad * timeSec) / Units.YEAR_SEC;
            // exp(x) - 1 is below x + x*x up to 1: near expiries need no exponential.
            if (growthWad <= WAD && growthWad + (growthWad * growthWad) / WAD < p.basisMinWad) return p.basisMinWad;
            uint256 rateWad = Exp.expWad(int256(growthWad)) - WAD;
            return rateWad > p.basisMinWad ? rateWad : p.basisMinWad;
        }
    }

    /// @notice Size of a sum that was cut off by at most a wei.
    /// @param value Sum.
    /// @return Size; 0 stays 0.
    function magnitude(int256 value) internal pure returns (uint256) {
        unchecked {
            // Unchecked: a sum of cash.
            return value == 0 ? 0 : absolute(value) + 1;
        }
    }

    /// @notice |value|, without a check.
    /// @param value Quantity or cash, above -2^255.
    /// @return size Absolute value.
    function absolute(int256 value) internal pure returns (uint256 size) {
        assembly ("memory-safe") {
            // Equivalent: size = value < 0 ? -value : value. The sign is all ones or all zeros.
            let sign := sar(255, value)
            size := sub(xor(value, sign), sign)
        }
    }

    /// @notice ceil(a * b / 1e18), without a check.
    /// @param a First factor, below 2^190 with a rate or price below 2^64 and else such that the product fits.
    /// @param b Second factor.
    /// @return Product.
    function mulUp(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            // Unchecked: cash is below 2**183, rates below 2**67; quantities below 2**135, prices below 2**105.
            return (a * b + (WAD - 1)) / WAD;
        }
    }

    /// @notice ceil(a / b), without a check.
    /// @param a Numerator, below 2^255.
    /// @param b Denominator, positive.
    /// @return Quotient.
    function divUp(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            // Unchecked: b is at most a wad.
            return (a + b - 1) / b;
        }
    }

    /// @notice min(size, rate*max(0, size - free)^2/free); the size itself at any rate but 0 where it is 2^127 or more
    /// above what is free.
    /// @param sizeWad Size, below 2^183.
    /// @param freeWad What is free, positive.
    /// @param rateWad Rate.
    /// @return Charge.
    function quadratic(uint256 sizeWad, uint256 freeWad, uint256 rateWad) internal pure returns (uint256) {
        unchecked {
            // Unchecked: a square of less than 127 bits fits, and so does a product with a rate below 2**64.
            if (sizeWad <= freeWad || rateWad == 0) return 0;
            uint256 over = sizeWad - freeWad;
            // No charge is above the size itself.
            if (over >> 127 != 0) return sizeWad;
            uint256 chargeWad = (over * over + freeWad - 1) / freeWad;
            if (chargeWad >> 190 != 0) return sizeWad;
            chargeWad = mulUp(chargeWad, rateWad);
            return chargeWad < sizeWad ? chargeWad : sizeWad;
        }
    }

    /// @notice What a certified loss is as a size: over the range of prices.
    /// @param lossWad Loss, below 2^183.
    /// @param rangeWad Price range.
    /// @return Size, rounded up.
    function sizeOf(uint256 lossWad, uint256 rangeWad) internal pure returns (uint256) {
        unchecked {
            // Unchecked: 2**183 wad fit.
            return divUp(lossWad * WAD, rangeWad);
        }
    }

    /// @notice Charge for size: n = max(|net delta|, certifiedScan/range) and |vega|, each beyond what is free.
    /// @param c Parts; its concentration is filled.
    /// @param p Parameters.
    function concentrate(Parts memory c, IScenarioBook.UnderlyingParams memory p) internal pure {
        unchecked {
            // Unchecked: sums of cash over at most 128 positions.
            uint256 sizeWad = absolute(c.netCash);
            uint256 scannedWad = sizeOf(positive(c.certified) + c.padWad, p.priceRangeWad);
            if (scannedWad > sizeWad) sizeWad = scannedWad;
            c.concentrationWad = quadratic(sizeWad, p.n0Wad, p.concRateWad)
                + quadratic(absolute(c.vegaCash), p.v0Wad, p.concVegaRateWad);
        }
    }

    /// @notice Adds the charges of one underlying to those of several.
    /// @param sum Parts of several.
    /// @param c Parts of one.
    function add(Parts memory sum, Parts memory c) internal pure {
        unchecked {
            // Unchecked: at most 128 parts, each below 2**185.
            sum.padWad += c.padWad;
            sum.basisWad += c.basisWad;
            sum.skewTermWad += c.skewTermWad;
            sum.shortMinWad += c.shortMinWad;
            sum.concentrationWad += c.concentrationWad;
        }
    }

    /// @notice vegaTermRate*(C_non - certifiedScan).
    /// @param c Parts.
    /// @param rateWad Rate.
    /// @return Charge.
    function vegaTerm(Parts memory c, uint256 rateWad) internal pure returns (uint256) {
        (uint256 apart, uint256 parallel) = (positive(c.apart), positive(c.certified));
        unchecked {
            // Unchecked: the first is the larger.
            return apart > parallel ? mulUp(apart - parallel, rateWad) : 0;
        }
    }

    /// @notice max(certifiedScan + basis + vegaTerm + skewTerm, shortMin) + concentration.
    /// @param c Parts.
    /// @param vegaTermWad Vega term.
    /// @return Requirement.
    function total(Parts memory c, uint256 vegaTermWad) internal pure returns (uint256) {
        unchecked {
            // Unchecked: sums of cash over at most 128 positions.
            uint256 sum = positive(c.certified) + c.padWad + c.basisWad + vegaTermWad + c.skewTermWad;
            return (sum > c.shortMinWad ? sum : c.shortMinWad) + c.concentrationWad;
        }
    }

    /// @notice max(0, value).
    /// @param value Loss.
    /// @return Loss, 0 for a profit.
    function positive(int256 value) internal pure returns (uint256) {
        return value > 0 ? uint256(value) : 0;
    }
}
