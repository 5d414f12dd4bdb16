// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IOracle} from "../../interfaces/IOracle.sol";

/// @title SettlementStub
/// @notice Oracle that knows settlement prices, set by the test, and one forward for every expiry.
contract SettlementStub {
    /// @notice Forward of every expiry, wad.
    uint256 public forwardWad = 2_000e18;

    mapping(uint8 underlyingId => mapping(uint40 expiryTs => uint256)) private _priceWad;

    /// @notice Sets a settlement price.
    /// @param underlyingId Underlying.
    /// @param expiryTs Expiry.
    /// @param priceWad Price, wad.
    function setPrice(uint8 underlyingId, uint40 expiryTs, uint256 priceWad) external {
        _priceWad[underlyingId][expiryTs] = priceWad;
    }

    /// @notice Sets the forward.
    /// @param newForwardWad Forward, wad; 0 for a round that is too old.
    function setForward(uint256 newForwardWad) external {
        forwardWad = newForwardWad;
    }

    /// @notice A round of forwards; reverts as the oracle does when it is too old.
    /// @param expiries Expiries wanted.
    /// @return header Empty.
    /// @return surfaces One per expiry asked for.
    function roundFor(uint8, uint40[] calldata expiries)
        external
        view
        returns (IOracle.Header memory header, IOracle.Surface[] memory surfaces)
    {
        if (forwardWad == 0) revert IOracle.Oracle__Stale(0, block.timestamp);
        surfaces = new IOracle.Surface[](expiries.length);
        for (uint256 i; i < expiries.length; ++i) {
            (surfaces[i].expiryTs, surfaces[i].forwardWad) = (expiries[i], forwardWad);
        }
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
