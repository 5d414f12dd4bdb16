// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IPermit2} from "../../interfaces/IPermit2.sol";
import {IVault} from "../../interfaces/IVault.sol";
import {ExpiringPause} from "../access/ExpiringPause.sol";

/// @title Vault
/// @notice See IVault.
/// @custom:invariant I-01
contract Vault is IVault, ExpiringPause, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    uint256 private constant CASH = 0;
    uint256 private constant MAX_DECIMALS = 18;
    /// @dev Width of the token mask of an account.
    uint256 private constant MAX_TOKENS = 32;
    /// @dev In wad it still fits a word, so that the ledger can name what is too large for it.
    uint256 private constant MAX_RAW = type(uint128).max;

    /// @dev The same on every chain.
    IPermit2 private constant PERMIT2 = IPermit2(0x000000000022D473030F116dDEE9F6B43aC78BA3);

    IAccounts private immutable ACCOUNTS;
    IMarginEngine private immutable MARGIN_ENGINE;

    Token[] private _tokens;
    /// @dev Token id plus 1; 0 when not listed.
    mapping(address token => uint256) private _place;

    constructor(address authority, IAccounts accounts, IMarginEngine marginEngine) AccessManaged(authority) {
        ACCOUNTS = accounts;
        MARGIN_ENGINE = marginEngine;
    }

    /// @inheritdoc IVault
    function listToken(address token, uint256 capRaw) external override restricted returns (uint256 tokenId) {
        tokenId = _tokens.length;
        if (_place[token] != 0) revert Vault__AlreadyListed(token, _place[token] - 1);
        if (tokenId == MAX_TOKENS) revert Vault__TooManyTokens(tokenId + 1, MAX_TOKENS);
        uint8 decimals = IERC20Metadata(token).decimals();
        if (decimals > MAX_DECIMALS) revert Vault__TooManyDecimals(decimals, MAX_DECIMALS);
        _tokens.push(Token({token: token, decimals: decimals, capRaw: capRaw, heldRaw: 0}));
        _place[token] = tokenId + 1;
        emit TokenListed(tokenId, token, decimals, capRaw);
    }

    /// @inheritdoc IVault
    function setCap(uint256 tokenId, uint256 capRaw) external override restricted {
        Token storage listed = _listed(tokenId);
        emit CapSet(tokenId, listed.capRaw, capRaw);
        listed.capRaw = capRaw;
    }

    /// @inheritdoc IVault
    function deposit(uint256 accountId, address token, uint256 amountRaw)
        external
        override
        nonReentrant
        whenNotPaused
    {
        _deposit(accountId, token, amountRaw);
    }

    /// @inheritdoc IVault
    function depositWithPermit(
        uint256 accountId,
        address token,
        uint256 amountRaw,
        uint256 deadlineTs,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external override nonReentrant whenNotPaused {
        _permit(token, amountRaw, deadlineTs, v, r, s);
        _deposit(accountId, token, amountRaw);
    }

    /// @inheritdoc IVault
    function depositWithPermit2(
        uint256 accountId,
        address token,
        uint256 amountRaw,
        uint256 nonce,
        uint256 deadlineTs,
        bytes calldata signature
    ) external override nonReentrant whenNotPaused {
        if (address(PERMIT2).code.length == 0) revert Vault__NoPermit2(address(PERMIT2));
        uint256 heldRaw = _book(accountId, token, amountRaw);
        PERMIT2.permitTransferFrom(
            IPermit2.PermitTransferFrom(IPermit2.TokenPermissions(token, amountRaw), nonce, deadlineTs),
            IPermit2.SignatureTransferDetails(address(this), amountRaw),
            msg.sender,
            signature
        );
        _requireReceived(token, amountRaw, heldRaw);
    }

    /// @inheritdoc IVault
    function openAndDeposit(IAccounts.Mode mode, address token, uint256 amountRaw)
        external
        override
        nonReentrant
        whenNotPaused
        returns (uint256 accountId)
    {
        accountId = ACCOUNTS.open(msg.sender, mode);
        _deposit(accountId, token, amountRaw);
    }

    /// @inheritdoc IVault
    function openAndDepositWithPermit(
        IAccounts.Mode mode,
        address token,
        uint256 amountRaw,
        uint256 deadlineTs,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external override nonReentrant whenNotPaused returns (uint256 accountId) {
        accountId = ACCOUNTS.open(msg.sender, mode);
        _permit(token, amountRaw, deadlineTs, v, r, s);
        _deposit(accountId, token, amountRaw);
    }

    /// @inheritdoc IVault
    function withdraw(uint256 accountId, address token, uint256 amountRaw, address to)
        external
        override
        nonReentrant
    {
        if (paused()) _requireIdleCash(accountId, token);
        _requirePayable(accountId, amountRaw, to);
        uint256 tokenId = tokenIdOf(token);
        ACCOUNTS.debitToken(accountId, tokenId, amountRaw * _wadPerRaw(_tokens[tokenId].decimals));
        _pay(accountId, tokenId, amountRaw, to);
    }

    /// @inheritdoc IVault
    function borrow(uint256 accountId, uint256 amountRaw, address to) external override nonReentrant whenNotPaused {
        _requirePayable(accountId, amountRaw, to);
        ACCOUNTS.borrowCash(accountId, amountRaw * _wadPerRaw(_listed(CASH).decimals));
        _pay(accountId, CASH, amountRaw, to);
    }

    /// @inheritdoc IVault
    function tokenOf(uint256 tokenId) external view override returns (Token memory token) {
        token = _listed(tokenId);
    }

    /// @inheritdoc IVault
    function tokenCount() external view override returns (uint256) {
        return _tokens.length;
    }

    /// @inheritdoc IVault
    function tokenIdOf(address token) public view override returns (uint256 tokenId) {
        uint256 place = _place[token];
        if (place == 0) revert Vault__UnknownToken(token, _tokens.length);
        tokenId = place - 1;
    }

    function _requirePayable(uint256 accountId, uint256 amountRaw, address to) private view {
        if (!ACCOUNTS.isAuthorised(accountId, msg.sender)) revert Vault__NotAuthorised(msg.sender, accountId);
        if (to == address(0) || to == address(this)) revert Vault__BadReceiver(to, address(this));
        if (amountRaw == 0) revert Vault__ZeroAmount(amountRaw, 1);
        if (amountRaw > MAX_RAW) revert Vault__AmountTooLarge(amountRaw, MAX_RAW);
    }

    /// @dev Lets out what the ledger has debited.
    function _pay(uint256 accountId, uint256 tokenId, uint256 amountRaw, address to) private {
        Token storage listed = _tokens[tokenId];
        address token = listed.token;
        // Cash that others owe is in an account but not yet in the vault.
        if (listed.heldRaw < amountRaw) revert Vault__Illiquid(amountRaw, listed.heldRaw);
        listed.heldRaw -= amountRaw;
        // Against an empty account: a withdrawal has to leave the initial margin, not merely the excess it found.
        IAccounts.Snapshot memory empty;
        MARGIN_ENGINE.enforce(accountId, empty);
        emit Withdrawn(accountId, tokenId, to, amountRaw);
        uint256 heldRaw = IERC20(token).balanceOf(address(this));
        if (heldRaw < amountRaw) revert Vault__Shortfall(heldRaw, amountRaw);
        IERC20(token).safeTransfer(to, amountRaw);
        uint256 paidRaw = heldRaw - IERC20(token).balanceOf(address(this));
        if (paidRaw != amountRaw) revert Vault__InexactTransfer(paidRaw, amountRaw);
    }

    /// @dev The exit that no guardian can close: cash of an account that carries no risk and needs no price.
    function _requireIdleCash(uint256 accountId, address token) private view {
        uint256 count = ACCOUNTS.snapshotOf(accountId).positions.length;
        if (tokenIdOf(token) != CASH || count != 0) revert Vault__OnlyIdleCash(token, count);
    }

    function _permit(address token, uint256 amountRaw, uint256 deadlineTs, uint8 v, bytes32 r, bytes32 s) private {
        tokenIdOf(token);
        // Anyone may have relayed the permit already; then the allowance is there and the signature is spent.
        if (IERC20(token).allowance(msg.sender, address(this)) >= amountRaw) return;
        IERC20Permit(token).permit(msg.sender, address(this), amountRaw, deadlineTs, v, r, s);
    }

    /// @dev A token without a haircut or a price would leave an account without a margin number, so nobody may bring
    /// one, nor any collateral at all into an account of another.
    function _requireCollateral(uint256 accountId, uint256 tokenId) private view {
        if (!ACCOUNTS.isAuthorised(accountId, msg.sender)) revert Vault__NotAuthorised(msg.sender, accountId);
        MARGIN_ENGINE.requireCollateral(tokenId);
    }

    function _deposit(uint256 accountId, address token, uint256 amountRaw) private {
        uint256 heldRaw = _book(accountId, token, amountRaw);
        IERC20(token).safeTransferFrom(msg.sender, address(this), amountRaw);
        _requireReceived(token, amountRaw, heldRaw);
    }

    /// @dev Everything of a deposit but the transfer; returns what the vault holds before it.
    function _book(uint256 accountId, address token, uint256 amountRaw) private returns (uint256 heldRaw) {
        if (amountRaw == 0) revert Vault__ZeroAmount(amountRaw, 1);
        uint256 tokenId = tokenIdOf(token);
        if (tokenId != CASH) _requireCollateral(accountId, tokenId);
        Token storage listed = _tokens[tokenId];
        uint256 capRaw = listed.capRaw;
        // The sum may not overflow before it is compared.
        if (amountRaw > capRaw || listed.heldRaw > capRaw - amountRaw) {
            revert Vault__CapExceeded(amountRaw, capRaw > listed.heldRaw ? capRaw - listed.heldRaw : 0);
        }
        listed.heldRaw += amountRaw;
        ACCOUNTS.creditToken(accountId, tokenId, amountRaw * _wadPerRaw(listed.decimals));
        emit Deposited(accountId, tokenId, msg.sender, amountRaw);
        heldRaw = IERC20(token).balanceOf(address(this));
        // A deposit may not pay for what a rebase has taken from others.
        if (heldRaw < listed.heldRaw - amountRaw) revert Vault__Shortfall(heldRaw, listed.heldRaw - amountRaw);
    }

    function _requireReceived(address token, uint256 amountRaw, uint256 heldRaw) private view {
        uint256 receivedRaw = IERC20(token).balanceOf(address(this)) - heldRaw;
        if (receivedRaw != amountRaw) revert Vault__InexactTransfer(receivedRaw, amountRaw);
    }

    function _listed(uint256 tokenId) private view returns (Token storage listed) {
        if (tokenId >= _tokens.length) revert Vault__UnknownTokenId(tokenId, _tokens.length);
        listed = _tokens[tokenId];
    }

    function _wadPerRaw(uint8 decimals) private pure returns (uint256) {
        return 10 ** (MAX_DECIMALS - decimals);
    }
}
