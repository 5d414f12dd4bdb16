// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";
import {NormalCdf} from "./NormalCdf.sol";
import {OptionKernel} from "./OptionKernel.sol";
import {PositionGroups} from "./PositionGroups.sol";
import {PositionWord} from "./PositionWord.sol";
import {RiskPass} from "./RiskPass.sol";
import {ScenarioGrid} from "./ScenarioGrid.sol";
import {ScenarioPlan} from "./ScenarioPlan.sol";
import {ScenarioScan} from "./ScenarioScan.sol";
import {Units} from "./Units.sol";

/// @title GreeksPass
/// @notice Rows and greeks of what a pass holds: a second pass over its groups, for those who look, not for checks.
/// @dev Greeks are those of what is open of the positions. Sums are wad squared until the end.
library GreeksPass {
    int256 private constant WAD = Units.WAD;
    int256 private constant WHOLE_Q60 = 1 << 60;

    /// @notice Greeks of all positions and of linked collateral, in total and by expiry.
    /// @param p Pass.
    /// @param linkedUnitsWad Units of the underlying held as collateral.
    /// @param linkedGammaWad How these change with the price.
    /// @param d Memory of the detail.
    function run(
        RiskPass.Pass memory p,
        int256 linkedUnitsWad,
        int256 linkedGammaWad,
        IRiskEngine.UnderlyingDetail memory d
    ) internal pure {
        d.expiries = new IRiskEngine.ExpiryGreeks[](p.expiries.length + 1);
        (d.expiries[0].deltaWad, d.expiries[0].gammaWad) = (linkedUnitsWad * WAD, linkedGammaWad * WAD);
        for (uint256 group = p.groups.first; group != p.groups.end; group += PositionGroups.GROUP_BYTES) {
            (uint256 kind, int256 priceE8, uint256 expiry, int256 calls, int256 puts) = PositionGroups.read(group);
            if (!PositionWord.hasExpiry(kind)) {
                d.expiries[0].deltaWad += calls * WAD;
                continue;
            }
            OptionKernel.Expiry memory e = p.expiries[expiry];
            if (e.openSec == 0) continue;
            IRiskEngine.ExpiryGreeks memory g = d.expiries[expiry + 1];
            if (PositionWord.isOptionKind(kind)) _addOptions(p, e, g, priceE8 * Units.E8_TO_WAD, calls, puts);
            else g.deltaWad += _deltaOf(e, calls, WHOLE_Q60);
        }
        _sum(p, d);
    }

    /// @dev Adds up the expiries, and takes all to wad.
    function _sum(RiskPass.Pass memory p, IRiskEngine.UnderlyingDetail memory d) private pure {
        for (uint256 i; i < d.expiries.length; ++i) {
            IRiskEngine.ExpiryGreeks memory g = d.expiries[i];
            if (i != 0) {
                g.expiryTs = uint40(p.expiries[i - 1].expiryTs);
                g.vegaWad = ((g.vegaWad >> 60) * int256(p.expiries[i - 1].rootTimeQ64)) >> 64;
            }
            d.deltaWad += g.deltaWad;
            d.gammaWad += g.gammaWad;
            d.vegaWad += g.vegaWad;
            d.thetaWad += g.thetaWad;
            (g.deltaWad, g.gammaWad, g.thetaWad) = (g.deltaWad / WAD, g.gammaWad / WAD, g.thetaWad / WAD);
        }
        (d.deltaWad, d.gammaWad, d.thetaWad) = (d.deltaWad / WAD, d.gammaWad / WAD, d.thetaWad / WAD);
    }

    /// @dev A put is a call less a forward.
    function _addOptions(
        RiskPass.Pass memory p,
        OptionKernel.Expiry memory e,
        IRiskEngine.ExpiryGreeks memory g,
        int256 strikeWad,
        int256 calls,
        int256 puts
    ) private pure {
        int256 strikePresentWad = OptionKernel.presentOf(e, strikeWad);
        int256 openWad = OptionKernel.openStrike(e, strikeWad);
        int256 forwards = -puts;
        int256 q = calls + puts;
        if (openWad <= 0) (forwards, q) = (forwards + q, 0);
        g.deltaWad += _deltaOf(e, forwards, WHOLE_Q60);
        g.thetaWad += ((forwards * (e.presentWad - strikePresentWad)) / WAD) * e.rateWad;
        if (q != 0) _addCalls(p, e, g, uint256(openWad), q, strikePresentWad);
    }

    function _addCalls(
        RiskPass.Pass memory p,
        OptionKernel.Expiry memory e,
        IRiskEngine.ExpiryGreeks memory g,
        uint256 strikeWad,
        int256 q,
        int256 strikePresentWad
    ) private pure {
        OptionKernel.Option memory o = p.option;
        OptionKernel.open(o, e, strikeWad, p.book.params.volFloorWad);
        int256 phi = OptionKernel.density(o);
        (int256 gammaWad, int256 decayWad) = OptionKernel.slowGreeks(e, o, phi);
        int256 openQ = (q * int256(e.openSec)) / int256(OptionKernel.WINDOW_SEC);
        int256 valueWad =
            OptionKernel.callCash(o, (q * e.presentWad) / WAD, (q * strikePresentWad) / WAD, p.table);
        g.deltaWad += _deltaOf(e, q, NormalCdf.cdf(p.table, OptionKernel.positionOf(o)));
        g.vegaWad += ((q * e.presentWad) / WAD) * phi;
        g.gammaWad += openQ * gammaWad;
        g.thetaWad += valueWad * e.rateWad - openQ * decayWad;
    }

    /// @dev Delta of what is open of a quantity, discounted, wad squared.
    function _deltaOf(OptionKernel.Expiry memory e, int256 q, int256 shareQ60) private pure returns (int256) {
        int256 perUnit = (((shareQ60 * e.discountQ64) >> 60) * int256(e.openSec) * WAD) >> 64;
        return (q * perUnit) / int256(OptionKernel.WINDOW_SEC);
    }

    /// @notice Weighted profits of grid and tails, then those of the skew pairs at full weight.
    /// @param p Pass, measured without a cut-off.
    /// @return pnlWad Per row, wad.
    function rows(RiskPass.Pass memory p) internal pure returns (int256[] memory pnlWad) {
        uint256[] memory plan = p.book.plan;
        uint256 pairs = plan[ScenarioPlan.PAIRS];
        pnlWad = ScenarioScan.profits(p.scan, 2 * pairs);
        int256 linearCash = RiskPass.linearCash(p, 0);
        unchecked {
            // Unchecked: sums of cash in Q60, see ScenarioGrid.
            uint256 at = pnlWad.length - 2 * pairs;
            for (uint256 i; i < 2 * pairs; ++i) {
                uint256 place = plan[plan[ScenarioPlan.FIRST_PAIR] + ScenarioPlan.PAIR_WORDS * (i / 2) + i % 2];
                int256 profit = (linearCash * ScenarioGrid.growthOf(p.grid.template + place)) >> 4;
                profit -= linearCash << 60;
                for (uint256 j; j < p.expiries.length; ++j) {
                    OptionKernel.Expiry memory e = p.expiries[j];
                    if (e.nodes != 0) profit += ScenarioGrid.cashOf(e.nodes + place) - RiskPass.baseCash(p, e);
                }
                pnlWad[at + i] = (profit >> 60) - int256(_bendAt(p, ScenarioGrid.growthOf(p.grid.template + place)));
            }
        }
    }

    /// @dev What is lost beyond linked units at the move of a pair, which is one of the ladder.
    function _bendAt(RiskPass.Pass memory p, int256 growthQ64) private pure returns (uint256 bendWad) {
        uint256 bends = p.scan.bends;
        if (bends == 0) return 0;
        uint256[] memory plan = p.book.plan;
        uint256 i = plan[ScenarioPlan.FIRST_MOVE];
        while (((WAD + int256(plan[i])) << 64) / WAD != growthQ64) i += ScenarioPlan.MOVE_WORDS;
        uint256 place = (i - plan[ScenarioPlan.FIRST_MOVE]) / ScenarioPlan.MOVE_WORDS + 1;
        assembly ("memory-safe") {
            // Equivalent: the element of the array that the memory position is of.
            bendWad := mload(add(bends, shl(5, place)))
        }
    }
}
