// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IParameterPreview} from "../../interfaces/IParameterPreview.sol";
import {MarginMath} from "../libraries/MarginMath.sol";

/// @title ParameterPreview
/// @notice See IParameterPreview.
contract ParameterPreview is IParameterPreview {
    IAccounts private immutable ACCOUNTS;
    IMarginEngine private immutable LIVE;
    address private immutable DRAFT_BOOK;
    IMarginEngine private immutable DRAFT;

    /// @param accounts Ledger.
    /// @param live Margin engine.
    /// @param draftBook Draft of the scenario book.
    /// @param draft Margin engine that reads the draft.
    constructor(IAccounts accounts, IMarginEngine live, address draftBook, IMarginEngine draft) {
        ACCOUNTS = accounts;
        LIVE = live;
        DRAFT_BOOK = draftBook;
        DRAFT = draft;
    }

    /// @inheritdoc IParameterPreview
    function previewParameters(bytes[] calldata calls, uint256[] calldata accountIds)
        external
        override
        returns (Change[] memory changes)
    {
        try this.simulate(calls, accountIds) {
            return changes;
        } catch (bytes memory data) {
            if (bytes4(data) != ParameterPreview__Result.selector) _bubble(data);
            changes = abi.decode(_withoutSelector(data), (Change[]));
        }
    }

    /// @inheritdoc IParameterPreview
    function simulate(bytes[] calldata calls, uint256[] calldata accountIds) external override {
        for (uint256 i; i < calls.length; ++i) {
            Address.functionCall(DRAFT_BOOK, calls[i]);
        }
        Change[] memory changes = new Change[](accountIds.length);
        for (uint256 i; i < accountIds.length; ++i) {
            changes[i] = _change(accountIds[i]);
        }
        revert ParameterPreview__Result(changes);
    }

    /// @dev A closed account has nothing to evaluate: it leaves both sides empty and stops no other.
    function _change(uint256 accountId) private view returns (Change memory c) {
        c.accountId = accountId;
        try ACCOUNTS.snapshotOf(accountId) returns (IAccounts.Snapshot memory s) {
            _evaluate(c, s);
        } catch {
            c.isKnownBefore = false;
        }
    }

    function _evaluate(Change memory c, IAccounts.Snapshot memory s) private view {
        (uint256 creditWad,) = LIVE.backingOf(c.accountId);
        try LIVE.evaluate(s) returns (IMarginEngine.MarginState memory m) {
            MarginMath.fillUp(m, creditWad);
            (c.isKnownBefore, c.stateBefore, c.equityBeforeWad) = (true, m.state, m.equityWad);
            (c.initialBeforeWad, c.maintenanceBeforeWad) = (m.initialWad, m.maintenanceWad);
        } catch {
            c.isKnownBefore = false;
        }
        try DRAFT.evaluate(s) returns (IMarginEngine.MarginState memory m) {
            MarginMath.fillUp(m, creditWad);
            (c.isKnownAfter, c.stateAfter, c.equityAfterWad) = (true, m.state, m.equityWad);
            (c.initialAfterWad, c.maintenanceAfterWad) = (m.initialWad, m.maintenanceWad);
        } catch {
            c.isKnownAfter = false;
        }
    }

    function _withoutSelector(bytes memory data) private pure returns (bytes memory body) {
        assembly ("memory-safe") {
            // Equivalent: copy data[4:]; the selector becomes part of the length word that is written over it.
            body := add(data, 4)
            mstore(body, sub(mload(data), 4))
        }
    }

    function _bubble(bytes memory data) private pure {
        assembly ("memory-safe") {
            // Revert with what the inner call reverted with; Solidity has no other way.
            revert(add(data, 0x20), mload(data))
        }
    }
}
