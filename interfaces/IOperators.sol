// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccounts} from "./IAccounts.sol";

/// @title IOperators
/// @notice Operators with roles: an owner lets an address do named things with one account, and no others.
/// @dev The ledger and the vault know nothing of roles: they ask whether the caller is approved (ERC-721), which this
/// contract is by `approve` or `setApprovalForAll` of the owner, and it asks for the role. So roles cost no other
/// account anything, and taking the approval away stops every operator at once. Trading is a role as well, but one of
/// signatures: see IDelegation. A grant belongs to one account and one ownership of it.
interface IOperators {
    /// @notice Most that may be withdrawn of one token.
    struct Allowance {
        uint8 tokenId;
        /// @dev Per day, which starts at midnight UTC.
        uint128 maxRaw;
    }

    /// @notice What an operator may do.
    struct Terms {
        /// @dev Last second.
        uint40 untilTs;
        /// @dev One bit per role: 1 withdraw to the owner, 2 change the mode, 4 isolate.
        uint8 roles;
        /// @dev One for each token that may be withdrawn; none without the first role.
        Allowance[] allowances;
    }

    /// @notice A grant as it stands.
    struct Grant {
        /// @dev 0 when there is none; the same operator granted again gets a new one.
        uint64 grantId;
        uint64 transferCount;
        uint40 untilTs;
        uint8 roles;
    }

    /// @notice Emitted when an owner grants roles; replaces what the operator had before.
    /// @param accountId Account.
    /// @param operator Operator.
    /// @param terms Terms.
    event Granted(uint256 indexed accountId, address indexed operator, Terms terms);
    /// @notice Emitted when a grant ends by the owner or by the operator itself.
    /// @param accountId Account.
    /// @param operator Operator.
    event Revoked(uint256 indexed accountId, address indexed operator);
    /// @notice Emitted when an operator sends tokens to the owner.
    /// @param accountId Account.
    /// @param operator Operator.
    /// @param tokenId Token.
    /// @param amountRaw Amount, raw.
    /// @param usedRaw Sum of the day, raw.
    event OperatorWithdrew(
        uint256 indexed accountId,
        address indexed operator,
        uint256 indexed tokenId,
        uint256 amountRaw,
        uint256 usedRaw
    );
    /// @notice Emitted when an operator changes the mode.
    /// @param accountId Account.
    /// @param operator Operator.
    /// @param mode Mode.
    event OperatorSetMode(uint256 indexed accountId, address indexed operator, IAccounts.Mode mode);
    /// @notice Emitted when an operator isolates a position.
    /// @param accountId Account.
    /// @param operator Operator.
    /// @param newAccountId Account that holds the position now; the operator has no roles there.
    event OperatorIsolated(uint256 indexed accountId, address indexed operator, uint256 newAccountId);

    /// @notice Thrown when the caller does not own the account.
    error Operators__NotOwner(address caller, uint256 accountId);
    /// @notice Thrown when the owner has not approved this contract, or has taken the approval back.
    error Operators__NotApproved(address operators, uint256 accountId);
    /// @notice Thrown when the operator is the zero address or the owner.
    error Operators__BadOperator(address operator);
    /// @notice Thrown when a grant would name no role or an unknown one.
    error Operators__BadRoles(uint256 observed, uint256 limit);
    /// @notice Thrown when a grant has allowances without the role to withdraw, or the role without any.
    error Operators__BadAllowanceCount(uint256 observed, uint256 roles);
    /// @notice Thrown when an allowance is zero or names a token for the second time.
    error Operators__BadAllowance(uint256 tokenId, uint256 observedRaw);
    /// @notice Thrown when an allowance names a token that is not listed.
    error Operators__UnknownToken(uint256 tokenId, uint256 listed);
    /// @notice Thrown when the owner has granted nothing to the operator.
    error Operators__NotOperator(address operator, uint256 accountId);
    /// @notice Thrown when the grant is, or would be from the start, out of date.
    error Operators__Expired(uint256 untilTs, uint256 nowTs);
    /// @notice Thrown when the operator lacks the role.
    error Operators__RoleMissing(uint256 role, uint256 roles);
    /// @notice Thrown when more would leave than the rest of the day's allowance.
    error Operators__AboveAllowance(uint256 observedRaw, uint256 limitRaw);

    /// @notice Grants roles in an account of the caller; what the operator had before ends.
    /// @param accountId Account that the caller owns.
    /// @param operator Operator.
    /// @param terms Terms.
    function grant(uint256 accountId, address operator, Terms calldata terms) external;

    /// @notice Ends a grant at once. Owner, or the operator itself.
    /// @param accountId Account.
    /// @param operator Operator.
    function revoke(uint256 accountId, address operator) external;

    /// @notice Sends tokens to the owner of the account at this moment. Operators with role 1.
    /// @param accountId Account.
    /// @param token Token.
    /// @param amountRaw Amount, raw; within the day's allowance and the account's margin.
    function withdraw(uint256 accountId, address token, uint256 amountRaw) external;

    /// @notice Changes the margin mode. Operators with role 2.
    /// @param accountId Account; its initial margin must pass before and after.
    /// @param mode Mode.
    function setMode(uint256 accountId, IAccounts.Mode mode) external;

    /// @notice Moves a position into a new account of the same owner. Operators with role 4.
    /// @param accountId Account.
    /// @param instrument Position word; its quantity does not matter.
    /// @param tokenId Collateral to move along.
    /// @param amountWad Amount of it, wad.
    /// @param cashWad Cash to move along, wad.
    /// @return newAccountId The new account.
    function isolate(uint256 accountId, uint256 instrument, uint256 tokenId, uint256 amountWad, uint256 cashWad)
        external
        returns (uint256 newAccountId);

    /// @notice A grant, also when it is out of date; empty when revoked, or void by a transfer of the account.
    /// @param accountId Account.
    /// @param operator Operator.
    /// @return The grant.
    function grantOf(uint256 accountId, address operator) external view returns (Grant memory);

    /// @notice What an operator may still withdraw of a token today, margin and expiry of the grant left aside.
    /// @param accountId Account.
    /// @param operator Operator.
    /// @param tokenId Token.
    /// @return leftRaw Rest of the day, raw.
    /// @return maxRaw Per day, raw.
    function allowanceOf(uint256 accountId, address operator, uint256 tokenId)
        external
        view
        returns (uint256 leftRaw, uint256 maxRaw);
}
