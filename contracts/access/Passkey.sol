// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {IPasskey} from "../../interfaces/IPasskey.sol";

/// @title Passkey
/// @notice See IPasskey.
/// @dev Code of every clone that PasskeyFactory makes; the public key stands behind the code of the clone.
contract Passkey is IPasskey {
    bytes4 private constant REFUSED = 0xffffffff;

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 digest, bytes calldata signature) external view override returns (bytes4) {
        (bool isAssertion, WebAuthn.WebAuthnAuth calldata assertion) = WebAuthn.tryDecodeAuth(signature);
        if (!isAssertion) return REFUSED;
        (bytes32 x, bytes32 y) = publicKey();
        return WebAuthn.verify(abi.encodePacked(digest), assertion, x, y) ? this.isValidSignature.selector : REFUSED;
    }

    /// @inheritdoc IPasskey
    function publicKey() public view override returns (bytes32 x, bytes32 y) {
        (x, y) = abi.decode(Clones.fetchCloneArgs(address(this)), (bytes32, bytes32));
    }
}
