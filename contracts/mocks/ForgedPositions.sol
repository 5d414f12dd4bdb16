// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IUniswapV3Pool} from "../../interfaces/IUniswapV3Pool.sol";
import {IUniswapV3Positions} from "../../interfaces/IUniswapV3Positions.sol";

/// @title ForgedPositions
/// @notice A position manager that says somebody owns a position of the range asked for, and pays nothing out.
contract ForgedPositions is IUniswapV3Positions {
    IUniswapV3Pool public pool;
    int24 public tickLower;
    int24 public tickUpper;
    uint256 public claimedRaw;
    address public whom;

    /// @notice Sets what it says.
    function set(IUniswapV3Pool pool_, int24 tickLower_, int24 tickUpper_, uint256 claimedRaw_, address whom_)
        external
    {
        (pool, tickLower, tickUpper) = (pool_, tickLower_, tickUpper_);
        (claimedRaw, whom) = (claimedRaw_, whom_);
    }

    /// @inheritdoc IUniswapV3Positions
    function decreaseLiquidity(DecreaseLiquidityParams calldata)
        external
        payable
        override
        returns (uint256 amount0, uint256 amount1)
    {
        return (claimedRaw, claimedRaw);
    }

    /// @inheritdoc IUniswapV3Positions
    function collect(CollectParams calldata) external payable override returns (uint256 amount0, uint256 amount1) {
        return (claimedRaw, claimedRaw);
    }

    /// @inheritdoc IUniswapV3Positions
    function ownerOf(uint256) external view override returns (address owner) {
        return whom;
    }

    /// @inheritdoc IUniswapV3Positions
    function positions(uint256)
        external
        view
        override
        returns (uint96, address, address, address, uint24, int24, int24, uint128, uint256, uint256, uint128, uint128)
    {
        (address token0, address token1, uint24 fee) = (pool.token0(), pool.token1(), pool.fee());
        return (0, address(0), token0, token1, fee, tickLower, tickUpper, type(uint128).max, 0, 0, 0, 0);
    }
}
