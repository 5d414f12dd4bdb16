// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";

/// @title MarginStub
/// @notice Margin engine whose answer is set by the test; an account nobody has set is healthy.
contract MarginStub {
    mapping(uint256 accountId => uint256) private _initialWad;
    mapping(uint256 accountId => int256) private _equityWad;

    /// @notice Sets the equity of an account; 0 before.
    /// @param accountId Account.
    /// @param equityWad Equity, wad.
    function setEquity(uint256 accountId, int256 equityWad) external {
        _equityWad[accountId] = equityWad;
    }

    /// @notice Sets the initial margin of an account.
    /// @param accountId Account.
    /// @param initialWad Initial margin, wad.
    function setInitial(uint256 accountId, uint256 initialWad) external {
        _initialWad[accountId] = initialWad;
    }

    /// @notice Margin of an account.
    /// @param accountId Account.
    /// @return margin The equity and the initial margin that were set.
    function marginOf(uint256 accountId) public view returns (IMarginEngine.MarginState memory margin) {
        (margin.equityWad, margin.initialWad) = (_equityWad[accountId], _initialWad[accountId]);
    }

    /// @notice The same in the own measure.
    /// @param accountId Account.
    /// @return margin The equity and the initial margin that were set.
    function ownMarginOf(uint256 accountId) external view returns (IMarginEngine.MarginState memory margin) {
        margin = marginOf(accountId);
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
