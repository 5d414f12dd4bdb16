// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccounts} from "./IAccounts.sol";

/// @title IVault
/// @notice Custody of ERC-20 tokens; the only place that knows token decimals.
/// @dev Token 0 is the cash token. Raw amounts are in the token's own decimals, at most 18, so raw -> wad is exact.
interface IVault {
    /// @notice One listed token.
    struct Token {
        address token;
        uint8 decimals;
        /// @dev Most the vault takes, raw.
        uint256 capRaw;
        /// @dev What all accounts together hold, raw.
        uint256 heldRaw;
    }

    /// @notice Emitted when a token is listed.
    /// @param tokenId Its id; 0 is cash.
    /// @param token Its contract.
    /// @param decimals Its decimals.
    /// @param capRaw Most the vault takes, raw.
    event TokenListed(uint256 indexed tokenId, address indexed token, uint8 decimals, uint256 capRaw);
    /// @notice Emitted when a cap changes.
    /// @param tokenId Token.
    /// @param oldCapRaw Before.
    /// @param newCapRaw After.
    event CapSet(uint256 indexed tokenId, uint256 oldCapRaw, uint256 newCapRaw);
    /// @notice Emitted when tokens arrive for an account.
    /// @param accountId Account.
    /// @param tokenId Token.
    /// @param payer Who paid.
    /// @param amountRaw Amount, raw.
    event Deposited(uint256 indexed accountId, uint256 indexed tokenId, address indexed payer, uint256 amountRaw);
    /// @notice Emitted when tokens leave an account.
    /// @param accountId Account.
    /// @param tokenId Token.
    /// @param to Receiver.
    /// @param amountRaw Amount, raw.
    event Withdrawn(uint256 indexed accountId, uint256 indexed tokenId, address indexed to, uint256 amountRaw);

    /// @notice Thrown when Permit2 is not deployed on this chain.
    error Vault__NoPermit2(address expected);
    /// @notice Thrown when the token is not listed.
    error Vault__UnknownToken(address token, uint256 listed);
    /// @notice Thrown when anything but cash of an account without positions is withdrawn while the vault is paused.
    error Vault__OnlyIdleCash(address token, uint256 positions);
    /// @notice Thrown when there is no token with this id.
    error Vault__UnknownTokenId(uint256 observed, uint256 listed);
    /// @notice Thrown when the token is listed already.
    error Vault__AlreadyListed(address token, uint256 tokenId);
    /// @notice Thrown when a token has more decimals than a wad.
    error Vault__TooManyDecimals(uint256 observed, uint256 limit);
    /// @notice Thrown when no further token fits.
    error Vault__TooManyTokens(uint256 observed, uint256 limit);
    /// @notice Thrown when a deposit is larger than what is left up to the cap.
    error Vault__CapExceeded(uint256 observedRaw, uint256 limitRaw);
    /// @notice Thrown when the vault received or paid another amount than asked for, as with a fee on transfer.
    error Vault__InexactTransfer(uint256 observedRaw, uint256 expectedRaw);
    /// @notice Thrown when the vault has less of a token than it has booked (a deposit) or than it should pay out, as
    /// after a rebase that takes tokens away.
    error Vault__Shortfall(uint256 observedRaw, uint256 neededRaw);
    /// @notice Thrown when an amount is more than any account can hold.
    error Vault__AmountTooLarge(uint256 observedRaw, uint256 limitRaw);
    /// @notice Thrown when an amount is zero.
    error Vault__ZeroAmount(uint256 observedRaw, uint256 minimumRaw);
    /// @notice Thrown when the caller may not act for the account.
    error Vault__NotAuthorised(address caller, uint256 accountId);
    /// @notice Thrown when the vault holds less than asked for, because others still owe it.
    error Vault__Illiquid(uint256 observedRaw, uint256 limitRaw);
    /// @notice Thrown when tokens would leave for the zero address or the vault itself.
    error Vault__BadReceiver(address observed, address vault);

    /// @notice Lists a token; the first one is the cash token. Governance only.
    /// @param token ERC-20 without fees on transfer and without rebasing.
    /// @param capRaw Most the vault takes, raw.
    /// @return tokenId Its id.
    function listToken(address token, uint256 capRaw) external returns (uint256 tokenId);

    /// @notice Changes the cap of a token; one below the holdings only stops deposits. Governance only.
    /// @param tokenId Token.
    /// @param capRaw Most the vault takes, raw.
    function setCap(uint256 tokenId, uint256 capRaw) external;

    /// @notice Deposits for any account, out of the caller's allowance.
    /// @param accountId Account.
    /// @param token Token.
    /// @param amountRaw Amount, raw.
    function deposit(uint256 accountId, address token, uint256 amountRaw) external;

    /// @notice Deposits with a permit; a permit used up by somebody else does no harm.
    /// @param accountId Account.
    /// @param token Token.
    /// @param amountRaw Amount, raw; what the permit covers.
    /// @param deadlineTs Last second of the permit.
    /// @param v Signature.
    /// @param r Signature.
    /// @param s Signature.
    function depositWithPermit(
        uint256 accountId,
        address token,
        uint256 amountRaw,
        uint256 deadlineTs,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Deposits with a signature for Permit2; the caller is the one who signed.
    /// @dev The token needs the caller's approval for Permit2, once, and none for the vault.
    /// @param accountId Account.
    /// @param token Token.
    /// @param amountRaw Amount, raw; exactly what was signed.
    /// @param nonce Unordered nonce of Permit2.
    /// @param deadlineTs Last second of the signature.
    /// @param signature Signature over PermitTransferFrom with the vault as the spender.
    function depositWithPermit2(
        uint256 accountId,
        address token,
        uint256 amountRaw,
        uint256 nonce,
        uint256 deadlineTs,
        bytes calldata signature
    ) external;

    /// @notice Opens an account of the caller and deposits, out of the caller's allowance.
    /// @param mode Margin mode.
    /// @param token Token.
    /// @param amountRaw Amount, raw.
    /// @return accountId New account.
    function openAndDeposit(IAccounts.Mode mode, address token, uint256 amountRaw)
        external
        returns (uint256 accountId);

    /// @notice Opens an account of the caller and deposits with a permit.
    /// @param mode Margin mode.
    /// @param token Token.
    /// @param amountRaw Amount, raw; what the permit covers.
    /// @param deadlineTs Last second of the permit.
    /// @param v Signature.
    /// @param r Signature.
    /// @param s Signature.
    /// @return accountId New account.
    function openAndDepositWithPermit(
        IAccounts.Mode mode,
        address token,
        uint256 amountRaw,
        uint256 deadlineTs,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 accountId);

    /// @notice Withdraws; the account must have its initial margin afterwards.
    /// @dev A pause stops all but cash of accounts without positions.
    /// @param accountId Account of the caller.
    /// @param token Token.
    /// @param amountRaw Amount, raw.
    /// @param to Receiver.
    function withdraw(uint256 accountId, address token, uint256 amountRaw, address to) external;

    /// @notice Withdraws cash that the account need not have: what is missing is borrowed against its other collateral
    /// and bears interest. The account must have its initial margin afterwards.
    /// @param accountId Account of the caller.
    /// @param amountRaw Amount of cash, raw.
    /// @param to Receiver.
    function borrow(uint256 accountId, uint256 amountRaw, address to) external;

    /// @notice A listed token.
    /// @param tokenId Token.
    /// @return token Address, decimals, cap and holdings.
    function tokenOf(uint256 tokenId) external view returns (Token memory token);

    /// @notice Id of a token.
    /// @param token Contract.
    /// @return tokenId Id; reverts when it is not listed.
    function tokenIdOf(address token) external view returns (uint256 tokenId);

    /// @notice Number of listed tokens; their ids are 0 to this number less one.
    /// @return Count.
    function tokenCount() external view returns (uint256);
}
