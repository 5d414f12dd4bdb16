// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {Units} from "./Units.sol";

/// @title LendingMath
/// @notice What a loan at another venue is worth to its borrower at a price, as if that venue took what it may.
/// @dev One side of the loan is the underlying, the other one is cash. While no more is owed than the threshold's share
/// of the collateral, the loan is worth the one less the other. Beyond that anybody may repay all of it there and take
/// collateral with a bonus, and it is worth what that would leave, which is never less than nothing. On the way there
/// its worth falls in a straight line, then by the bonus at once, then in a straight line again down to nothing. So it
/// lies above every chord but where the bonus comes off and where nothing is left; `fill` states at the better end of
/// these two intervals what keeps the chord below it.
/// @custom:domain amounts below 2^128 wad, prices below 2^105 wad, shares of the loan below 2^64 wad
/// @custom:unit wad
library LendingMath {
    uint256 private constant WAD = Units.UWAD;

    /// @notice A loan, and when its venue may take the collateral.
    struct Loan {
        /// @dev Whether the underlying is the collateral and cash is owed, or the other way round.
        bool isLong;
        uint256 unitsWad;
        uint256 cashWad;
        /// @dev The largest share of the collateral that may be owed.
        uint256 thresholdWad;
        /// @dev Collateral that goes, beyond the threshold, for each cash that is owed.
        uint256 seizedWad;
        /// @dev Cash that is held back.
        uint256 reserveWad;
    }

    /// @notice Worth of a loan at a price.
    /// @custom:rounding down
    /// @param loan Loan.
    /// @param priceWad Price of the underlying.
    /// @return Cash.
    function valueOf(Loan memory loan, uint256 priceWad) internal pure returns (uint256) {
        uint256 edgeWad = _edgeOf(loan);
        if (loan.isLong) return _longOf(loan.unitsWad, priceWad, _owed(loan, priceWad < edgeWad));
        uint256 cashWad = FixedPointMathLib.zeroFloorSub(loan.cashWad, loan.reserveWad);
        return _shortOf(cashWad, loan.unitsWad, priceWad, priceWad > edgeWad ? loan.seizedWad : WAD);
    }

    /// @notice Worth of a loan at all prices of a list but the first, such that between two neighbours of them it is
    /// worth no less than what lies on the straight line between what is stated there.
    /// @custom:rounding down
    /// @param loan Loan.
    /// @param pricesWad Prices; those after the first rise.
    /// @param valuesWad Where the worth goes, place by place.
    function fill(Loan memory loan, uint256[] calldata pricesWad, uint256[] memory valuesWad) internal pure {
        if (loan.isLong) _fillLong(loan, pricesWad, valuesWad);
        else _fillShort(loan, pricesWad, valuesWad);
    }

    /// @dev From the lowest price up, which is from the worst to the best.
    function _fillLong(Loan memory loan, uint256[] calldata pricesWad, uint256[] memory valuesWad) private pure {
        unchecked {
            // Unchecked: see `_longOf`; places below the length of a list.
            (uint256 unitsWad, uint256 edgeWad) = (loan.unitsWad, _edgeOf(loan));
            (uint256 safeWad, uint256 takenWad) = (_owed(loan, false), _owed(loan, true));
            // Whether the venue may take the collateral at the price before, and whether nothing is left there.
            (bool wasTaken, bool wasEmpty) = (false, false);
            for (uint256 i = 1; i < pricesWad.length; ++i) {
                uint256 priceWad = pricesWad[i];
                bool isTaken = priceWad < edgeWad;
                uint256 valueWad = _longOf(unitsWad, priceWad, isTaken ? takenWad : safeWad);
                if (!wasEmpty) valuesWad[i] = wasTaken ? _longOf(unitsWad, priceWad, takenWad) : valueWad;
                (wasTaken, wasEmpty) = (isTaken, valueWad == 0);
            }
        }
    }

    /// @dev From the highest price down. The values are 0 until they are written.
    function _fillShort(Loan memory loan, uint256[] calldata pricesWad, uint256[] memory valuesWad) private pure {
        unchecked {
            // Unchecked: see `_shortOf`; places below the length of a list.
            (uint256 unitsWad, uint256 edgeWad, uint256 seizedWad) = (loan.unitsWad, _edgeOf(loan), loan.seizedWad);
            uint256 cashWad = FixedPointMathLib.zeroFloorSub(loan.cashWad, loan.reserveWad);
            (bool wasTaken, bool wasEmpty) = (false, false);
            for (uint256 i = pricesWad.length - 1; i != 0; --i) {
                uint256 priceWad = pricesWad[i];
                bool isTaken = priceWad > edgeWad;
                uint256 valueWad = _shortOf(cashWad, unitsWad, priceWad, isTaken ? seizedWad : WAD);
                if (!wasEmpty) valuesWad[i] = wasTaken ? _shortOf(cashWad, unitsWad, priceWad, seizedWad) : valueWad;
                (wasTaken, wasEmpty) = (isTaken, valueWad == 0);
            }
        }
    }

    /// @dev The last price at which the venue may take nothing.
    function _edgeOf(Loan memory loan) private pure returns (uint256 edgeWad) {
        unchecked {
            // Unchecked: amounts below 2**128, shares below 2**64.
            if (loan.unitsWad == 0) return loan.isLong && loan.cashWad == 0 ? 0 : type(uint256).max;
            if (!loan.isLong) return loan.cashWad * loan.thresholdWad / loan.unitsWad;
            edgeWad = FixedPointMathLib.fullMulDivUp(loan.cashWad * WAD, WAD, loan.unitsWad * loan.thresholdWad);
        }
    }

    /// @dev What comes off the collateral of a long loan at any price.
    function _owed(Loan memory loan, bool isTaken) private pure returns (uint256) {
        unchecked {
            // Unchecked: amounts below 2**128, what is seized below 2**64.
            uint256 owedWad = isTaken ? FixedPointMathLib.divUp(loan.cashWad * loan.seizedWad, WAD) : loan.cashWad;
            return owedWad + loan.reserveWad;
        }
    }

    function _longOf(uint256 unitsWad, uint256 priceWad, uint256 owedWad) private pure returns (uint256) {
        unchecked {
            // Unchecked: amounts below 2**128, prices below 2**105.
            return FixedPointMathLib.zeroFloorSub(unitsWad * priceWad / WAD, owedWad);
        }
    }

    /// @dev `seizedWad` is 1 where nothing is taken.
    function _shortOf(uint256 cashWad, uint256 unitsWad, uint256 priceWad, uint256 seizedWad)
        private
        pure
        returns (uint256)
    {
        unchecked {
            // Unchecked: amounts below 2**128, prices below 2**105, what is seized below 2**64.
            uint256 owedWad = FixedPointMathLib.divUp(unitsWad * priceWad, WAD);
            return FixedPointMathLib.zeroFloorSub(cashWad, FixedPointMathLib.divUp(owedWad * seizedWad, WAD));
        }
    }
}
