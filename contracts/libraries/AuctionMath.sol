// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

/// @title AuctionMath
/// @notice Price path and slice sizes of an auction (risk-model section 8).
/// @custom:unit wad
/// @custom:mirror offchain.mirror.auction
library AuctionMath {
    int256 private constant WAD = 1e18;
    uint256 private constant START_WAD = 0.98e18;
    uint256 private constant MIDDLE_WAD = 0.7e18;
    uint256 private constant FAST_SEC = 15 minutes;
    uint256 private constant SLOW_SEC = 12 hours;
    uint256 private constant INSOLVENT_SEC = 60 minutes;

    /// @notice Price factor d: 0.98 to 0.70 in 15 minutes, then to 0 in 12 hours.
    /// @custom:rounding up, in favour of the account
    /// @param elapsedSec Time since the start.
    /// @return dWad Factor.
    function priceFactor(uint256 elapsedSec) internal pure returns (uint256 dWad) {
        if (elapsedSec <= FAST_SEC) return START_WAD - ((START_WAD - MIDDLE_WAD) * elapsedSec) / FAST_SEC;
        uint256 slow = elapsedSec - FAST_SEC;
        dWad = slow >= SLOW_SEC ? 0 : MIDDLE_WAD - (MIDDLE_WAD * slow) / SLOW_SEC;
    }

    /// @notice Fraction that restores the buffer: ((1+b)M - E) / ((1+b)M - (E - V) + d*A), between 0 and 1.
    /// @custom:rounding up by one wei, so that the buffer is reached
    /// @param targetWad (1+b)*M.
    /// @param equityWad E.
    /// @param costWad (E - V) - d*A, what a whole slice takes out of the equity.
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

    /// @notice Fee of a solvent slice: min(feeRate*f*A, (1-d)*f*A).
    /// @custom:rounding down, it comes out of the bidder's discount
    /// @param valueWad f*A.
    /// @param dWad Price factor.
    /// @param feeRateWad Fee rate.
    /// @return Fee.
    function fee(uint256 valueWad, uint256 dWad, uint256 feeRateWad) internal pure returns (uint256) {
        uint256 discountWad = uint256(WAD) - dWad;
        return FixedPointMathLib.mulWad(valueWad, feeRateWad < discountWad ? feeRateWad : discountWad);
    }

    /// @notice Pay for the whole insolvent account: -A rising to -A + M in 60 minutes.
    /// @custom:rounding down (R-03)
    /// @param marketWad A, negative.
    /// @param maintenanceWad M.
    /// @param elapsedSec Time since the branch began.
    /// @return Pay.
    function insolventPay(int256 marketWad, uint256 maintenanceWad, uint256 elapsedSec)
        internal
        pure
        returns (uint256)
    {
        uint256 sec = elapsedSec < INSOLVENT_SEC ? elapsedSec : INSOLVENT_SEC;
        return uint256(-marketWad) + (maintenanceWad * sec) / INSOLVENT_SEC;
    }
}
