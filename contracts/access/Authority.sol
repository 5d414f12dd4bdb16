// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title Authority
/// @notice The one access manager of an installation: parameters change behind its delays, the guardian only pauses, a
/// canceller only cancels.
/// @dev OpenZeppelin's AccessManager knows guardians of roles, but none of the admin role: what an admin schedules on
/// the manager itself, `grantRole` of the admin role first of all, only another admin could cancel there.
contract Authority is AccessManager {
    /// @notice Holders may cancel what anybody has scheduled, and do nothing else.
    uint64 public constant CANCELLER_ROLE = 4;

    /// @param governor First holder of the admin role.
    constructor(address governor) AccessManager(governor) {}

    /// @dev A canceller may cancel everything but the loss of its own role, or a stolen one would stop governance for
    /// good; another canceller may cancel that too.
    function _canCancel(address caller, address target, bytes calldata data) internal view override returns (bool) {
        (bool isCanceller,) = hasRole(CANCELLER_ROLE, msg.sender);
        if (isCanceller && !_isOwnRevocation(target, data)) return true;
        return super._canCancel(caller, target, data);
    }

    function _isOwnRevocation(address target, bytes calldata data) private view returns (bool) {
        if (target != address(this) || bytes4(data) != this.revokeRole.selector) return false;
        (uint64 roleId, address account) = abi.decode(data[4:], (uint64, address));
        return roleId == CANCELLER_ROLE && account == msg.sender;
    }
}
