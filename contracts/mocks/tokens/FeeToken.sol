// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title FeeToken
/// @notice ERC-20 that burns one hundredth of every transfer; the vault has to refuse it.
contract FeeToken is ERC20 {
    constructor() ERC20("Fee Token", "FEE") {}

    /// @notice Creates tokens.
    /// @param to Receiver.
    /// @param amountRaw Amount, raw.
    function mint(address to, uint256 amountRaw) external {
        _mint(to, amountRaw);
    }

    function _update(address from, address to, uint256 amountRaw) internal override {
        super._update(from, to, amountRaw);
        if (from != address(0) && to != address(0)) super._update(to, address(0), amountRaw / 100);
    }
}
