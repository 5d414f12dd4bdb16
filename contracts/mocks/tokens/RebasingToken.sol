// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title RebasingToken
/// @notice ERC-20 whose balances are shares of a total that moves; a transfer arrives a unit short when shares do not
/// divide. The vault has to refuse it.
contract RebasingToken is ERC20 {
    uint256 private _rawPerShareE6 = 1e6;

    constructor() ERC20("Rebasing Token", "REBASE") {}

    /// @notice Creates tokens.
    /// @param to Receiver.
    /// @param amountRaw Amount, raw.
    function mint(address to, uint256 amountRaw) external {
        _mint(to, amountRaw);
    }

    /// @notice Moves all balances.
    /// @param rawPerShareE6 What one share is worth, 1e-6.
    function rebase(uint256 rawPerShareE6) external {
        _rawPerShareE6 = rawPerShareE6;
    }

    /// @notice Balance now.
    /// @param holder Holder.
    /// @return Amount, raw.
    function balanceOf(address holder) public view override returns (uint256) {
        return super.balanceOf(holder) * _rawPerShareE6 / 1e6;
    }

    function _update(address from, address to, uint256 amountRaw) internal override {
        super._update(from, to, amountRaw * 1e6 / _rawPerShareE6);
    }
}
