// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title FalseToken
/// @notice ERC-20 whose transfers return false instead of reverting; the vault has to refuse it.
contract FalseToken is ERC20 {
    constructor() ERC20("False Token", "FALSE") {}

    /// @notice Moves nothing.
    /// @return False, always.
    function transfer(address, uint256) public pure override returns (bool) {
        return false;
    }

    /// @notice Moves nothing.
    /// @return False, always.
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return false;
    }
}
