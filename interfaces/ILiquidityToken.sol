// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ILiquidityRange} from "./ILiquidityRange.sol";

/// @title ILiquidityToken
/// @notice Liquidity of one range of one Uniswap v3 pool as a token, and the source of what it is worth.
/// @dev One token is one unit of liquidity in whole tokens, sqrt(base * cash): its decimals are half of those of both
/// tokens together, and its smallest unit is one of the pool's. The liquidity lies in a position of this contract in
/// the pool itself; what was minted can always be burnt for as much, by whoever holds it, and nobody else can move it.
/// Fees that the position earned lie in a pot that belongs to all tokens alike, wherever they are: who burns takes his
/// share along, who mints pays in as much for his, so nobody earns what was earned before him. The margin counts the
/// liquidity and not the pot. Liquidity or tokens that somebody gives away here are a gift to the pot or stay: they
/// change neither what a token stands for nor what it is worth.
interface ILiquidityToken is ILiquidityRange {
    /// @notice Emitted when liquidity comes in.
    /// @param payer Who brought it.
    /// @param to Who holds the tokens.
    /// @param liquidityRaw Liquidity, as many tokens.
    /// @param amount0Raw Token0 that it took, with the share of the pot.
    /// @param amount1Raw The same of token1.
    event LiquidityMinted(
        address indexed payer, address indexed to, uint256 liquidityRaw, uint256 amount0Raw, uint256 amount1Raw
    );

    /// @notice Emitted when liquidity goes out.
    /// @param holder Whose tokens are gone.
    /// @param to Who received both tokens.
    /// @param liquidityRaw Liquidity, as many tokens.
    /// @param amount0Raw Token0, with the share of the pot.
    /// @param amount1Raw The same of token1.
    event LiquidityBurnt(
        address indexed holder, address indexed to, uint256 liquidityRaw, uint256 amount0Raw, uint256 amount1Raw
    );

    /// @notice Thrown when the pool is none that the factory made for its tokens and its fee.
    error LiquidityToken__NotThePool(address observed, address expected);
    /// @notice Thrown when the cash token is none of the pool's.
    error LiquidityToken__NoCash(address cash);
    /// @notice Thrown when the ends of the range are no multiples of the pool's spacing.
    error LiquidityToken__BadRange(int24 tickLower, int24 tickUpper, int24 spacing);
    /// @notice Thrown when the decimals of both tokens add up to an odd number.
    error LiquidityToken__OddDecimals(uint256 base, uint256 cash);
    /// @notice Thrown when anybody but the pool calls back.
    error LiquidityToken__NotPool(address caller, address pool);
    /// @notice Thrown when a position is another one's, or in another pool or range.
    error LiquidityToken__NotThePosition(uint256 positionId, address caller);
    /// @notice Thrown when more of a token would have to be paid than allowed; `index` is 0 or 1.
    error LiquidityToken__AboveMaximum(uint256 index, uint256 amountRaw, uint256 limitRaw);
    /// @notice Thrown when less of a token would come out than demanded; `index` is 0 or 1.
    error LiquidityToken__BelowMinimum(uint256 index, uint256 amountRaw, uint256 limitRaw);
    /// @notice Thrown when a receiver cannot be one.
    error LiquidityToken__BadReceiver(address to);

    /// @notice Adds liquidity for both tokens, which are taken from the caller.
    /// @param liquidityRaw Liquidity.
    /// @param to Receiver of as many tokens.
    /// @param max0Raw The most of token0 to pay, the share of the pot included.
    /// @param max1Raw The most of token1.
    /// @return amount0Raw Of token0.
    /// @return amount1Raw Of token1.
    function mint(uint128 liquidityRaw, address to, uint256 max0Raw, uint256 max1Raw)
        external
        returns (uint256 amount0Raw, uint256 amount1Raw);

    /// @notice The same with the liquidity of a position of the NonfungiblePositionManager, whose owner is the caller
    /// and has approved this contract for it. The position, and its fees, stay his.
    /// @param positionId Position, of exactly this pool and range.
    /// @param liquidityRaw Liquidity that is moved.
    /// @param to Receiver of as many tokens.
    /// @param max0Raw The most of token0 to pay beside: the share of the pot, and what rounding takes.
    /// @param max1Raw The most of token1.
    /// @return amount0Raw Of token0, paid beside.
    /// @return amount1Raw Of token1.
    function mintFrom(uint256 positionId, uint128 liquidityRaw, address to, uint256 max0Raw, uint256 max1Raw)
        external
        returns (uint256 amount0Raw, uint256 amount1Raw);

    /// @notice Takes liquidity out for tokens of the caller.
    /// @param liquidityRaw Liquidity, as many tokens.
    /// @param to Receiver of both tokens and of the share of the pot.
    /// @param min0Raw The least of token0.
    /// @param min1Raw The least of token1.
    /// @return amount0Raw Of token0.
    /// @return amount1Raw Of token1.
    function burn(uint128 liquidityRaw, address to, uint256 min0Raw, uint256 min1Raw)
        external
        returns (uint256 amount0Raw, uint256 amount1Raw);

    /// @notice Pays the pool for liquidity that is being added here; the pool alone may call.
    /// @param amount0Owed Of token0.
    /// @param amount1Owed Of token1.
    /// @param data Who pays, and how much of it is here already.
    function uniswapV3MintCallback(uint256 amount0Owed, uint256 amount1Owed, bytes calldata data) external;

    /// @notice The pool.
    /// @return Address.
    function pool() external view returns (address);

    /// @notice Lower end of the range, in ticks of the pool.
    /// @return Tick.
    function tickLower() external view returns (int24);

    /// @notice Upper end of the range, in ticks of the pool.
    /// @return Tick.
    function tickUpper() external view returns (int24);
}
