// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IOracle} from "../../interfaces/IOracle.sol";

/// @title SettlementStub
/// @notice Oracle that knows settlement prices only, set by the test.
contract SettlementStub {
    mapping(uint8 underlyingId => mapping(uint40 expiryTs => uint256)) private _priceWad;

    /// @notice Sets a settlement price.
    /// @param underlyingId Underlying.
    /// @param expiryTs Expiry.
    /// @param priceWad Price, wad.
    function setPrice(uint8 underlyingId, uint40 expiryTs, uint256 priceWad) external {
        _priceWad[underlyingId][expiryTs] = priceWad;
    }

    /// @notice The price that was set; reverts as the oracle does when there is none.
    /// @param underlyingId Underlying.
    /// @param expiryTs Expiry.
    /// @return priceWad Price, wad.
    function settlementPriceOf(uint8 underlyingId, uint40 expiryTs) external view returns (uint256 priceWad) {
        priceWad = _priceWad[underlyingId][expiryTs];
        if (priceWad == 0) revert IOracle.Oracle__NotSettled(underlyingId, expiryTs);
    }
}
