// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title StandardMath
/// @notice Position by position margin of one unit (risk-model section 7), cash, wad, rounded up (R-02).
/// @custom:mirror offchain.mirror.standard
library StandardMath {
    uint256 private constant WAD = 1e18;
    uint256 private constant SHORT_WAD = 0.15e18;
    uint256 private constant SHORT_FLOOR_WAD = 0.13e18;
    uint256 private constant SHORT_MAINTENANCE_WAD = 0.09e18;
    /// @dev 1.05 * 0.09: what a short put needs at least over its maintenance margin.
    uint256 private constant PUT_INITIAL_WAD = 0.0945e18;
    uint256 private constant LINEAR_INITIAL_WAD = 0.10e18;
    uint256 private constant LINEAR_MAINTENANCE_WAD = 0.065e18;

    /// @notice Margin of one short option; the initial one is never below the maintenance one.
    /// @dev A put is worth up to its strike, whatever spot is: its margins grow with the mark once that exceeds spot.
    /// @param isCall Call or put.
    /// @param spotWad Index price.
    /// @param strikeWad Strike.
    /// @param markWad Mark of one unit.
    /// @return initialWad Initial margin.
    /// @return maintenanceWad Maintenance margin.
    function shortOption(bool isCall, uint256 spotWad, uint256 strikeWad, uint256 markWad)
        internal
        pure
        returns (uint256 initialWad, uint256 maintenanceWad)
    {
        (uint256 high, uint256 low) = isCall ? (strikeWad, spotWad) : (spotWad, strikeWad);
        uint256 otmWad = high > low ? ((high - low) * WAD) / spotWad : 0;
        uint256 rateWad = SHORT_FLOOR_WAD;
        if (otmWad < SHORT_WAD - SHORT_FLOOR_WAD) rateWad = SHORT_WAD - otmWad;
        initialWad = _up(rateWad * spotWad);
        uint256 baseWad = isCall || spotWad > markWad ? spotWad : markWad;
        maintenanceWad = _up(SHORT_MAINTENANCE_WAD * baseWad);
        if (isCall) return (initialWad, maintenanceWad);
        uint256 leastWad = _up(PUT_INITIAL_WAD * baseWad);
        if (initialWad < leastWad) initialWad = leastWad;
    }

    /// @notice Margin of one unit of a future or perpetual.
    /// @param priceWad Forward or perpetual mark.
    /// @return initialWad Initial margin.
    /// @return maintenanceWad Maintenance margin.
    function linear(uint256 priceWad) internal pure returns (uint256 initialWad, uint256 maintenanceWad) {
        initialWad = _up(LINEAR_INITIAL_WAD * priceWad);
        maintenanceWad = _up(LINEAR_MAINTENANCE_WAD * priceWad);
    }

    function _up(uint256 product) private pure returns (uint256) {
        return (product + WAD - 1) / WAD;
    }
}
