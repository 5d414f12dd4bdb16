// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {AccountWord} from "./AccountWord.sol";
import {Units} from "./Units.sol";

/// @title MarginMath
/// @notice Aggregation over underlyings and the account-wide charges (risk-model sections 5 and 6).
/// @custom:unit wad
/// @custom:rounding requirements and charges up (R-02)
/// @custom:mirror plimsoll.mirror.margin_engine
library MarginMath {
    uint256 private constant WAD = Units.UWAD;

    /// @notice Haircut of a token linked to an underlying.
    /// @param c Its parameters.
    /// @param rangeWad Price range of the underlying; read only where the token is not netted.
    /// @param isNetted Whether its price risk is part of the scan.
    /// @return Haircut, at most 1 wad.
    function linkedHaircut(IScenarioBook.CollateralParams memory c, uint256 rangeWad, bool isNetted)
        internal
        pure
        returns (uint256)
    {
        if (isNetted) return c.linkedHaircutWad;
        uint256 wholeWad = c.linkedHaircutWad + rangeWad;
        if (c.haircutWad > wholeWad) wholeWad = c.haircutWad;
        return wholeWad < WAD ? wholeWad : WAD;
    }

    /// @notice Haircut of a token whose worth bends: by itself it can lose more of it than a price range.
    /// @param c Its parameters.
    /// @param valueWad Its worth.
    /// @param lossWad The most that it loses alone; read only where the token is not netted.
    /// @param isNetted Whether its price risk is part of the scan.
    /// @return Haircut, at most 1 wad.
    function bentHaircut(
        IScenarioBook.CollateralParams memory c,
        uint256 valueWad,
        uint256 lossWad,
        bool isNetted
    ) internal pure returns (uint256) {
        if (isNetted) return c.linkedHaircutWad;
        if (valueWad == 0) return WAD;
        return linkedHaircut(c, FixedPointMathLib.fullMulDivUp(lossWad, WAD, valueWad), false);
    }

    /// @notice Reverts unless an account without its initial margin may end an action of its own like this.
    /// @dev Its initial margin may not rise; equity may fall by the share of what it falls by that an honest close
    /// costs; the maintenance margin may not be lost, nor market equity fall below zero or further below it.
    /// @param then_ Margin before.
    /// @param now_ Margin after; below initial.
    /// @param closeShareWad That share.
    function requireRelief(
        IMarginEngine.MarginState memory then_,
        IMarginEngine.MarginState memory now_,
        uint256 closeShareWad
    ) internal pure {
        bool deepens = now_.marketEquityWad < 0 && now_.marketEquityWad < then_.marketEquityWad;
        bool wasHealthy = then_.equityWad >= int256(then_.initialWad);
        if (deepens || wasHealthy || now_.initialWad > then_.initialWad) {
            revert IMarginEngine.MarginEngine__BelowInitial(now_.equityWad, now_.initialWad);
        }
        uint256 limitWad = FixedPointMathLib.mulWad(then_.initialWad - now_.initialWad, closeShareWad);
        if (then_.equityWad - now_.equityWad > int256(limitWad)) {
            revert IMarginEngine.MarginEngine__EquityFell(uint256(then_.equityWad - now_.equityWad), limitWad);
        }
        int256 overThen = then_.equityWad - int256(then_.maintenanceWad);
        int256 overNow = now_.equityWad - int256(now_.maintenanceWad);
        if (overThen > 0) overThen = 0;
        if (overNow < overThen) revert IMarginEngine.MarginEngine__BelowMaintenance(overNow, overThen);
    }

    /// @notice 1 + pegSlope * max(0, pegThreshold - price of the cash token).
    /// @param priceWad Price of the cash token.
    /// @param p Account parameters, packed (AccountWord).
    /// @return Factor.
    function pegFactor(uint256 priceWad, uint256 p) internal pure returns (uint256) {
        uint256 thresholdWad = AccountWord.pegThresholdOf(p);
        if (priceWad >= thresholdWad) return WAD;
        return WAD + FixedPointMathLib.mulWadUp(AccountWord.pegSlopeOf(p), thresholdWad - priceWad);
    }

    /// @notice Charge for a round of low confidence: (1 - conf) * confRate * gross notional.
    /// @param confWad Confidence.
    /// @param grossNotionalWad Gross notional in the underlying.
    /// @param p Account parameters, packed (AccountWord).
    /// @return Charge; 0 at or above the threshold.
    function confCharge(uint256 confWad, uint256 grossNotionalWad, uint256 p)
        internal
        pure
        returns (uint256)
    {
        if (confWad >= AccountWord.confThresholdOf(p)) return 0;
        uint256 rateWad = FixedPointMathLib.mulWadUp(WAD - confWad, AccountWord.confRateOf(p));
        return FixedPointMathLib.mulWadUp(rateWad, grossNotionalWad);
    }

    /// @notice Adds what guarantee lines give to the equity of an account: as much as it lacks of its initial margin,
    /// at most the credit. Where it has that by itself nothing changes, so no excess is ever made of another's money.
    /// @dev Market equity stays the account's own; for its state what was added counts there as well.
    /// @param m Margin without the lines; changed.
    /// @param creditWad What the lines can give.
    function fillUp(IMarginEngine.MarginState memory m, uint256 creditWad) internal pure {
        int256 lackWad = int256(m.initialWad) - m.equityWad;
        if (lackWad <= 0 || creditWad == 0) return;
        int256 addedWad = int256(FixedPointMathLib.min(creditWad, uint256(lackWad)));
        m.equityWad += addedWad;
        m.state = stateOf(m.equityWad, m.marketEquityWad + addedWad, m.initialWad, m.maintenanceWad);
    }

    /// @notice State of an account; insolvency goes before all others.
    /// @param equityWad Equity after haircuts.
    /// @param marketEquityWad Equity without haircuts.
    /// @param initialWad Initial margin.
    /// @param maintenanceWad Maintenance margin.
    /// @return State.
    function stateOf(int256 equityWad, int256 marketEquityWad, uint256 initialWad, uint256 maintenanceWad)
        internal
        pure
        returns (IMarginEngine.State)
    {
        if (marketEquityWad < 0) return IMarginEngine.State.INSOLVENT;
        if (equityWad < int256(maintenanceWad)) return IMarginEngine.State.LIQUIDATABLE;
        if (equityWad < int256(initialWad)) return IMarginEngine.State.MARGIN_CALL;
        return IMarginEngine.State.HEALTHY;
    }
}
