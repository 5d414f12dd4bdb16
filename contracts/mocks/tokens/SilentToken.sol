// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title SilentToken
/// @notice Token whose transfers return nothing, as some of the oldest do; the vault has to take it.
contract SilentToken {
    mapping(address holder => uint256) public balanceOf;
    mapping(address holder => mapping(address spender => uint256)) public allowance;

    /// @notice Creates tokens.
    /// @param to Receiver.
    /// @param amountRaw Amount, raw.
    function mint(address to, uint256 amountRaw) external {
        balanceOf[to] += amountRaw;
    }

    /// @notice Lets a spender take tokens.
    /// @param spender Spender.
    /// @param amountRaw Amount, raw.
    function approve(address spender, uint256 amountRaw) external {
        allowance[msg.sender][spender] = amountRaw;
    }

    /// @notice Moves tokens.
    /// @param to Receiver.
    /// @param amountRaw Amount, raw.
    function transfer(address to, uint256 amountRaw) external {
        _move(msg.sender, to, amountRaw);
    }

    /// @notice Moves tokens out of an allowance.
    /// @param from Holder.
    /// @param to Receiver.
    /// @param amountRaw Amount, raw.
    function transferFrom(address from, address to, uint256 amountRaw) external {
        allowance[from][msg.sender] -= amountRaw;
        _move(from, to, amountRaw);
    }

    /// @notice Decimals.
    /// @return Number of decimals.
    function decimals() external pure returns (uint8) {
        return 6;
    }

    function _move(address from, address to, uint256 amountRaw) private {
        balanceOf[from] -= amountRaw;
        balanceOf[to] += amountRaw;
    }
}
