// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {SSTORE2} from "solady/src/utils/SSTORE2.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {NormalCdf} from "./NormalCdf.sol";

/// @title BookCode
/// @notice A scenario book as the code of a data contract, laid out so that one copy into memory is the struct.
/// @dev Words: 13 parameters, length of the plan, plan (ScenarioPlan), normal table (NormalCdf), number of rows, rows,
/// zeros up to MAX_ROWS rows. Whoever prices needs the table: together they cost one cold account. The rows are for
/// readers; the engine has all of them in the plan.
library BookCode {
    /// @notice Most rows of a book.
    uint256 internal constant MAX_ROWS = 32;
    uint256 private constant PARAM_WORDS = 13;
    uint256 private constant ROW_BYTES = (MAX_ROWS + 1) * 32;

    /// @notice Deploys a book.
    /// @param book Book.
    /// @param normalTable NormalTable.
    /// @return pointer Data contract.
    function save(IScenarioBook.Book memory book, address normalTable) internal returns (address pointer) {
        bytes memory engine = abi.encodePacked(abi.encode(book.params), book.plan.length, book.plan, normalTable.code);
        bytes memory padding = new bytes((MAX_ROWS - book.rows.length) * 32);
        pointer = SSTORE2.write(abi.encodePacked(engine, book.rows.length, book.rows, padding));
    }

    /// @notice Reads what the engine needs of a book; nothing is decoded, the arrays lie inside the copy.
    /// @param book Memory of the book; its rows stay as they are.
    /// @param pointer Data contract made by `save`.
    /// @return table Memory position of the normal table, a multiple of 16.
    function load(IScenarioBook.Book memory book, address pointer) internal view returns (uint256 table) {
        (uint256 rowBytes, uint256 tableBytes) = (ROW_BYTES, NormalCdf.TABLE_BYTES);
        assembly ("memory-safe") {
            // Equivalent: abi.decode(SSTORE2.read(pointer), (params, plan, table)) without copying. The code begins
            // with a STOP.
            let params := and(add(mload(0x40), 0x1f), not(0x1f))
            let size := sub(extcodesize(pointer), add(1, rowBytes))
            extcodecopy(pointer, params, 1, size)
            mstore(0x40, add(params, size))
            mstore(book, params)
            mstore(add(book, 0x40), add(params, mul(PARAM_WORDS, 0x20)))
            table := sub(add(params, size), tableBytes)
        }
    }

    /// @notice Reads a whole book.
    /// @param book Memory of the book.
    /// @param pointer Data contract made by `save`.
    function loadAll(IScenarioBook.Book memory book, address pointer) internal view {
        load(book, pointer);
        uint256 rowBytes = ROW_BYTES;
        assembly ("memory-safe") {
            // Equivalent: book.rows = abi.decode(the last rowBytes of the code, (rows)).
            let rows := mload(0x40)
            extcodecopy(pointer, rows, sub(extcodesize(pointer), rowBytes), rowBytes)
            mstore(0x40, add(rows, rowBytes))
            mstore(add(book, 0x20), rows)
        }
    }
}
