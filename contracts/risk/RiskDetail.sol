// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IOracle} from "../../interfaces/IOracle.sol";
import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {GreeksPass} from "../libraries/GreeksPass.sol";
import {RequirementMath} from "../libraries/RequirementMath.sol";
import {RiskPass} from "../libraries/RiskPass.sol";

/// @title RiskDetail
/// @notice Requirement of the positions of one underlying with every row and the greeks.
/// @dev Deployed by RiskEngine, which hands every question for details on to it.
contract RiskDetail {
    IScenarioBook private immutable BOOK;
    IOracle private immutable ORACLE;
    address private immutable NORMAL_TABLE;

    constructor(IScenarioBook book, IOracle oracle, address normalTable) {
        BOOK = book;
        ORACLE = oracle;
        NORMAL_TABLE = normalTable;
    }

    /// @notice See IRiskEngine.
    /// @param underlyingId Underlying.
    /// @param positions Position words, all of this underlying.
    /// @param linkedUnitsWad Units of the underlying held as collateral, wad.
    /// @param linkedGammaWad How many more for each cash that the price rises, wad.
    /// @param bendsWad By move of the ladder, what collateral loses beyond those units, wad.
    /// @return risk Components.
    /// @return detail Rows and greeks.
    function detailOf(
        uint8 underlyingId,
        uint256[] calldata positions,
        int256 linkedUnitsWad,
        int256 linkedGammaWad,
        uint256[] memory bendsWad
    )
        external
        view
        returns (IRiskEngine.UnderlyingRisk memory risk, IRiskEngine.UnderlyingDetail memory detail)
    {
        RiskPass.Pass memory p = RiskPass.create(1)[0];
        RiskPass.Source memory source =
            RiskPass.Source(BOOK, ORACLE, NORMAL_TABLE, 0, underlyingId, true, true, false);
        RiskPass.run(p, source, positions, linkedUnitsWad);
        RiskPass.addBends(p, bendsWad);
        RequirementMath.Parts memory c;
        RiskPass.measure(p, 0, c);
        RiskPass.fill(p, c, risk, underlyingId);
        detail.rowPnlWad = GreeksPass.rows(p);
        GreeksPass.run(p, linkedUnitsWad, linkedGammaWad, detail);
        RiskPass.overCutoffs(p, c, risk);
    }
}
