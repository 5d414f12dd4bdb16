// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IPermit2
/// @notice The part of Uniswap's Permit2 that the vault calls: one transfer by a signature of the token's holder.
interface IPermit2 {
    /// @notice Token and the most that may be taken of it.
    struct TokenPermissions {
        address token;
        uint256 amount;
    }

    /// @notice What the holder signs, together with the contract that may use it.
    struct PermitTransferFrom {
        TokenPermissions permitted;
        uint256 nonce;
        uint256 deadline;
    }

    /// @notice Where to and how much.
    struct SignatureTransferDetails {
        address to;
        uint256 requestedAmount;
    }

    /// @notice Takes tokens of a holder who signed for the caller.
    /// @param permit What was signed.
    /// @param transferDetails Receiver and amount.
    /// @param owner Holder.
    /// @param signature His signature, or what his contract takes for one.
    function permitTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata transferDetails,
        address owner,
        bytes calldata signature
    ) external;
}
