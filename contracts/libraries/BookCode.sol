// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {SSTORE2} from "solady/src/utils/SSTORE2.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";

/// @title BookCode
/// @notice A scenario book as the code of a data contract, laid out so that one copy into memory is the struct.
/// @dev Words: 13 parameters, number of rows, rows, length of the plan, plan (ScenarioPlan).
library BookCode {
    uint256 private constant PARAM_WORDS = 13;

    /// @notice Deploys a book.
    /// @param book Book.
    /// @return pointer Data contract.
    function save(IScenarioBook.Book memory book) internal returns (address pointer) {
        pointer = SSTORE2.write(
            abi.encodePacked(
                abi.encode(book.params), book.rows.length, book.rows, book.plan.length, book.plan
            )
        );
    }

    /// @notice Reads a book; nothing is decoded, the arrays lie inside the copy.
    /// @param book Memory of the book.
    /// @param pointer Data contract made by `save`.
    function load(IScenarioBook.Book memory book, address pointer) internal view {
        bytes memory words = SSTORE2.read(pointer);
        assembly ("memory-safe") {
            // Equivalent: abi.decode into (params, rows, plan) without copying.
            let params := add(words, 0x20)
            let rows := add(params, mul(PARAM_WORDS, 0x20))
            mstore(book, params)
            mstore(add(book, 0x20), rows)
            mstore(add(book, 0x40), add(rows, mul(add(mload(rows), 1), 0x20)))
        }
    }
}
