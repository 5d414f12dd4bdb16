// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";

/// @title PlainCall
/// @notice The calls of a margin check between contracts of one deployment. Answers are not decoded: the structs lie
/// inside the copy of what was answered, and arrays go out as they lie in memory.
/// @dev Only for contracts whose addresses are fixed at deployment: a word is taken as it comes, without the check that
/// it fits its type, and where the arrays of a snapshot lie is believed. What goes out fits its type: an id is widened
/// by the compiler, which clears what may lie above its eight bits. What the other contract reverts with is passed on,
/// and an answer of a size that cannot be reverts with itself.
library PlainCall {
    /// @notice See IAccounts.snapshotOf.
    /// @param accounts Ledger.
    /// @param accountId Account.
    /// @return snapshot Snapshot.
    function snapshotOf(IAccounts accounts, uint256 accountId)
        internal
        view
        returns (IAccounts.Snapshot memory snapshot)
    {
        bytes4 selector = IAccounts.snapshotOf.selector;
        assembly ("memory-safe") {
            // Equivalent: snapshot = accounts.snapshotOf(accountId). An answer is a word that leads to the struct,
            // whose three arrays are told by how far behind its start they lie; nine words when they are empty.
            mstore(0x00, selector)
            mstore(0x04, accountId)
            let answer := mload(0x40)
            let least := 0x120
            let isDone := staticcall(gas(), accounts, 0x00, 0x24, answer, least)
            if or(iszero(isDone), lt(returndatasize(), least)) {
                returndatacopy(answer, 0, returndatasize())
                revert(answer, returndatasize())
            }
            returndatacopy(add(answer, least), least, sub(returndatasize(), least))
            mstore(0x40, add(answer, returndatasize()))
            snapshot := add(answer, 0x20)
            lead(add(snapshot, 0x40), snapshot)
            lead(add(snapshot, 0x60), snapshot)
            lead(add(snapshot, 0x80), snapshot)

            // What says how far behind the start something lies becomes its memory position.
            function lead(at, start) {
                mstore(at, add(start, mload(at)))
            }
        }
    }

    /// @notice See IOracle.roundFor.
    /// @param oracle Oracle.
    /// @param underlyingId Underlying.
    /// @param expiries Expiries.
    /// @return header Head of the round.
    /// @return surface First of as many surfaces as there are expiries, one behind the other.
    function roundFor(IOracle oracle, uint8 underlyingId, uint40[] memory expiries)
        internal
        view
        returns (IOracle.Header memory header, IOracle.Surface memory surface)
    {
        (bytes4 selector, uint256 id) = (IOracle.roundFor.selector, underlyingId);
        assembly ("memory-safe") {
            // Equivalent: (header, surfaces) = oracle.roundFor(underlyingId, expiries). An answer is the five words of
            // the header, how far behind its start the array of surfaces lies, its length, and eight words for each.
            header := mload(0x40)
            surface := add(header, 0xe0)
            let size := add(0xe0, shl(8, mload(expiries)))
            let listSize := shl(5, add(mload(expiries), 1))
            mstore(header, selector)
            mstore(add(header, 0x04), id)
            mstore(add(header, 0x24), 0x40)
            mcopy(add(header, 0x44), expiries, listSize)
            let isDone := staticcall(gas(), oracle, header, add(listSize, 0x44), header, size)
            if iszero(and(isDone, eq(returndatasize(), size))) {
                returndatacopy(header, 0, returndatasize())
                revert(header, returndatasize())
            }
            mstore(0x40, add(header, size))
        }
    }

    /// @notice See IRiskEngine.riskOf.
    /// @param engine Risk engine.
    /// @param underlyingId Underlying.
    /// @param positions Position words.
    /// @param linkedUnitsWad Units of the underlying held as collateral, wad.
    /// @return risk Components.
    function riskOf(IRiskEngine engine, uint8 underlyingId, uint256[] memory positions, int256 linkedUnitsWad)
        internal
        view
        returns (IRiskEngine.UnderlyingRisk memory risk)
    {
        (bytes4 selector, uint256 id) = (IRiskEngine.riskOf.selector, underlyingId);
        assembly ("memory-safe") {
            // Equivalent: risk = engine.riskOf(underlyingId, positions, linkedUnitsWad). An answer is the struct,
            // 16 words.
            risk := mload(0x40)
            let size := 0x200
            let listSize := shl(5, add(mload(positions), 1))
            mstore(risk, selector)
            mstore(add(risk, 0x04), id)
            mstore(add(risk, 0x24), 0x60)
            mstore(add(risk, 0x44), linkedUnitsWad)
            mcopy(add(risk, 0x64), positions, listSize)
            let isDone := staticcall(gas(), engine, risk, add(listSize, 0x64), risk, size)
            if iszero(and(isDone, eq(returndatasize(), size))) {
                returndatacopy(risk, 0, returndatasize())
                revert(risk, returndatasize())
            }
            mstore(0x40, add(risk, size))
        }
    }
}
