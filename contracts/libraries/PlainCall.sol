// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";

/// @title PlainCall
/// @notice The calls of a margin check between contracts of one deployment. Answers are not decoded: the structs lie
/// inside the copy of what was answered, and arrays go out as they lie in memory.
/// @dev Only for contracts whose addresses are fixed at deployment: a word is taken as it comes, without the check that
/// it fits its type. What the other contract reverts with is passed on.
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
            // whose three arrays are told by how far behind its start they lie.
            mstore(0x00, selector)
            mstore(0x04, accountId)
            let answer := mload(0x40)
            let isDone := staticcall(gas(), accounts, 0x00, 0x24, 0, 0)
            returndatacopy(answer, 0, returndatasize())
            if iszero(and(isDone, gt(returndatasize(), 0x11f))) { revert(answer, returndatasize()) }
            mstore(0x40, add(answer, returndatasize()))
            snapshot := add(answer, 0x20)
            for { let at := add(snapshot, 0x40) } lt(at, add(snapshot, 0xa0)) { at := add(at, 0x20) } {
                mstore(at, add(snapshot, mload(at)))
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
        bytes4 selector = IOracle.roundFor.selector;
        assembly ("memory-safe") {
            // Equivalent: (header, surfaces) = oracle.roundFor(underlyingId, expiries). An answer is the five words of
            // the header, how far behind its start the array of surfaces lies, its length, and eight words for each.
            let answer := mload(0x40)
            let size := shl(5, add(mload(expiries), 1))
            mstore(answer, selector)
            mstore(add(answer, 0x04), underlyingId)
            mstore(add(answer, 0x24), 0x40)
            mcopy(add(answer, 0x44), expiries, size)
            let isDone := staticcall(gas(), oracle, answer, add(size, 0x44), 0, 0)
            returndatacopy(answer, 0, returndatasize())
            size := add(0xe0, shl(8, mload(expiries)))
            if iszero(and(isDone, eq(returndatasize(), size))) { revert(answer, returndatasize()) }
            header := answer
            surface := add(answer, 0xe0)
            mstore(0x40, add(answer, size))
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
        bytes4 selector = IRiskEngine.riskOf.selector;
        assembly ("memory-safe") {
            // Equivalent: risk = engine.riskOf(underlyingId, positions, linkedUnitsWad). An answer is the struct,
            // 16 words.
            risk := mload(0x40)
            let size := shl(5, add(mload(positions), 1))
            mstore(risk, selector)
            mstore(add(risk, 0x04), underlyingId)
            mstore(add(risk, 0x24), 0x60)
            mstore(add(risk, 0x44), linkedUnitsWad)
            mcopy(add(risk, 0x64), positions, size)
            let isDone := staticcall(gas(), engine, risk, add(size, 0x64), 0, 0)
            returndatacopy(risk, 0, returndatasize())
            if iszero(and(isDone, eq(returndatasize(), 0x200))) { revert(risk, returndatasize()) }
            mstore(0x40, add(risk, 0x200))
        }
    }
}
