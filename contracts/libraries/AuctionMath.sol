// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {Units} from "./Units.sol";

/// @title AuctionMath
/// @notice Price path and slice sizes of an auction (risk-model section 8).
/// @custom:unit wad
/// @custom:mirror plimsoll.mirror.auction
library AuctionMath {
    int256 private constant WAD = Units.WAD;
    uint256 private constant START_WAD = 0.98e18;
    uint256 private constant MIDDLE_WAD = 0.7e18;
    uint256 private constant FAST_SEC = 15 minutes;
    uint256 private constant SLOW_SEC = 12 hours;
    uint256 private constant INSOLVENT_SEC = 60 minutes;
    /// @dev The discount is measured on at least this part of M.
    uint256 private constant RISK_PART = 4;
    /// @dev Share of M that a bidder may gain however small the loss.
    uint256 private constant FREE_BONUS_WAD = 0.02e18;

    /// @notice Price factor d: 0.98 to 0.70 in 15 minutes, then to 0 in 12 hours.
    /// @custom:rounding up, in favour of the account
    /// @param elapsedSec Time since the start.
    /// @return dWad Factor.
    function priceFactor(uint256 elapsedSec) internal pure returns (uint256 dWad) {
        if (elapsedSec <= FAST_SEC) return START_WAD - ((START_WAD - MIDDLE_WAD) * elapsedSec) / FAST_SEC;
        uint256 slow = elapsedSec - FAST_SEC;
        dWad = slow >= SLOW_SEC ? 0 : MIDDLE_WAD - (MIDDLE_WAD * slow) / SLOW_SEC;
    }

    /// @notice Fraction that restores the buffer: ((1+b)M - E) / ((1+b)M - (E - V) + price), between 0 and 1.
    /// @custom:rounding up by one wei, so that the buffer is reached
    /// @param targetWad (1+b)*M.
    /// @param equityWad E.
    /// @param costWad (E - V) - price, what a whole slice takes out of the equity.
    /// @return Fraction; 1 when no fraction is enough.
    function restoringFraction(int256 targetWad, int256 equityWad, int256 costWad)
        internal
        pure
        returns (uint256)
    {
        int256 shortfall = targetWad - equityWad;
        int256 gain = targetWad - costWad;
        if (shortfall <= 0) return 0;
        if (gain <= shortfall) return uint256(WAD);
        return FixedPointMathLib.fullMulDivUp(uint256(shortfall), uint256(WAD), uint256(gain));
    }

    /// @notice Price of everything outside the reserve: max(0, A - (1 - d)*max(A, 0.25*M)).
    /// @dev The discount is measured on the risk taken as well: on A alone nobody would gain by taking an account of
    /// thin equity and large risk until it is insolvent and the fund pays.
    /// @custom:rounding up, in favour of the account
    /// @param marketWad A.
    /// @param maintenanceWad M.
    /// @param dWad Price factor.
    /// @return Price of a whole slice.
    function price(uint256 marketWad, uint256 maintenanceWad, uint256 dWad) internal pure returns (uint256) {
        uint256 riskWad = maintenanceWad / RISK_PART;
        uint256 discountWad =
            FixedPointMathLib.mulWad(marketWad > riskWad ? marketWad : riskWad, uint256(WAD) - dWad);
        return FixedPointMathLib.zeroFloorSub(marketWad, discountWad);
    }

    /// @notice Fee of a solvent slice: min(feeRate*f*A, f*(A - price)).
    /// @custom:rounding down, it comes out of the bidder's discount
    /// @param valueWad f*A.
    /// @param cashWad f*price, at most f*A.
    /// @param feeRateWad Fee rate.
    /// @return Fee.
    function fee(uint256 valueWad, uint256 cashWad, uint256 feeRateWad) internal pure returns (uint256) {
        return FixedPointMathLib.min(FixedPointMathLib.mulWad(valueWad, feeRateWad), valueWad - cashWad);
    }

    /// @notice What a bidder gets for the whole insolvent account beyond its debt -A:
    /// min(bonusShare*M*t/60 min, loss + 0.02*M).
    /// @dev It grows with time and with the loss, so that one wei below zero is not worth M.
    /// @custom:rounding down (R-03)
    /// @param lossWad Market equity below zero.
    /// @param maintenanceWad M.
    /// @param bonusShareWad Share of M in an hour.
    /// @param elapsedSec Time since the branch began.
    /// @return Bonus.
    function bonus(uint256 lossWad, uint256 maintenanceWad, uint256 bonusShareWad, uint256 elapsedSec)
        internal
        pure
        returns (uint256)
    {
        uint256 risenWad = FixedPointMathLib.mulWad(maintenanceWad, bonusShareWad) * elapsedSec / INSOLVENT_SEC;
        return FixedPointMathLib.min(risenWad, lossWad + FixedPointMathLib.mulWad(maintenanceWad, FREE_BONUS_WAD));
    }
}
