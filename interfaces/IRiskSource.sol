// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IRiskSource
/// @notice Whoever can say what a token is worth at any price of its underlying can have it margined.
/// @dev The first price is the present one, the others rise. Between two neighbours of the others the token must be
/// worth at least what lies on the straight line between what is stated there: a source whose worth sags in between
/// states that much less at one of them, or both. There it may also state less than at the first price, which counts as
/// equity: the difference is margin. Nothing that a token stands for is owed.
/// The prices come from the signed round; a source must not read a price of its own, which one transaction could move.
/// What SourceBook does with an answer that cannot be is told there.
interface IRiskSource {
    /// @notice What an amount is worth.
    /// @param amountWad Amount, wad.
    /// @param pricesWad Prices of the underlying in cash, wad.
    /// @return unitsWad Units of the underlying that it behaves like at the first price.
    /// @return gammaWad How many more units for each cash that the price rises.
    /// @return valuesWad Worth in cash at each price, wad, rounded down.
    function valuesAt(uint256 amountWad, uint256[] calldata pricesWad)
        external
        view
        returns (int256 unitsWad, int256 gammaWad, uint256[] memory valuesWad);
}
