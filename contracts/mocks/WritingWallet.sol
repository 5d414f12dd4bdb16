// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IDelegation} from "../../interfaces/IDelegation.sol";

/// @title WritingWallet
/// @notice Contract that agrees to everything, and revokes a grant of its own while it is asked, when it may write.
contract WritingWallet {
    IDelegation private immutable DELEGATION;
    uint256 private _accountId;

    constructor(IDelegation delegation) {
        DELEGATION = delegation;
    }

    /// @notice Names the account whose grant is revoked; 0 for none.
    /// @param accountId Account.
    function arm(uint256 accountId) external {
        _accountId = accountId;
    }

    /// @notice Agrees.
    /// @return Magic value.
    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        if (_accountId != 0) DELEGATION.revoke(_accountId, address(this));
        return IERC1271.isValidSignature.selector;
    }
}
