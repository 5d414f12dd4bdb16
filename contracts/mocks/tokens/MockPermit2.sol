// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IPermit2} from "../../../interfaces/IPermit2.sol";

/// @title MockPermit2
/// @notice Signed transfers by the published types of Permit2, for tests; no other part of it.
/// @dev Keeps nothing in its code, so that a test can put that code at the address of the real one.
contract MockPermit2 is IPermit2 {
    using SafeERC20 for IERC20;

    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)");
    bytes32 private constant TOKEN_TYPEHASH = keccak256("TokenPermissions(address token,uint256 amount)");
    bytes32 private constant PERMIT_TYPEHASH = keccak256(
        "PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline)"
        "TokenPermissions(address token,uint256 amount)"
    );

    mapping(address owner => mapping(uint256 nonce => bool)) private _isUsed;

    /// @notice Thrown when a permit is out of date.
    error MockPermit2__Expired(uint256 deadline, uint256 nowTs);
    /// @notice Thrown when a nonce was used.
    error MockPermit2__Used(address owner, uint256 nonce);
    /// @notice Thrown when the owner has not signed.
    error MockPermit2__BadSignature(address owner);
    /// @notice Thrown when more is asked for than signed.
    error MockPermit2__TooMuch(uint256 observed, uint256 limit);

    /// @inheritdoc IPermit2
    function permitTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata transferDetails,
        address owner,
        bytes calldata signature
    ) external override {
        if (permit.deadline < block.timestamp) revert MockPermit2__Expired(permit.deadline, block.timestamp);
        if (transferDetails.requestedAmount > permit.permitted.amount) {
            revert MockPermit2__TooMuch(transferDetails.requestedAmount, permit.permitted.amount);
        }
        if (_isUsed[owner][permit.nonce]) revert MockPermit2__Used(owner, permit.nonce);
        _isUsed[owner][permit.nonce] = true;
        if (!SignatureChecker.isValidSignatureNowCalldata(owner, _digest(permit), signature)) {
            revert MockPermit2__BadSignature(owner);
        }
        IERC20(permit.permitted.token).safeTransferFrom(owner, transferDetails.to, transferDetails.requestedAmount);
    }

    function _digest(PermitTransferFrom calldata permit) private view returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256("Permit2"), block.chainid, address(this)));
        bytes32 token = keccak256(abi.encode(TOKEN_TYPEHASH, permit.permitted));
        bytes32 hashed = keccak256(abi.encode(PERMIT_TYPEHASH, token, msg.sender, permit.nonce, permit.deadline));
        return keccak256(abi.encodePacked("\x19\x01", domain, hashed));
    }
}
