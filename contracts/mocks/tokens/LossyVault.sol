// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @title LossyVault
/// @notice OpenZeppelin's ERC-4626 vault with what real ones have beside it: it can be slashed, and it lends its assets
/// within a transaction without counting them, so that its rate is low while they are out. Local chains only.
contract LossyVault is ERC4626 {
    address private constant GONE = address(0xdead);

    /// @param asset Token held.
    constructor(IERC20 asset) ERC20("Lossy share", "lTKN") ERC4626(asset) {}

    /// @notice Loses assets for good.
    /// @param assets Amount, raw.
    function slash(uint256 assets) external {
        IERC20(asset()).transfer(GONE, assets);
    }

    /// @notice Lends assets for the length of a call to the borrower.
    /// @param assets Amount, raw.
    /// @param data What the borrower is called with.
    function flash(uint256 assets, bytes calldata data) external {
        IERC20(asset()).transfer(msg.sender, assets);
        Address.functionCall(msg.sender, data);
        IERC20(asset()).transferFrom(msg.sender, address(this), assets);
    }
}
