// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {BookCode} from "../libraries/BookCode.sol";
import {ScenarioPlan} from "../libraries/ScenarioPlan.sol";

/// @title BookWriter
/// @notice Checks the rows of a scenario book, lays them out for the risk engine and writes them as a data contract.
/// @dev Deployed by ScenarioBook. Whoever calls it gets a data contract that nothing points to.
contract BookWriter {
    uint256 private constant MAX_NODES = 48;
    uint256 private constant MAX_SKEW_WAD = 0.99e18;
    int256 private constant MAX_MULTIPLE_WAD = 100e18;
    uint8 private constant DOWN = 2;

    /// @notice Writes a book.
    /// @param params Parameters, as ScenarioBook accepts them.
    /// @param rows Rows.
    /// @return pointer Data contract, see BookCode.
    function write(IScenarioBook.UnderlyingParams calldata params, IScenarioBook.Rows calldata rows)
        external
        returns (address pointer)
    {
        _checkRows(rows);
        IScenarioBook.Book memory book;
        (book.params, book.rows) = (params, rows);
        book.plan = ScenarioPlan.build(book.rows, params.priceRangeWad);
        pointer = BookCode.save(book);
    }

    /// @dev Only rows whose intervals cover every price between the outermost nodes are a book.
    function _checkRows(IScenarioBook.Rows calldata rows) private pure {
        (uint256 grid, uint256 tails) = (rows.gridMovesWad.length, rows.tailMovesWad.length);
        (uint256 states, uint256 tailStates) = (rows.gridVols.length, rows.tailVols.length);
        uint256 nodes = grid * states + 2 * tails * tailStates + 2 * rows.skewAt.length;
        if (nodes > MAX_NODES) revert IScenarioBook.ScenarioBook__NodeCount(nodes, MAX_NODES);
        bool hasUnmoved = _checkMoves("gridMovesWad", rows.gridMovesWad);
        if (!hasUnmoved || grid < 2 || states == 0) revert IScenarioBook.ScenarioBook__NoUnmovedPrice(grid, states);
        if ((tails == 0) != (tailStates == 0)) revert IScenarioBook.ScenarioBook__BadLength(tailStates, tails);
        _checkMoves("tailMovesWad", rows.tailMovesWad);
        if (tails != 0) _checkTail(rows);
        uint256 gridSet = _checkVols("gridVols", rows.gridVols);
        uint256 outside = _checkVols("tailVols", rows.tailVols) & ~gridSet;
        if (outside != 0) revert IScenarioBook.ScenarioBook__TailWithoutGrid(outside, gridSet);
        if (rows.skewWad > MAX_SKEW_WAD) {
            revert IScenarioBook.ScenarioBook__ParameterOutOfRange("skewWad", rows.skewWad, MAX_SKEW_WAD);
        }
        for (uint256 i; i < rows.skewAt.length; ++i) {
            if (rows.skewAt[i].vol > DOWN) revert IScenarioBook.ScenarioBook__VolState(rows.skewAt[i].vol, DOWN);
            _requireInGrid(rows, rows.skewAt[i], gridSet);
            for (uint256 j; j < i; ++j) {
                bool isSame = rows.skewAt[i].vol == rows.skewAt[j].vol;
                if (isSame && rows.skewAt[i].moveWad == rows.skewAt[j].moveWad) {
                    revert IScenarioBook.ScenarioBook__DuplicateSkew(i, j);
                }
            }
        }
    }

    /// @dev A skew pair is compared with the grid's own node of its place.
    function _requireInGrid(
        IScenarioBook.Rows calldata rows,
        IScenarioBook.SkewPlace calldata at,
        uint256 gridSet
    ) private pure {
        if ((gridSet >> at.vol) & 1 == 1) {
            for (uint256 i; i < rows.gridMovesWad.length; ++i) {
                if (rows.gridMovesWad[i] == at.moveWad) return;
            }
        }
        revert IScenarioBook.ScenarioBook__SkewOutsideGrid(at.moveWad, at.vol);
    }

    /// @dev Strictly increasing; says whether 0 is among them.
    function _checkMoves(bytes32 name, int256[] calldata movesWad) private pure returns (bool hasUnmoved) {
        for (uint256 i; i < movesWad.length; ++i) {
            _checkMultiple(movesWad[i]);
            if (i != 0 && movesWad[i] <= movesWad[i - 1]) {
                revert IScenarioBook.ScenarioBook__NotIncreasing(name, movesWad[i], movesWad[i - 1]);
            }
            if (movesWad[i] == 0) hasUnmoved = true;
        }
    }

    /// @dev What its product with a range needs; ScenarioPlan limits the price move itself.
    function _checkMultiple(int256 multipleWad) private pure {
        int256 limitWad = multipleWad < 0 ? -MAX_MULTIPLE_WAD : MAX_MULTIPLE_WAD;
        if (multipleWad < -MAX_MULTIPLE_WAD || multipleWad > MAX_MULTIPLE_WAD) {
            revert IScenarioBook.ScenarioBook__MoveOutOfRange(multipleWad, limitWad);
        }
    }

    /// @dev The nearest tail lies beyond both ends of the grid.
    function _checkTail(IScenarioBook.Rows calldata rows) private pure {
        int256 lowest = -rows.gridMovesWad[0];
        int256 outermost = rows.gridMovesWad[rows.gridMovesWad.length - 1];
        if (lowest > outermost) outermost = lowest;
        if (rows.tailMovesWad[0] <= outermost) {
            revert IScenarioBook.ScenarioBook__TailInsideGrid(rows.tailMovesWad[0], outermost);
        }
    }

    /// @dev Known and strictly increasing; as a set of bits.
    function _checkVols(bytes32 name, uint8[] calldata vols) private pure returns (uint256 set) {
        for (uint256 i; i < vols.length; ++i) {
            if (vols[i] > DOWN) revert IScenarioBook.ScenarioBook__VolState(vols[i], DOWN);
            if (i != 0 && vols[i] <= vols[i - 1]) {
                (int256 vol, int256 previous) = (int256(uint256(vols[i])), int256(uint256(vols[i - 1])));
                revert IScenarioBook.ScenarioBook__NotIncreasing(name, vol, previous);
            }
            set |= 1 << vols[i];
        }
    }
}
