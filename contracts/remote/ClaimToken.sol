// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title ClaimToken
/// @notice A claim to one token that waits on another chain: an ordinary ERC-20 that RemoteClaims makes and burns.
contract ClaimToken is ERC20Permit {
    address private immutable ISSUER;
    uint8 private immutable DECIMALS;

    /// @notice Thrown when anybody but RemoteClaims makes or burns claims.
    error ClaimToken__NotIssuer(address caller, address issuer);

    modifier onlyIssuer() {
        if (msg.sender != ISSUER) revert ClaimToken__NotIssuer(msg.sender, ISSUER);
        _;
    }

    constructor(string memory name_, string memory symbol_, uint8 decimals_)
        ERC20(name_, symbol_)
        ERC20Permit(name_)
    {
        ISSUER = msg.sender;
        DECIMALS = decimals_;
    }

    /// @notice Makes claims.
    /// @param to Holder.
    /// @param amountRaw Amount.
    function mint(address to, uint256 amountRaw) external onlyIssuer {
        _mint(to, amountRaw);
    }

    /// @notice Burns claims.
    /// @param from Holder.
    /// @param amountRaw Amount.
    function burn(address from, uint256 amountRaw) external onlyIssuer {
        _burn(from, amountRaw);
    }

    /// @notice Those of the token on the other chain.
    /// @return Count.
    function decimals() public view override returns (uint8) {
        return DECIMALS;
    }
}
