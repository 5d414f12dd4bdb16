// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IStrategyVault} from "../../interfaces/IStrategyVault.sol";

/// @title StrategyLiar
/// @notice Names the account of another vault, says that it is stopped and that nothing it does costs anything.
contract StrategyLiar {
    /// @notice The account it names.
    uint256 public immutable accountId;

    constructor(uint256 accountId_) {
        accountId = accountId_;
    }

    /// @notice Always.
    /// @return True.
    function isStopped() external pure returns (bool) {
        return true;
    }

    /// @notice Always the same.
    /// @return value Nothing, and no cost.
    function valueNow() external pure returns (IStrategyVault.Value memory value) {
        value.isFlat = true;
    }
}
