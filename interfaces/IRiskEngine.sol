// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IRiskEngine
/// @notice Positions of one underlying + latest round + scenario book -> risk vector, mark, greeks.
/// @dev Flow: feeds -> [risk] -> margin. View only, no state.
/// @custom:mirror plimsoll.mirror.risk_engine
interface IRiskEngine {
    /// @notice Components of the requirement of one underlying (risk-model section 4).
    /// @custom:unit wad of cash; requirements rounded up, mark down
    struct UnderlyingRisk {
        uint8 underlyingId;
        uint256 scanWad;
        uint256 certifiedScanWad;
        uint256 basisWad;
        uint256 vegaTermWad;
        uint256 skewTermWad;
        uint256 shortMinWad;
        uint256 concentrationWad;
        /// @dev The largest over cut-offs; the components above are those of the whole set.
        uint256 requirementWad;
        /// @dev Expiry of the cut-off with the largest requirement; 0 for none.
        uint40 cutoffTs;
        /// @dev Number of the row in which the whole set loses most.
        uint256 worstRow;
        int256 markWad;
        uint256 grossNotionalWad;
        uint256 confWad;
        /// @dev Part of certifiedScanWad that covers the error of the table; twice it bounds how far it is too high.
        uint256 padWad;
        uint256 spotWad;
    }

    /// @notice Greeks of what expires together.
    /// @custom:unit wad; vega per 1.00 of vol, theta per year; rounded down
    struct ExpiryGreeks {
        /// @dev 0 for perpetuals and linked collateral, which never expire.
        uint40 expiryTs;
        int256 deltaWad;
        int256 gammaWad;
        int256 vegaWad;
        int256 thetaWad;
    }

    /// @notice The same with every row and the greeks.
    /// @custom:unit wad; vega per 1.00 of vol, theta per year
    struct UnderlyingDetail {
        int256[] rowPnlWad;
        int256 deltaWad;
        int256 gammaWad;
        int256 vegaWad;
        int256 thetaWad;
        /// @dev expiryTs 0 first, then in the order in which the positions name them; they add up to the greeks
        /// above but for one wei of rounding each.
        ExpiryGreeks[] expiries;
    }

    /// @notice Position by position margin of one underlying (risk-model section 7).
    /// @custom:unit wad of cash
    struct StandardRisk {
        /// @dev Every position alone, concentration once over all of them; the largest over cut-offs.
        uint256 requirementWad;
        /// @dev Values summed, options only where negative.
        int256 equityValueWad;
        int256 markWad;
        uint256 grossNotionalWad;
        uint256 confWad;
        uint256 spotWad;
        uint256 priceRangeWad;
    }

    /// @notice Thrown when the linked collateral's units leave int128.
    error RiskEngine__LinkedOverflow(int256 observedWad, int256 limitWad);
    /// @notice Thrown when a position of another underlying is passed.
    error RiskEngine__WrongUnderlying(uint256 observed, uint256 expected);

    /// @notice Thrown when an expiry is inside its settlement window and the round names no mean.
    error RiskEngine__NoSettlementMean(uint256 expiryTs, uint256 roundTs);
    /// @notice Thrown when arrays that belong together differ in length.
    error RiskEngine__BadLength(uint256 observed, uint256 expected);
    /// @notice Thrown at deployment when the normal table is none; names the hash of its code.
    error RiskEngine__NoTable(bytes32 observed, bytes32 expected);

    /// @notice Requirement of the positions of one underlying.
    /// @param underlyingId Underlying.
    /// @param positions Position words, all of this underlying.
    /// @param linkedUnitsWad Units of the underlying held as collateral, wad.
    /// @return risk Components.
    function riskOf(uint8 underlyingId, uint256[] calldata positions, int256 linkedUnitsWad)
        external
        view
        returns (UnderlyingRisk memory risk);

    /// @notice The same with every row and the greeks, and with collateral whose worth bends.
    /// @dev Of such collateral linkedUnitsWad has the units that it behaves like at the spot, and bendsWad what it
    /// loses beyond them (ISourceBook.Curve).
    /// @param underlyingId Underlying.
    /// @param positions Position words, all of this underlying.
    /// @param linkedUnitsWad Units of the underlying held as collateral, wad.
    /// @param linkedGammaWad How many more of them for each cash that the price rises, wad.
    /// @param bendsWad By move of the book's ladder, wad; empty for none.
    /// @return risk Components.
    /// @return detail Rows and greeks.
    function detailOf(
        uint8 underlyingId,
        uint256[] calldata positions,
        int256 linkedUnitsWad,
        int256 linkedGammaWad,
        uint256[] calldata bendsWad
    ) external view returns (UnderlyingRisk memory risk, UnderlyingDetail memory detail);

    /// @notice Requirement of several underlyings with offsets between them (risk-model section 5, CROSS): the largest
    /// over cut-offs of stressShare times the sum of requirements plus the rest times that of all rows added up. Of one
    /// underlying, with the whole as the share, it is riskOf with collateral whose worth bends.
    /// @param underlyings Underlyings, all different.
    /// @param positions Position words of each of them.
    /// @param linkedUnitsWad Units of each of them held as collateral, wad.
    /// @param bendsWad For each underlying how many numbers it has, 0 or as many as its book's ladder has moves, and
    /// these, wad, one behind the other; empty when there are none.
    /// @param stressShareWad Share of the plain sum, at most 1 wad.
    /// @return risks Components of each underlying alone.
    /// @return requirementWad Requirement of all together.
    function crossOf(
        uint8[] calldata underlyings,
        uint256[][] calldata positions,
        int256[] calldata linkedUnitsWad,
        uint256[] calldata bendsWad,
        uint256 stressShareWad
    ) external view returns (UnderlyingRisk[] memory risks, uint256 requirementWad);

    /// @notice Position by position margin, no offsets.
    /// @param underlyingId Underlying.
    /// @param positions Position words, all of this underlying.
    /// @param linkedUnitsWad Units of the underlying held as collateral, wad; they count in concentration only.
    /// @param bendsWad By move of the book's ladder, wad; in concentration only; empty for none.
    /// @return standard Sums over the positions.
    function standardOf(
        uint8 underlyingId,
        uint256[] calldata positions,
        int256 linkedUnitsWad,
        uint256[] calldata bendsWad
    ) external view returns (StandardRisk memory standard);
}
