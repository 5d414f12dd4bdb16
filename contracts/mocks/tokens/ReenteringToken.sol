// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @title ReenteringToken
/// @notice ERC-20 that makes one call of its own in the middle of a transfer; the vault has to stand it.
contract ReenteringToken is ERC20 {
    address private _target;
    bytes private _data;

    constructor() ERC20("Reentering Token", "AGAIN") {}

    /// @notice Creates tokens.
    /// @param to Receiver.
    /// @param amountRaw Amount, raw.
    function mint(address to, uint256 amountRaw) external {
        _mint(to, amountRaw);
    }

    /// @notice Sets the call; the zero address for none.
    /// @param target Contract.
    /// @param data Call.
    function arm(address target, bytes calldata data) external {
        (_target, _data) = (target, data);
    }

    function _update(address from, address to, uint256 amountRaw) internal override {
        super._update(from, to, amountRaw);
        if (_target != address(0)) Address.functionCall(_target, _data);
    }
}
