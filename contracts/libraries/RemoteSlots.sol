// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {SlotDerivation} from "@openzeppelin/contracts/utils/SlotDerivation.sol";

/// @title RemoteSlots
/// @notice Where the two contracts of remote collateral keep the sums that the other one proves.
library RemoteSlots {
    using SlotDerivation for bytes32;

    /// @dev Slots of the two mappings; RemoteClaims has its access manager before it.
    bytes32 private constant LOCKED = 0;
    bytes32 private constant REDEEMED = bytes32(uint256(1));

    /// @notice Word of `RemoteEscrow.lockedRaw`.
    /// @param token Token of the remote chain.
    /// @param to Who gets the claim on the home chain.
    /// @return slot Place in the storage of RemoteEscrow.
    function locked(address token, address to) internal pure returns (bytes32 slot) {
        slot = LOCKED.deriveMapping(token).deriveMapping(to);
    }

    /// @notice Word of `RemoteClaims.redeemedRaw`.
    /// @param token Token of the remote chain.
    /// @param to Receiver there.
    /// @return slot Place in the storage of RemoteClaims.
    function redeemed(address token, address to) internal pure returns (bytes32 slot) {
        slot = REDEEMED.deriveMapping(token).deriveMapping(to);
    }
}
