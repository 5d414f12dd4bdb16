// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {SSTORE2} from "solady/src/utils/SSTORE2.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";

/// @title BookCode
/// @notice A scenario book as the code of a data contract, laid out so that one copy into memory is the struct.
/// @dev Words: 14 parameters, length of the plan, plan (ScenarioPlan), then the rows, encoded. The rows are for
/// readers; the engine has all of them in the plan.
library BookCode {
    uint256 private constant PARAM_WORDS = 14;

    /// @notice Deploys a book.
    /// @param book Book.
    /// @return pointer Data contract.
    function save(IScenarioBook.Book memory book) internal returns (address pointer) {
        bytes memory engine = abi.encodePacked(abi.encode(book.params), book.plan.length, book.plan);
        pointer = SSTORE2.write(abi.encodePacked(engine, abi.encode(book.rows)));
    }

    /// @notice Reads what the engine needs of a book; nothing is decoded, the arrays lie inside the copy.
    /// @param book Memory of the book; its rows stay as they are.
    /// @param pointer Data contract made by `save`.
    function load(IScenarioBook.Book memory book, address pointer) internal view {
        assembly ("memory-safe") {
            // Equivalent: abi.decode(SSTORE2.read(pointer), (params, plan)) without copying. The code begins with a
            // STOP; the plan's length comes first, because it tells where the rows begin.
            let params := and(add(mload(0x40), 0x1f), not(0x1f))
            extcodecopy(pointer, 0x00, add(1, mul(PARAM_WORDS, 0x20)), 0x20)
            let size := add(add(mul(PARAM_WORDS, 0x20), 0x20), shl(5, mload(0x00)))
            extcodecopy(pointer, params, 1, size)
            mstore(0x40, add(params, size))
            mstore(book, params)
            mstore(add(book, 0x40), add(params, mul(PARAM_WORDS, 0x20)))
        }
    }

    /// @notice Reads a whole book.
    /// @param book Memory of the book.
    /// @param pointer Data contract made by `save`.
    function loadAll(IScenarioBook.Book memory book, address pointer) internal view {
        load(book, pointer);
        uint256 before_ = (PARAM_WORDS + 1 + book.plan.length) * 32;
        book.rows = abi.decode(SSTORE2.read(pointer, before_), (IScenarioBook.Rows));
    }

    /// @notice Price range of a book, without the rest of it.
    /// @param pointer Data contract made by `save`.
    /// @return rangeWad Wad.
    function priceRangeOf(address pointer) internal view returns (uint256 rangeWad) {
        assembly ("memory-safe") {
            // Equivalent: the first word of SSTORE2.read(pointer).
            extcodecopy(pointer, 0x00, 1, 0x20)
            rangeWad := mload(0x00)
        }
    }

    /// @notice Moves of a book's ladder, without the rest of it.
    /// @param pointer Data contract made by `save`.
    /// @return words As the plan has them: ScenarioPlan.MOVE_WORDS for each move.
    function movesOf(address pointer) internal view returns (uint256[] memory words) {
        assembly ("memory-safe") {
            // Equivalent: plan[plan[FIRST_MOVE]:plan[FIRST_MOVE] + MOVE_WORDS*plan[MOVES]] of SSTORE2.read(pointer).
            // The plan lies behind its length; its words 6 and 11 are the two numbers.
            let plan := add(1, shl(5, add(PARAM_WORDS, 1)))
            words := mload(0x40)
            extcodecopy(pointer, words, add(plan, 0xc0), 0xc0)
            let count := mul(mload(words), 3)
            let first := mload(add(words, 0xa0))
            mstore(words, count)
            extcodecopy(pointer, add(words, 0x20), add(plan, shl(5, first)), shl(5, count))
            mstore(0x40, add(add(words, 0x20), shl(5, count)))
        }
    }
}
