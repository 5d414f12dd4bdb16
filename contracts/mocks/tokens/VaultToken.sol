// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";

/// @title VaultToken
/// @notice OpenZeppelin's ERC-4626 vault as it is: whoever sends it assets raises its rate; local chains only.
contract VaultToken is ERC4626 {
    /// @param asset Token held.
    constructor(IERC20 asset) ERC20("Vault share", "vTKN") ERC4626(asset) {}
}
