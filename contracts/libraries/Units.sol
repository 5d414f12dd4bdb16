// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Units
/// @notice Scales, durations, limits and reserved accounts, each defined here and nowhere else.
/// @dev A contract that needs one under a short name of its own derives it from here.
library Units {
    int256 internal constant WAD = 1e18;
    uint256 internal constant UWAD = 1e18;
    uint256 internal constant YEAR_SEC = 365 days;
    uint256 internal constant MAX_POSITIONS = 128;
    /// @dev How far a clock of a signer may be ahead of the chain's.
    uint256 internal constant MAX_AHEAD_SEC = 15;
    /// @dev Account that holds the opposite of every amount which is booked on one side first.
    uint256 internal constant CLEARING = 0;
    /// @dev Account of the insurance fund.
    uint256 internal constant FUND = 1;
    /// @dev Strikes and entries are stored in steps of 1e-8 cash; this many wei make one step.
    int256 internal constant E8_TO_WAD = 1e10;
}
