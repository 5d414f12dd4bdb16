// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";

/// @title PriorBook
/// @notice The scenario book as it was before the first change of the present grace.
/// @dev Answers what risk and margin engine ask of a book; a second pair of engines bound to it tells what an account
/// would need without the change. Outside of a grace it is the book itself.
contract PriorBook {
    IScenarioBook private immutable BOOK;

    constructor(IScenarioBook book) {
        BOOK = book;
    }

    /// @notice See IScenarioBook.
    /// @param underlyingId Underlying.
    /// @return pointer Data contract that holds the book as code.
    function bookPointerOf(uint8 underlyingId) external view returns (address pointer) {
        pointer = BOOK.priorBookPointerOf(underlyingId);
    }

    /// @notice See IScenarioBook.
    /// @return word Parameters of the whole account, packed (AccountWord).
    function accountWord() external view returns (uint256 word) {
        word = BOOK.priorAccountWord();
    }

    /// @notice See IScenarioBook.
    /// @param tokenId Token.
    /// @return params Parameters of a collateral token.
    function collateralOf(uint256 tokenId) external view returns (IScenarioBook.CollateralParams memory params) {
        params = BOOK.priorCollateralOf(tokenId);
    }
}
