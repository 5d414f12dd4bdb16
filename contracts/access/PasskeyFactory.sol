// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {IPasskeyFactory} from "../../interfaces/IPasskeyFactory.sol";
import {Passkey} from "./Passkey.sol";

/// @title PasskeyFactory
/// @notice See IPasskeyFactory.
contract PasskeyFactory is IPasskeyFactory {
    /// @dev The public key is part of the code that decides the address, so that one salt does for all.
    bytes32 private constant SALT = 0;

    address private immutable CODE = address(new Passkey());

    /// @inheritdoc IPasskeyFactory
    function create(bytes32 x, bytes32 y) external override returns (address key) {
        if (!P256.isValidPublicKey(x, y)) revert PasskeyFactory__NotOnCurve(x, y);
        key = addressOf(x, y);
        if (key.code.length != 0) return key;
        Clones.cloneDeterministicWithImmutableArgs(CODE, abi.encode(x, y), SALT);
        emit PasskeyCreated(key, x, y);
    }

    /// @inheritdoc IPasskeyFactory
    function addressOf(bytes32 x, bytes32 y) public view override returns (address key) {
        key = Clones.predictDeterministicAddressWithImmutableArgs(CODE, abi.encode(x, y), SALT, address(this));
    }
}
