// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {Units} from "./Units.sol";

/// @title InterestMath
/// @notice Interest of cash: a rate from utilisation with a kink, and what it adds in time.
/// @dev Rates and utilisation are in steps of 1e-6 (E6), rates per year.
/// @custom:mirror plimsoll.index.interest
library InterestMath {
    uint256 internal constant ONE_E6 = 1e6;
    uint256 internal constant ONE_BPS = 10_000;
    /// @notice By how much an action, or a day above the cap of utilisation, may lift the rate: five points.
    uint256 internal constant MAX_LIFT_E6 = 50_000;

    /// @notice Rate at a utilisation: linear to the kink, linear from there to full use.
    /// @custom:rounding up, against borrowers
    /// @param debtWad Cash borrowed.
    /// @param positiveWad Cash that it is borrowed from.
    /// @param c Curve; all of it 0 for no interest.
    /// @return rateE6 Rate a year.
    function rate(uint256 debtWad, uint256 positiveWad, IAccounts.RateCurve memory c)
        internal
        pure
        returns (uint256 rateE6)
    {
        if (debtWad == 0 || c.kinkE6 == 0) return 0;
        if (debtWad >= positiveWad) return c.fullRateE6;
        rateE6 = rateAt(FixedPointMathLib.fullMulDivUp(debtWad, ONE_E6, positiveWad), c);
    }

    /// @notice The same at a known utilisation, at most 1.
    /// @custom:rounding up, against borrowers
    /// @param usedE6 Utilisation.
    /// @param c Curve with a kink.
    /// @return rateE6 Rate a year.
    function rateAt(uint256 usedE6, IAccounts.RateCurve memory c) internal pure returns (uint256 rateE6) {
        if (usedE6 <= c.kinkE6) {
            uint256 riseE6 = uint256(c.kinkRateE6) - c.baseRateE6;
            return c.baseRateE6 + FixedPointMathLib.divUp(riseE6 * usedE6, c.kinkE6);
        }
        uint256 steepE6 = uint256(c.fullRateE6) - c.kinkRateE6;
        rateE6 = c.kinkRateE6 + FixedPointMathLib.divUp(steepE6 * (usedE6 - c.kinkE6), ONE_E6 - c.kinkE6);
    }

    /// @notice Rate in force on the way to the one that the curve asks for: up to that of the cap at once, above it by
    /// five points a day.
    /// @dev No action leaves utilisation above the cap; what does (a settlement, a liquidation, a loss) moves nobody's
    /// rate faster than a borrower can repay.
    /// @param fromE6 Rate in force.
    /// @param wantedE6 Rate of the curve.
    /// @param c Curve.
    /// @param elapsedSec Time since the rate was last set.
    /// @return rateE6 Rate from now on.
    function climbed(uint256 fromE6, uint256 wantedE6, IAccounts.RateCurve memory c, uint256 elapsedSec)
        internal
        pure
        returns (uint256 rateE6)
    {
        if (c.kinkE6 == 0) return wantedE6;
        uint256 mostE6 = FixedPointMathLib.max(fromE6, rateAt(c.maxUtilisationE6, c));
        rateE6 = FixedPointMathLib.min(wantedE6, mostE6 + MAX_LIFT_E6 * elapsedSec / 1 days);
    }

    /// @notice Interest on an amount, rounded down: what lenders and the reserve get.
    /// @custom:rounding down
    /// @param amountWad Amount.
    /// @param rateE6 Rate a year.
    /// @param elapsedSec Time.
    /// @return Interest.
    function earned(uint256 amountWad, uint256 rateE6, uint256 elapsedSec) internal pure returns (uint256) {
        return amountWad * (rateE6 * elapsedSec) / (ONE_E6 * Units.YEAR_SEC);
    }

    /// @notice Interest on an amount, rounded up: what the index of debts grows by.
    /// @custom:rounding up
    /// @param amountWad Amount.
    /// @param rateE6 Rate a year.
    /// @param elapsedSec Time.
    /// @return Interest.
    function charged(uint256 amountWad, uint256 rateE6, uint256 elapsedSec) internal pure returns (uint256) {
        return FixedPointMathLib.divUp(amountWad * (rateE6 * elapsedSec), ONE_E6 * Units.YEAR_SEC);
    }
}
