// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRiskSource} from "../../interfaces/IRiskSource.sol";

/// @title SourceStub
/// @notice A source that answers as it is told: a worth in proportion to the price unless something else is set.
contract SourceStub is IRiskSource {
    int256 public unitsWad;
    int256 public gammaWad;
    /// @notice Added to the worth at the price of this place; the places after it stay in proportion.
    uint256 public addedWad;
    uint256 public place;
    /// @notice Values more, or less, than asked for.
    int256 public surplus;

    /// @notice Sets every number.
    function set(int256 unitsWad_, int256 gammaWad_, uint256 addedWad_, uint256 place_, int256 surplus_) external {
        (unitsWad, gammaWad, addedWad, place, surplus) = (unitsWad_, gammaWad_, addedWad_, place_, surplus_);
    }

    /// @inheritdoc IRiskSource
    function valuesAt(uint256 amountWad, uint256[] calldata pricesWad)
        external
        view
        override
        returns (int256, int256, uint256[] memory valuesWad)
    {
        valuesWad = new uint256[](uint256(int256(pricesWad.length) + surplus));
        for (uint256 i; i < valuesWad.length; ++i) {
            if (i < pricesWad.length) valuesWad[i] = amountWad * pricesWad[i] / 1e18;
            if (i == place) valuesWad[i] += addedWad;
        }
        return (unitsWad, gammaWad, valuesWad);
    }
}
