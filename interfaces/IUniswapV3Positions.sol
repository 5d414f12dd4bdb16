// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IUniswapV3Positions
/// @notice The part of the NonfungiblePositionManager of Uniswap v3 that LiquidityToken calls.
interface IUniswapV3Positions {
    /// @notice What is taken out of a position.
    struct DecreaseLiquidityParams {
        uint256 tokenId;
        uint128 liquidity;
        uint256 amount0Min;
        uint256 amount1Min;
        uint256 deadline;
    }

    /// @notice What is paid out of it.
    struct CollectParams {
        uint256 tokenId;
        address recipient;
        uint128 amount0Max;
        uint128 amount1Max;
    }

    /// @notice Takes liquidity out of a position.
    /// @param params What.
    /// @return amount0 Of token0, to be collected.
    /// @return amount1 Of token1.
    function decreaseLiquidity(DecreaseLiquidityParams calldata params)
        external
        payable
        returns (uint256 amount0, uint256 amount1);

    /// @notice Pays out what a position can collect.
    /// @param params What.
    /// @return amount0 Of token0.
    /// @return amount1 Of token1.
    function collect(CollectParams calldata params) external payable returns (uint256 amount0, uint256 amount1);

    /// @notice Owner of a position.
    /// @param tokenId Position.
    /// @return owner Owner.
    function ownerOf(uint256 tokenId) external view returns (address owner);

    /// @notice A position.
    /// @param tokenId Position.
    /// @return nonce Of its permits.
    /// @return operator Who may move it.
    /// @return token0 Token of its pool.
    /// @return token1 The other one.
    /// @return fee Fee of its pool.
    /// @return tickLower Lower end.
    /// @return tickUpper Upper end.
    /// @return liquidity Liquidity.
    /// @return feeGrowthInside0LastX128 Fees counted so far.
    /// @return feeGrowthInside1LastX128 Of the other token.
    /// @return tokensOwed0 To be collected.
    /// @return tokensOwed1 Of the other token.
    function positions(uint256 tokenId)
        external
        view
        returns (
            uint96 nonce,
            address operator,
            address token0,
            address token1,
            uint24 fee,
            int24 tickLower,
            int24 tickUpper,
            uint128 liquidity,
            uint256 feeGrowthInside0LastX128,
            uint256 feeGrowthInside1LastX128,
            uint128 tokensOwed0,
            uint128 tokensOwed1
        );
}
