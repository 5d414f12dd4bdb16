// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title Signatures
/// @notice Whether a signer has signed a digest: a key by its signature, anything else by ERC-1271.
library Signatures {
    /// @notice Checks a signature.
    /// @dev A key counts by its signature even when it has code (EIP-7702). Malleable signatures recover to nobody.
    /// @param signer Who should have signed.
    /// @param digest Digest.
    /// @param signature Signature.
    /// @return isSigned Whether the signer has.
    /// @return recovered Key that has, if any; for messages.
    function check(address signer, bytes32 digest, bytes calldata signature)
        internal
        view
        returns (bool isSigned, address recovered)
    {
        ECDSA.RecoverError failure;
        (recovered, failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        isSigned = (failure == ECDSA.RecoverError.NoError && recovered == signer)
            || SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature);
    }
}
