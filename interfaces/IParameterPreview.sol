// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IMarginEngine} from "./IMarginEngine.sol";

/// @title IParameterPreview
/// @notice What a change of parameters does to accounts, readable while its delay still runs.
interface IParameterPreview {
    /// @notice One account before and after; empty on a side where no margin number can be had.
    /// @custom:unit wad of cash
    struct Change {
        uint256 accountId;
        bool isKnownBefore;
        bool isKnownAfter;
        IMarginEngine.State stateBefore;
        IMarginEngine.State stateAfter;
        int256 equityBeforeWad;
        int256 equityAfterWad;
        uint256 initialBeforeWad;
        uint256 initialAfterWad;
        uint256 maintenanceBeforeWad;
        uint256 maintenanceAfterWad;
    }

    /// @notice Carries the result out of the call that undoes itself.
    error ParameterPreview__Result(Change[] changes);

    /// @notice Margins of accounts now and with proposed changes of the scenario book.
    /// @dev To be asked for with eth_call; as a transaction it changes nothing.
    /// @param calls Data of the calls to the book, exactly as scheduled with the access manager: `setBook`,
    /// `setAccountParams`, `setCollateral`. What the book would refuse reverts here with the same error.
    /// @param accountIds Accounts.
    /// @return changes One per account.
    function previewParameters(bytes[] calldata calls, uint256[] calldata accountIds)
        external
        returns (Change[] memory changes);

    /// @notice Applies the changes to the draft, margins the accounts, and always reverts.
    /// @param calls See previewParameters.
    /// @param accountIds Accounts.
    function simulate(bytes[] calldata calls, uint256[] calldata accountIds) external;
}
