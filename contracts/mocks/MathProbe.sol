// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Black76} from "../libraries/Black76.sol";
import {Exp} from "../libraries/Exp.sol";
import {LendingMath} from "../libraries/LendingMath.sol";
import {LiquidityMath} from "../libraries/LiquidityMath.sol";
import {Ln} from "../libraries/Ln.sol";
import {NormalCdf} from "../libraries/NormalCdf.sol";
import {NormalDistribution} from "../libraries/NormalDistribution.sol";
import {Sqrt} from "../libraries/Sqrt.sol";
import {SviVolatility} from "../libraries/SviVolatility.sol";

/// @title MathProbe
/// @notice Every fixed-point library over arrays: tens of thousands of points in one call.
contract MathProbe {
    function exp(int256[] calldata x) external pure returns (uint256[] memory y) {
        y = new uint256[](x.length);
        for (uint256 i; i < x.length; ++i) {
            y[i] = Exp.expWad(x[i]);
        }
    }

    function ln(uint256[] calldata x) external pure returns (int256[] memory y) {
        y = new int256[](x.length);
        for (uint256 i; i < x.length; ++i) {
            y[i] = Ln.lnWad(x[i]);
        }
    }

    function lnRatio(uint256[] calldata a, uint256[] calldata b) external pure returns (int256[] memory y) {
        y = new int256[](a.length);
        for (uint256 i; i < a.length; ++i) {
            y[i] = Ln.lnRatio(a[i], b[i]);
        }
    }

    function sqrtWad(uint256[] calldata x) external pure returns (uint256[] memory y) {
        y = new uint256[](x.length);
        for (uint256 i; i < x.length; ++i) {
            y[i] = Sqrt.sqrtWad(x[i]);
        }
    }

    function sqrt(uint256[] calldata x) external pure returns (uint256[] memory y) {
        y = new uint256[](x.length);
        for (uint256 i; i < x.length; ++i) {
            y[i] = Sqrt.sqrt(x[i]);
        }
    }

    function cdf(int256[] calldata x) external pure returns (uint256[] memory y) {
        y = new uint256[](x.length);
        for (uint256 i; i < x.length; ++i) {
            y[i] = NormalDistribution.cdf(x[i]);
        }
    }

    function tableCdf(address table, int256[] calldata zQ60) external view returns (int256[] memory y) {
        y = new int256[](zQ60.length);
        uint256 pointer = NormalCdf.load(table);
        for (uint256 i; i < zQ60.length; ++i) {
            y[i] = NormalCdf.cdf(pointer, zQ60[i]);
        }
    }

    /// @notice Price of each call, then delta of each call.
    function call(
        uint256[] calldata forwardWad,
        uint256[] calldata strikeWad,
        uint256[] calldata volWad,
        uint256[] calldata timeSec
    ) external pure returns (uint256[] memory y) {
        uint256 n = forwardWad.length;
        y = new uint256[](2 * n);
        for (uint256 i; i < n; ++i) {
            // No low-level call: the library's function of a call option.
            // solhint-disable-next-line avoid-low-level-calls
            (y[i], y[n + i]) = Black76.call(forwardWad[i], strikeWad[i], volWad[i], timeSec[i]);
        }
    }

    function put(uint256 forwardWad, uint256 strikeWad, uint256 volWad, uint256 timeSec)
        external
        pure
        returns (uint256, int256)
    {
        return Black76.put(forwardWad, strikeWad, volWad, timeSec);
    }

    function volatility(
        SviVolatility.Slice calldata slice,
        uint256[] calldata forwardWad,
        uint256[] calldata strikeWad,
        uint256[] calldata timeSec
    ) external pure returns (uint256[] memory y) {
        y = new uint256[](forwardWad.length);
        SviVolatility.Slice memory s = slice;
        for (uint256 i; i < forwardWad.length; ++i) {
            y[i] = SviVolatility.volatility(s, forwardWad[i], strikeWad[i], timeSec[i]);
        }
    }

    function rootsAtTicks(int256[] calldata ticks, int256 decimalsUp) external pure returns (uint256[] memory y) {
        y = new uint256[](ticks.length);
        for (uint256 i; i < ticks.length; ++i) {
            y[i] = LiquidityMath.rootAtTick(ticks[i], decimalsUp);
        }
    }

    function liquidity(uint256 lowerRay, uint256 upperRay, uint256 liquidityWad, uint256[] calldata pricesWad)
        external
        pure
        returns (uint256[] memory values, uint256[] memory units, uint256[] memory bends)
    {
        uint256 n = pricesWad.length;
        (values, units, bends) = (new uint256[](n), new uint256[](n), new uint256[](n));
        for (uint256 i; i < n; ++i) {
            values[i] = LiquidityMath.valueOf(lowerRay, upperRay, liquidityWad, pricesWad[i]);
            units[i] = LiquidityMath.unitsOf(lowerRay, upperRay, liquidityWad, pricesWad[i]);
            bends[i] = LiquidityMath.bendOf(lowerRay, upperRay, liquidityWad, pricesWad[i]);
        }
    }

    function lending(LendingMath.Loan calldata loan, uint256[] calldata pricesWad)
        external
        pure
        returns (uint256[] memory values, uint256[] memory stated)
    {
        (values, stated) = (new uint256[](pricesWad.length), new uint256[](pricesWad.length));
        for (uint256 i; i < pricesWad.length; ++i) {
            values[i] = LendingMath.valueOf(loan, pricesWad[i]);
        }
        LendingMath.fill(loan, pricesWad, stated);
    }
}
