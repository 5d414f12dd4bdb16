// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IUniswapV3Factory
/// @notice The part of the factory of Uniswap v3 that tells its pools from others.
interface IUniswapV3Factory {
    /// @notice Pool of two tokens.
    /// @param tokenA One.
    /// @param tokenB The other.
    /// @param fee Fee of a swap, millionths.
    /// @return pool Its pool, 0 when there is none.
    function getPool(address tokenA, address tokenB, uint24 fee) external view returns (address pool);
}
