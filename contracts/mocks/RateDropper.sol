// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {LossyVault} from "./tokens/LossyVault.sol";

/// @title RateDropper
/// @notice An attacker who takes the assets out of a vault, calls what he likes while its rate is low, and gives them
/// back, in one transaction.
contract RateDropper {
    /// @notice Calls targets in turn while the assets are out; reverts as the first that fails does.
    /// @param vault Vault.
    /// @param assets Amount to take out, raw.
    /// @param targets Contracts.
    /// @param calls What each is called with.
    function drop(LossyVault vault, uint256 assets, address[] calldata targets, bytes[] calldata calls) external {
        IERC20(vault.asset()).approve(address(vault), assets);
        vault.flash(assets, abi.encodeCall(this.whileLow, (targets, calls)));
    }

    /// @notice What happens in between.
    /// @param targets Contracts.
    /// @param calls What each is called with.
    function whileLow(address[] calldata targets, bytes[] calldata calls) external {
        for (uint256 i; i < targets.length; ++i) {
            Address.functionCall(targets[i], calls[i]);
        }
    }
}
