// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IMorpho} from "./IMorpho.sol";

/// @title IMorphoRate
/// @notice What a lending position uses of the interest rate model of a market of Morpho Blue.
interface IMorphoRate {
    /// @notice Rate at which the debt of a market grows, on average since its last update.
    /// @param params Market.
    /// @param market Its sums.
    /// @return Rate of a second, wad.
    function borrowRateView(IMorpho.MarketParams calldata params, IMorpho.Market calldata market)
        external
        view
        returns (uint256);
}
