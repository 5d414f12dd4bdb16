// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {Units} from "./Units.sol";

/// @title ShareMath
/// @notice What a share of a strategy vault costs, is worth and pays as a fee.
/// @dev As in OpenZeppelin's ERC4626 there is one raw unit of assets and VIRTUAL shares more than there really are:
/// what somebody gives to the vault goes to them in part, so that nobody can make a share so dear that others get none.
/// @custom:rounding against who enters, leaves or earns the fee (R-03, R-04)
library ShareMath {
    /// @dev Decimals of a share beyond those of the asset.
    uint8 internal constant OFFSET = 6;
    uint256 internal constant VIRTUAL = 10 ** OFFSET;
    uint256 private constant WAD = Units.UWAD;

    /// @notice floor(assets*(supply + VIRTUAL)/(entry + 1)).
    /// @param assetsRaw Assets that enter.
    /// @param entryRaw What all shares cost on the way in.
    /// @param supply Shares.
    /// @return Shares for them.
    function sharesFor(uint256 assetsRaw, uint256 entryRaw, uint256 supply) internal pure returns (uint256) {
        return FixedPointMathLib.fullMulDiv(assetsRaw, supply + VIRTUAL, entryRaw + 1);
    }

    /// @notice floor(shares*(exit + 1)/(supply + VIRTUAL)).
    /// @param shares Shares that leave.
    /// @param exitRaw What all shares are worth on the way out.
    /// @param supply Shares.
    /// @return Assets for them.
    function assetsFor(uint256 shares, uint256 exitRaw, uint256 supply) internal pure returns (uint256) {
        return FixedPointMathLib.fullMulDiv(shares, exitRaw + 1, supply + VIRTUAL);
    }

    /// @notice Price of a share on the way out: VIRTUAL*(exit + 1)/(supply + VIRTUAL), rounded down.
    /// @param exitRaw What all shares are worth on the way out.
    /// @param supply Shares.
    /// @return Price, wad; 1 wad when nothing is there.
    function priceOf(uint256 exitRaw, uint256 supply) internal pure returns (uint256) {
        return FixedPointMathLib.fullMulDiv((exitRaw + 1) * VIRTUAL, WAD, supply + VIRTUAL);
    }

    /// @notice Shares that are worth a part of what all shares gained above their highest price, after they are minted.
    /// @param exitRaw What all shares are worth on the way out.
    /// @param supply Shares.
    /// @param highWad Highest price of a share, wad.
    /// @param feeWad Part, at most half.
    /// @return Shares; 0 where the price is no higher.
    function feeShares(uint256 exitRaw, uint256 supply, uint256 highWad, uint256 feeWad)
        internal
        pure
        returns (uint256)
    {
        uint256 priceWad = priceOf(exitRaw, supply);
        if (priceWad <= highWad) return 0;
        uint256 gainRaw = FixedPointMathLib.fullMulDiv(priceWad - highWad, supply, VIRTUAL * WAD);
        uint256 feeRaw = FixedPointMathLib.mulWad(gainRaw, feeWad);
        return FixedPointMathLib.fullMulDiv(feeRaw, supply + VIRTUAL, exitRaw + 1 - feeRaw);
    }
}
