// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {ILiquidityToken} from "../../interfaces/ILiquidityToken.sol";
import {IUniswapV3Factory} from "../../interfaces/IUniswapV3Factory.sol";
import {IUniswapV3Pool} from "../../interfaces/IUniswapV3Pool.sol";
import {IUniswapV3Positions} from "../../interfaces/IUniswapV3Positions.sol";
import {LiquidityMath} from "../libraries/LiquidityMath.sol";
import {LiquidityRange} from "./LiquidityRange.sol";

/// @title LiquidityToken
/// @notice See ILiquidityToken.
contract LiquidityToken is ILiquidityToken, LiquidityRange, ERC20Permit, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    IUniswapV3Pool private immutable POOL;
    IUniswapV3Positions private immutable POSITIONS;
    IERC20 private immutable TOKEN0;
    IERC20 private immutable TOKEN1;
    uint24 private immutable FEE;
    uint8 private immutable DECIMALS;
    /// @inheritdoc ILiquidityToken
    int24 public immutable override tickLower;
    /// @inheritdoc ILiquidityToken
    int24 public immutable override tickUpper;

    /// @notice Which pool, and which part of it.
    struct Range {
        IUniswapV3Factory factory;
        IUniswapV3Pool pool;
        IUniswapV3Positions positions;
        /// @dev The token that prices are in; the other one is the underlying.
        address cash;
        int24 tickLower;
        int24 tickUpper;
    }

    /// @param name_ Name.
    /// @param symbol_ Symbol.
    /// @param range Range.
    constructor(string memory name_, string memory symbol_, Range memory range)
        ERC20(name_, symbol_)
        ERC20Permit(name_)
        LiquidityRange(_rootOf(range, false), _rootOf(range, true))
    {
        (POOL, POSITIONS) = (range.pool, range.positions);
        (address token0, address token1) = (range.pool.token0(), range.pool.token1());
        (TOKEN0, TOKEN1, FEE) = (IERC20(token0), IERC20(token1), range.pool.fee());
        address made = range.factory.getPool(token0, token1, range.pool.fee());
        if (made != address(range.pool)) revert LiquidityToken__NotThePool(address(range.pool), made);
        (tickLower, tickUpper) = (range.tickLower, range.tickUpper);
        int24 spacing = range.pool.tickSpacing();
        if (range.tickLower % spacing != 0 || range.tickUpper % spacing != 0) {
            revert LiquidityToken__BadRange(range.tickLower, range.tickUpper, spacing);
        }
        (uint256 base, uint256 cash,) = _sidesOf(range);
        if ((base + cash) % 2 != 0) revert LiquidityToken__OddDecimals(base, cash);
        DECIMALS = uint8((base + cash) / 2);
    }

    /// @inheritdoc ILiquidityToken
    function mint(uint128 liquidityRaw, address to, uint256 max0Raw, uint256 max1Raw)
        external
        override
        nonReentrant
        returns (uint256 amount0Raw, uint256 amount1Raw)
    {
        (amount0Raw, amount1Raw) = _payPot(liquidityRaw);
        (uint256 taken0Raw, uint256 taken1Raw) = _add(liquidityRaw, 0, 0);
        (amount0Raw, amount1Raw) = (amount0Raw + taken0Raw, amount1Raw + taken1Raw);
        _finishMint(liquidityRaw, to, max0Raw, max1Raw, amount0Raw, amount1Raw);
    }

    /// @inheritdoc ILiquidityToken
    function mintFrom(uint256 positionId, uint128 liquidityRaw, address to, uint256 max0Raw, uint256 max1Raw)
        external
        override
        nonReentrant
        returns (uint256 amount0Raw, uint256 amount1Raw)
    {
        _requirePosition(positionId);
        (amount0Raw, amount1Raw) = _payPot(liquidityRaw);
        (uint256 here0Raw, uint256 here1Raw) = _take(positionId, liquidityRaw);
        (uint256 taken0Raw, uint256 taken1Raw) = _add(liquidityRaw, here0Raw, here1Raw);
        // Liquidity that goes out rounds down and the same coming in up, so that nothing is left over.
        amount0Raw += FixedPointMathLib.zeroFloorSub(taken0Raw, here0Raw);
        amount1Raw += FixedPointMathLib.zeroFloorSub(taken1Raw, here1Raw);
        _finishMint(liquidityRaw, to, max0Raw, max1Raw, amount0Raw, amount1Raw);
    }

    /// @inheritdoc ILiquidityToken
    function burn(uint128 liquidityRaw, address to, uint256 min0Raw, uint256 min1Raw)
        external
        override
        nonReentrant
        returns (uint256 amount0Raw, uint256 amount1Raw)
    {
        if (to == address(0) || to == address(this)) revert LiquidityToken__BadReceiver(to);
        uint256 supplyRaw = totalSupply();
        (uint256 pot0Raw, uint256 pot1Raw) = _collectPot(supplyRaw);
        _burn(msg.sender, liquidityRaw);
        (amount0Raw, amount1Raw) = POOL.burn(tickLower, tickUpper, liquidityRaw);
        POOL.collect(to, tickLower, tickUpper, uint128(amount0Raw), uint128(amount1Raw));
        uint256 share0Raw = FixedPointMathLib.fullMulDiv(pot0Raw, liquidityRaw, supplyRaw);
        uint256 share1Raw = FixedPointMathLib.fullMulDiv(pot1Raw, liquidityRaw, supplyRaw);
        (amount0Raw, amount1Raw) = (amount0Raw + share0Raw, amount1Raw + share1Raw);
        if (amount0Raw < min0Raw) revert LiquidityToken__BelowMinimum(0, amount0Raw, min0Raw);
        if (amount1Raw < min1Raw) revert LiquidityToken__BelowMinimum(1, amount1Raw, min1Raw);
        emit LiquidityBurnt(msg.sender, to, liquidityRaw, amount0Raw, amount1Raw);
        if (share0Raw != 0) TOKEN0.safeTransfer(to, share0Raw);
        if (share1Raw != 0) TOKEN1.safeTransfer(to, share1Raw);
    }

    /// @inheritdoc ILiquidityToken
    function uniswapV3MintCallback(uint256 amount0Owed, uint256 amount1Owed, bytes calldata data) external override {
        if (msg.sender != address(POOL)) revert LiquidityToken__NotPool(msg.sender, address(POOL));
        (address payer, uint256 here0Raw, uint256 here1Raw) = abi.decode(data, (address, uint256, uint256));
        _pay(TOKEN0, payer, amount0Owed, here0Raw);
        _pay(TOKEN1, payer, amount1Owed, here1Raw);
    }

    /// @inheritdoc ILiquidityToken
    function pool() external view override returns (address) {
        return address(POOL);
    }

    /// @notice Half of the decimals of both tokens together.
    /// @return Count.
    function decimals() public view override returns (uint8) {
        return DECIMALS;
    }

    function _pay(IERC20 token, address payer, uint256 owedRaw, uint256 hereRaw) private {
        uint256 fromHereRaw = FixedPointMathLib.min(owedRaw, hereRaw);
        if (fromHereRaw != 0) token.safeTransfer(address(POOL), fromHereRaw);
        if (owedRaw != fromHereRaw) token.safeTransferFrom(payer, address(POOL), owedRaw - fromHereRaw);
    }

    /// @dev Puts the fees so far into the pot and tells what is in it.
    function _collectPot(uint256 supplyRaw) private returns (uint256 pot0Raw, uint256 pot1Raw) {
        if (supplyRaw != 0) {
            POOL.burn(tickLower, tickUpper, 0);
            POOL.collect(address(this), tickLower, tickUpper, type(uint128).max, type(uint128).max);
        }
        (pot0Raw, pot1Raw) = (TOKEN0.balanceOf(address(this)), TOKEN1.balanceOf(address(this)));
    }

    /// @dev Who joins pays in for as much of the pot as each token has of it.
    function _payPot(uint128 liquidityRaw) private returns (uint256 share0Raw, uint256 share1Raw) {
        uint256 supplyRaw = totalSupply();
        (uint256 pot0Raw, uint256 pot1Raw) = _collectPot(supplyRaw);
        if (supplyRaw == 0) return (0, 0);
        share0Raw = FixedPointMathLib.fullMulDivUp(pot0Raw, liquidityRaw, supplyRaw);
        share1Raw = FixedPointMathLib.fullMulDivUp(pot1Raw, liquidityRaw, supplyRaw);
        if (share0Raw != 0) TOKEN0.safeTransferFrom(msg.sender, address(this), share0Raw);
        if (share1Raw != 0) TOKEN1.safeTransferFrom(msg.sender, address(this), share1Raw);
    }

    function _add(uint128 liquidityRaw, uint256 here0Raw, uint256 here1Raw)
        private
        returns (uint256 amount0Raw, uint256 amount1Raw)
    {
        bytes memory data = abi.encode(msg.sender, here0Raw, here1Raw);
        (amount0Raw, amount1Raw) = POOL.mint(address(this), tickLower, tickUpper, liquidityRaw, data);
    }

    function _finishMint(
        uint128 liquidityRaw,
        address to,
        uint256 max0Raw,
        uint256 max1Raw,
        uint256 amount0Raw,
        uint256 amount1Raw
    ) private {
        if (amount0Raw > max0Raw) revert LiquidityToken__AboveMaximum(0, amount0Raw, max0Raw);
        if (amount1Raw > max1Raw) revert LiquidityToken__AboveMaximum(1, amount1Raw, max1Raw);
        emit LiquidityMinted(msg.sender, to, liquidityRaw, amount0Raw, amount1Raw);
        _mint(to, liquidityRaw);
    }

    /// @dev Takes liquidity out of a position, without its fees; what came is measured and not believed.
    function _take(uint256 positionId, uint128 liquidityRaw) private returns (uint256 here0Raw, uint256 here1Raw) {
        (here0Raw, here1Raw) = (TOKEN0.balanceOf(address(this)), TOKEN1.balanceOf(address(this)));
        (uint256 out0Raw, uint256 out1Raw) = POSITIONS.decreaseLiquidity(
            IUniswapV3Positions.DecreaseLiquidityParams(positionId, liquidityRaw, 0, 0, block.timestamp)
        );
        if (out0Raw != 0 || out1Raw != 0) {
            POSITIONS.collect(
                IUniswapV3Positions.CollectParams(positionId, address(this), uint128(out0Raw), uint128(out1Raw))
            );
        }
        here0Raw = TOKEN0.balanceOf(address(this)) - here0Raw;
        here1Raw = TOKEN1.balanceOf(address(this)) - here1Raw;
    }

    /// @dev Root of the lower or the upper price. Counted from the side of the base, ticks of a pool whose token0 is
    /// cash fall.
    function _rootOf(Range memory range, bool isUpper) private view returns (uint256) {
        (uint256 base, uint256 cash, bool isBaseFirst) = _sidesOf(range);
        int256 tick = isUpper == isBaseFirst ? range.tickUpper : range.tickLower;
        return LiquidityMath.rootAtTick(isBaseFirst ? tick : -tick, int256(base) - int256(cash));
    }

    /// @dev Decimals of base and cash, and whether the base is token0.
    function _sidesOf(Range memory range) private view returns (uint256 base, uint256 cash, bool isBaseFirst) {
        (address token0, address token1) = (range.pool.token0(), range.pool.token1());
        if (range.cash != token0 && range.cash != token1) revert LiquidityToken__NoCash(range.cash);
        isBaseFirst = range.cash == token1;
        base = IERC20Metadata(isBaseFirst ? token0 : token1).decimals();
        cash = IERC20Metadata(range.cash).decimals();
    }

    function _requirePosition(uint256 positionId) private view {
        (,, address token0, address token1, uint24 fee, int24 lower, int24 upper,,,,,) =
            POSITIONS.positions(positionId);
        bool isOfPool = token0 == address(TOKEN0) && token1 == address(TOKEN1) && fee == FEE;
        bool isOfRange = lower == tickLower && upper == tickUpper;
        if (!isOfPool || !isOfRange || POSITIONS.ownerOf(positionId) != msg.sender) {
            revert LiquidityToken__NotThePosition(positionId, msg.sender);
        }
    }
}
