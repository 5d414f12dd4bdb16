// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";
import {AccountWord} from "./AccountWord.sol";

/// @title MarginMath
/// @notice Aggregation over underlyings and the account-wide charges (risk-model sections 5 and 6).
/// @custom:unit wad
/// @custom:rounding requirements and charges up (R-02)
/// @custom:mirror offchain.mirror.margin_engine
library MarginMath {
    uint256 private constant WAD = 1e18;

    /// @notice Plain sum of requirements.
    /// @param parts One per underlying.
    /// @return totalWad Sum.
    function sum(IRiskEngine.UnderlyingRisk[] memory parts) internal pure returns (uint256 totalWad) {
        unchecked {
            // Unchecked: at most 255 underlyings, each below 2**235.
            for (uint256 i; i < parts.length; ++i) {
                totalWad += parts[i].requirementWad;
            }
        }
    }

    /// @notice max(sqrt(sum rho_uv R_u R_v), stressShare * sum R_u).
    /// @dev rho is high when the worst rows move prices the same way or one does not move, minus low otherwise.
    /// Where it is negative, a part that is too high lowers the whole; the root moves by no more than its parts do,
    /// so their pads are added once more.
    /// @param parts One per underlying.
    /// @param p Account parameters, packed (AccountWord).
    /// @return Requirement.
    function cross(IRiskEngine.UnderlyingRisk[] memory parts, uint256 p)
        internal
        pure
        returns (uint256)
    {
        int256 quadratic;
        uint256 padWad;
        for (uint256 u; u < parts.length; ++u) {
            int256 ru = int256(parts[u].requirementWad);
            padWad += 2 * parts[u].padWad;
            quadratic += ru * ru;
            for (uint256 v; v < u; ++v) {
                bool opposite = (parts[u].worstMoveWad > 0 && parts[v].worstMoveWad < 0)
                    || (parts[u].worstMoveWad < 0 && parts[v].worstMoveWad > 0);
                int256 rhoWad = opposite ? -int256(AccountWord.rhoLowOf(p)) : int256(AccountWord.rhoHighOf(p));
                quadratic += (2 * ru * rhoWad / int256(WAD)) * int256(parts[v].requirementWad);
            }
        }
        uint256 root = quadratic > 0 ? FixedPointMathLib.sqrt(uint256(quadratic)) + 1 + padWad : padWad;
        uint256 floorWad = FixedPointMathLib.mulWadUp(sum(parts), AccountWord.stressShareOf(p));
        return root > floorWad ? root : floorWad;
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
