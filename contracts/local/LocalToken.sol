// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title LocalToken
/// @notice ERC-20 with permit and any number of decimals that anyone may mint: the tokens of a local chain, where there
/// are no real ones. A deployment elsewhere refuses to create it.
contract LocalToken is ERC20, ERC20Permit {
    uint8 private immutable DECIMALS;

    constructor(string memory name_, string memory symbol_, uint8 decimals_)
        ERC20(name_, symbol_)
        ERC20Permit(name_)
    {
        DECIMALS = decimals_;
    }

    /// @notice Creates tokens.
    /// @param to Receiver.
    /// @param amountRaw Amount, raw.
    function mint(address to, uint256 amountRaw) external {
        _mint(to, amountRaw);
    }

    /// @notice Decimals given at deployment.
    /// @return Number of decimals.
    function decimals() public view override returns (uint8) {
        return DECIMALS;
    }
}
