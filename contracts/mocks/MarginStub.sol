// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";

/// @title MarginStub
/// @notice Margin engine whose answer is set by the test; an account nobody has set is healthy.
contract MarginStub {
    mapping(uint256 accountId => uint256) private _initialWad;

    /// @notice Sets the initial margin of an account; its equity is 0.
    /// @param accountId Account.
    /// @param initialWad Initial margin, wad.
    function setInitial(uint256 accountId, uint256 initialWad) external {
        _initialWad[accountId] = initialWad;
    }

    /// @notice Margin of an account.
    /// @param accountId Account.
    /// @return margin Equity 0 and the initial margin that was set.
    function marginOf(uint256 accountId) external view returns (IMarginEngine.MarginState memory margin) {
        margin.initialWad = _initialWad[accountId];
    }

    /// @notice Takes every token.
    function requireCollateral(uint256) external pure {
        return;
    }

    /// @notice Reverts for an account with an initial margin.
    /// @param accountId Account.
    function enforce(uint256 accountId, IAccounts.Snapshot calldata) external view {
        uint256 initialWad = _initialWad[accountId];
        if (initialWad != 0) revert IMarginEngine.MarginEngine__BelowInitial(0, initialWad);
    }
}
