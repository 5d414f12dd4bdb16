// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IUniswapV3Pool
/// @notice The part of a pool of Uniswap v3 that LiquidityToken calls. Its price is not among it.
interface IUniswapV3Pool {
    /// @notice Adds liquidity to a position of `recipient`; asks the caller for both tokens by uniswapV3MintCallback.
    /// @param recipient Owner of the position.
    /// @param tickLower Lower end.
    /// @param tickUpper Upper end.
    /// @param amount Liquidity.
    /// @param data Comes back with the callback.
    /// @return amount0 Of token0.
    /// @return amount1 Of token1.
    function mint(address recipient, int24 tickLower, int24 tickUpper, uint128 amount, bytes calldata data)
        external
        returns (uint256 amount0, uint256 amount1);

    /// @notice Takes liquidity out of the caller's position; what it stood for, and fees so far, can be collected.
    /// @param tickLower Lower end.
    /// @param tickUpper Upper end.
    /// @param amount Liquidity; 0 only counts fees.
    /// @return amount0 Of token0.
    /// @return amount1 Of token1.
    function burn(int24 tickLower, int24 tickUpper, uint128 amount)
        external
        returns (uint256 amount0, uint256 amount1);

    /// @notice Pays out what the caller's position can collect.
    /// @param recipient Receiver.
    /// @param tickLower Lower end.
    /// @param tickUpper Upper end.
    /// @param amount0Requested The most of token0.
    /// @param amount1Requested The most of token1.
    /// @return amount0 Of token0.
    /// @return amount1 Of token1.
    function collect(
        address recipient,
        int24 tickLower,
        int24 tickUpper,
        uint128 amount0Requested,
        uint128 amount1Requested
    ) external returns (uint128 amount0, uint128 amount1);

    /// @notice The token of the lower address.
    /// @return Address.
    function token0() external view returns (address);

    /// @notice The other one.
    /// @return Address.
    function token1() external view returns (address);

    /// @notice Fee of a swap.
    /// @return Millionths.
    function fee() external view returns (uint24);

    /// @notice What the ends of positions are multiples of.
    /// @return Ticks.
    function tickSpacing() external view returns (int24);
}
