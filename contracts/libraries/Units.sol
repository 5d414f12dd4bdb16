// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Units
/// @notice Scales and durations shared by every contract.
library Units {
    int256 internal constant WAD = 1e18;
    uint256 internal constant UWAD = 1e18;
    uint256 internal constant YEAR_SEC = 365 days;
    uint256 internal constant MAX_POSITIONS = 128;
    /// @dev Strikes and entries are stored in steps of 1e-8 cash; this many wei make one step.
    int256 internal constant E8_TO_WAD = 1e10;
}
