// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title Authority
/// @notice The one access manager of an installation: parameters change behind its delays, the guardian only pauses.
/// @dev OpenZeppelin's AccessManager as it is; the name of its own gives it a built artefact.
contract Authority is AccessManager {
    /// @param governor First holder of the admin role.
    constructor(address governor) AccessManager(governor) {}
}
