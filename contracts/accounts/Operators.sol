// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IOperators} from "../../interfaces/IOperators.sol";
import {IVault} from "../../interfaces/IVault.sol";

/// @title Operators
/// @notice See IOperators.
/// @dev No module of the ledger: all it can do is what an owner's approval lets it.
contract Operators is IOperators {
    uint256 private constant WITHDRAW = 1;
    uint256 private constant MODE = 2;
    uint256 private constant ISOLATE = 4;
    uint256 private constant ALL_ROLES = 7;

    IAccounts private immutable ACCOUNTS;
    IVault private immutable VAULT;

    /// @dev What is left of one token: used on a day, which counts from 1970.
    struct Used {
        uint128 maxRaw;
        uint128 usedRaw;
        uint40 day;
    }

    uint64 private _lastGrantId;
    mapping(uint256 accountId => mapping(address operator => Grant)) private _grants;
    /// @dev By grant, so that nothing of an older grant shines through.
    mapping(uint256 grantId => mapping(uint256 tokenId => Used)) private _used;

    constructor(IAccounts accounts, IVault vault) {
        ACCOUNTS = accounts;
        VAULT = vault;
    }

    /// @inheritdoc IOperators
    function grant(uint256 accountId, address operator, Terms calldata terms) external override {
        _requireOwner(accountId);
        if (operator == address(0) || operator == msg.sender) revert Operators__BadOperator(operator);
        if (terms.untilTs < block.timestamp) revert Operators__Expired(terms.untilTs, block.timestamp);
        if (terms.roles == 0 || terms.roles > ALL_ROLES) revert Operators__BadRoles(terms.roles, ALL_ROLES);
        if ((terms.roles & WITHDRAW != 0) != (terms.allowances.length != 0)) {
            revert Operators__BadAllowanceCount(terms.allowances.length, terms.roles);
        }
        uint64 grantId = ++_lastGrantId;
        uint256 tokenCount = VAULT.tokenCount();
        for (uint256 i; i < terms.allowances.length; ++i) {
            Allowance calldata a = terms.allowances[i];
            if (a.tokenId >= tokenCount) revert Operators__UnknownToken(a.tokenId, tokenCount);
            if (a.maxRaw == 0 || _used[grantId][a.tokenId].maxRaw != 0) {
                revert Operators__BadAllowance(a.tokenId, a.maxRaw);
            }
            _used[grantId][a.tokenId].maxRaw = a.maxRaw;
        }
        uint64 transferCount = uint64(ACCOUNTS.transferCountOf(accountId));
        _grants[accountId][operator] = Grant(grantId, transferCount, terms.untilTs, terms.roles);
        emit Granted(accountId, operator, terms);
    }

    /// @inheritdoc IOperators
    function revoke(uint256 accountId, address operator) external override {
        if (msg.sender != operator) _requireOwner(accountId);
        if (_grantOf(accountId, operator).grantId == 0) revert Operators__NotOperator(operator, accountId);
        delete _grants[accountId][operator];
        emit Revoked(accountId, operator);
    }

    /// @inheritdoc IOperators
    function withdraw(uint256 accountId, address token, uint256 amountRaw) external override {
        uint256 grantId = _requireRole(accountId, WITHDRAW);
        uint256 tokenId = VAULT.tokenIdOf(token);
        Used storage used = _used[grantId][tokenId];
        uint256 leftRaw = _leftOf(used);
        if (amountRaw > leftRaw) revert Operators__AboveAllowance(amountRaw, leftRaw);
        uint256 usedRaw = used.maxRaw - leftRaw + amountRaw;
        (used.usedRaw, used.day) = (uint128(usedRaw), _today());
        emit OperatorWithdrew(accountId, msg.sender, tokenId, amountRaw, usedRaw);
        VAULT.withdraw(accountId, token, amountRaw, _ownerOf(accountId));
    }

    /// @inheritdoc IOperators
    function setMode(uint256 accountId, IAccounts.Mode mode) external override {
        _requireRole(accountId, MODE);
        emit OperatorSetMode(accountId, msg.sender, mode);
        ACCOUNTS.setMode(accountId, mode);
    }

    /// @inheritdoc IOperators
    function isolate(uint256 accountId, uint256 instrument, uint256 tokenId, uint256 amountWad, uint256 cashWad)
        external
        override
        returns (uint256 newAccountId)
    {
        _requireRole(accountId, ISOLATE);
        newAccountId = ACCOUNTS.isolate(accountId, instrument, tokenId, amountWad, cashWad);
        emit OperatorIsolated(accountId, msg.sender, newAccountId);
    }

    /// @inheritdoc IOperators
    function grantOf(uint256 accountId, address operator) external view override returns (Grant memory) {
        return _grantOf(accountId, operator);
    }

    /// @inheritdoc IOperators
    function allowanceOf(uint256 accountId, address operator, uint256 tokenId)
        external
        view
        override
        returns (uint256 leftRaw, uint256 maxRaw)
    {
        Used storage used = _used[_grantOf(accountId, operator).grantId][tokenId];
        (leftRaw, maxRaw) = (_leftOf(used), used.maxRaw);
    }

    function _requireOwner(uint256 accountId) private view {
        if (_ownerOf(accountId) != msg.sender) revert Operators__NotOwner(msg.sender, accountId);
    }

    function _requireRole(uint256 accountId, uint256 role) private view returns (uint256 grantId) {
        Grant memory g = _grantOf(accountId, msg.sender);
        if (g.grantId == 0) revert Operators__NotOperator(msg.sender, accountId);
        if (g.untilTs < block.timestamp) revert Operators__Expired(g.untilTs, block.timestamp);
        if (g.roles & role == 0) revert Operators__RoleMissing(role, g.roles);
        if (!ACCOUNTS.isAuthorised(accountId, address(this))) {
            revert Operators__NotApproved(address(this), accountId);
        }
        grantId = g.grantId;
    }

    /// @dev A grant of an earlier ownership counts as none.
    function _grantOf(uint256 accountId, address operator) private view returns (Grant memory g) {
        Grant memory stored = _grants[accountId][operator];
        if (stored.grantId != 0 && stored.transferCount == ACCOUNTS.transferCountOf(accountId)) g = stored;
    }

    function _ownerOf(uint256 accountId) private view returns (address) {
        return IERC721(address(ACCOUNTS)).ownerOf(accountId);
    }

    function _leftOf(Used storage used) private view returns (uint256) {
        return used.day == _today() ? used.maxRaw - used.usedRaw : used.maxRaw;
    }

    function _today() private view returns (uint40) {
        return uint40(block.timestamp / 1 days);
    }
}
