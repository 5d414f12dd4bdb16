// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IAuction} from "../../interfaces/IAuction.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IPermit2} from "../../interfaces/IPermit2.sol";
import {IVault} from "../../interfaces/IVault.sol";
import {ExpiringPause} from "../access/ExpiringPause.sol";
import {LossShare} from "./LossShare.sol";
import {Outflow} from "./Outflow.sol";

/// @title Vault
/// @notice See IVault.
/// @custom:invariant I-01
contract Vault is Outflow, LossShare, ExpiringPause, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    uint256 private constant CASH = 0;
    /// @dev How long the cap of a token that joins a filled vault takes to reach its value.
    uint256 private constant RAMP_SEC = 7 days;
    /// @dev What a deposit may leave at most where only an account in need may deposit, in initial requirements.
    int256 private constant RESCUE_FACTOR = 2;
    uint256 private constant MAX_DECIMALS = 18;
    /// @dev Width of the token mask of an account.
    uint256 private constant MAX_TOKENS = 32;
    /// @dev In wad it still fits a word, so that the ledger can name what is too large for it.
    uint256 private constant MAX_RAW = type(uint128).max;

    /// @dev The same on every chain.
    IPermit2 private constant PERMIT2 = IPermit2(0x000000000022D473030F116dDEE9F6B43aC78BA3);

    IMarginEngine private immutable MARGIN_ENGINE;

    /// @dev Tokens on their way out.
    struct Payment {
        uint256 accountId;
        uint256 tokenId;
        uint256 amountRaw;
        address to;
        bool isIdle;
        bool isFirst;
    }

    Token[] private _tokens;
    /// @dev Token id plus 1; 0 when not listed.
    mapping(address token => uint256) private _place;

    constructor(address authority, IAccounts accounts, IMarginEngine marginEngine)
        LossShare(accounts)
        AccessManaged(authority)
    {
        MARGIN_ENGINE = marginEngine;
    }

    /// @inheritdoc IVault
    function listToken(address token, uint256 capRaw) external override restricted returns (uint256 tokenId) {
        tokenId = _tokens.length;
        if (_place[token] != 0) revert Vault__AlreadyListed(token, _place[token] - 1);
        if (tokenId == MAX_TOKENS) revert Vault__TooManyTokens(tokenId + 1, MAX_TOKENS);
        uint8 decimals = IERC20Metadata(token).decimals();
        if (decimals > MAX_DECIMALS) revert Vault__TooManyDecimals(decimals, MAX_DECIMALS);
        // What is listed before there is anything to protect counts in at once.
        bool isFilled = tokenId != CASH && _tokens[CASH].heldRaw != 0;
        uint256 rampEndTs = isFilled ? block.timestamp + RAMP_SEC : 0;
        _tokens.push(Token(token, decimals, uint40(rampEndTs), capRaw, 0));
        _openBucket(tokenId);
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
    function setOutflow(uint256 tokenId, uint256 shareE6, uint256 dailyE6) external override restricted {
        _listed(tokenId);
        _setOutflow(tokenId, shareE6, dailyE6);
    }

    /// @inheritdoc IVault
    function setAuction(IAuction auction) external override restricted {
        if (address(_auction) != address(0)) revert Vault__AuctionFixed(address(_auction));
        _auction = auction;
        emit AuctionSet(address(auction));
    }

    /// @inheritdoc IVault
    function deposit(uint256 accountId, address token, uint256 amountRaw) external override nonReentrant {
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
    ) external override nonReentrant {
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
    ) external override nonReentrant {
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
    ) external override nonReentrant returns (uint256 accountId) {
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
        _withdraw(accountId, tokenIdOf(token), amountRaw, to, paused());
    }

    /// @inheritdoc IVault
    function borrow(uint256 accountId, uint256 amountRaw, address to) external override nonReentrant whenNotPaused {
        _requirePayable(accountId, amountRaw, to);
        uint256 amountWad = amountRaw * _wadPerRaw(_listed(CASH).decimals);
        bool isIdle = _isIdle(accountId);
        int256 heldWad = ACCOUNTS.cashOf(accountId);
        if (heldWad > 0) _leave(accountId, FixedPointMathLib.min(amountWad, uint256(heldWad)));
        ACCOUNTS.borrowCash(accountId, amountWad);
        _pay(Payment(accountId, CASH, amountRaw, to, isIdle, false));
    }

    /// @inheritdoc IVault
    function requestWithdrawal(uint256 accountId, address token, uint256 amountRaw, address to)
        external
        override
        nonReentrant
        whenNotPaused
        returns (uint256 requestId)
    {
        _requirePayable(accountId, amountRaw, to);
        uint256 tokenId = tokenIdOf(token);
        uint256 hasRaw = _hasRaw(accountId, tokenId);
        if (amountRaw > hasRaw) revert Vault__RequestAboveHolding(amountRaw, hasRaw);
        uint64 transferCount = uint64(ACCOUNTS.transferCountOf(accountId));
        requestId = _enqueue(tokenId, Request(uint64(accountId), transferCount, uint128(amountRaw), to));
    }

    /// @inheritdoc IVault
    function cancelRequest(address token, uint256 requestId) external override {
        uint256 tokenId = tokenIdOf(token);
        Request memory r = requestOf(tokenId, requestId);
        if (!ACCOUNTS.isAuthorised(r.accountId, msg.sender)) revert Vault__NotAuthorised(msg.sender, r.accountId);
        _drop(tokenId, requestId);
    }

    /// @inheritdoc IVault
    function payRequests(address token, uint256 maxCount)
        external
        override
        nonReentrant
        whenNotPaused
        returns (uint256 paidRaw)
    {
        uint256 tokenId = tokenIdOf(token);
        for (uint256 i; i < maxCount && _isWaiting(tokenId); ++i) {
            uint256 requestId = _firstOf(tokenId);
            uint256 gasBefore = gasleft();
            // One request that cannot be paid never stops the others.
            try this.payRequest(tokenId, requestId) returns (uint256 partRaw) {
                paidRaw += partRaw;
                if (requestId == _firstOf(tokenId)) break;
            } catch {
                // All but a 64th of the gas goes along with every call, a few of them deep: whoever sends too little
                // may not drop what is good.
                if (gasleft() < gasBefore / 8) revert Vault__TooLittleGas(gasleft(), gasBefore / 8);
                _drop(tokenId, requestId);
            }
        }
    }

    /// @inheritdoc IVault
    function payRequest(uint256 tokenId, uint256 requestId) external override returns (uint256 partRaw) {
        if (msg.sender != address(this)) revert Vault__NotVault(msg.sender, address(this));
        Request memory r = requestOf(tokenId, requestId);
        uint256 transferCount = ACCOUNTS.transferCountOf(r.accountId);
        if (transferCount != r.transferCount) revert Vault__FormerOwner(r.transferCount, transferCount);
        partRaw = FixedPointMathLib.min(r.amountRaw, _limitOf(r.accountId, tokenId, true));
        // The rest waits for the bucket, or for what is lent.
        if (partRaw < r.amountRaw && _isSmall(tokenId, partRaw)) return 0;
        _shorten(tokenId, requestId, partRaw);
        _withdraw(r.accountId, tokenId, partRaw, r.to, true);
    }

    /// @inheritdoc IVault
    function releaseShare(uint256 accountId) external override nonReentrant {
        _release(accountId);
    }

    /// @inheritdoc IVault
    function limitOf(uint256 accountId, uint256 tokenId) external view override returns (uint256 limitRaw) {
        _listed(tokenId);
        limitRaw = _limitOf(accountId, tokenId, paused());
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

    /// @dev Takes the tokens from the account and lets them out; `isFirst` where no queue stands before them.
    function _withdraw(uint256 accountId, uint256 tokenId, uint256 amountRaw, address to, bool isFirst) private {
        uint256 amountWad = amountRaw * _wadPerRaw(_tokens[tokenId].decimals);
        bool isIdle = _isIdle(accountId);
        if (tokenId == CASH) _leave(accountId, amountWad);
        ACCOUNTS.debitToken(accountId, tokenId, amountWad);
        _pay(Payment(accountId, tokenId, amountRaw, to, isIdle, isFirst));
    }

    /// @dev Most that may leave as far as the vault is concerned: what is there, the bucket, and for cash the cap of
    /// utilisation and the share of an open loss.
    function _limitOf(uint256 accountId, uint256 tokenId, bool isFirst) private view returns (uint256 limitRaw) {
        uint256 heldRaw = _heldOf(tokenId);
        uint256 doorRaw = _outflowLimit(accountId, tokenId, heldRaw, _isIdle(accountId), isFirst);
        limitRaw = FixedPointMathLib.min(heldRaw, doorRaw);
        if (tokenId != CASH) return limitRaw;
        uint256 roomWad = FixedPointMathLib.min(_lendingRoom(), _roomBesideLoss(accountId));
        limitRaw = FixedPointMathLib.min(limitRaw, roomWad / _wadPerRaw(_tokens[CASH].decimals));
    }

    /// @dev Cash that may leave before more is lent than the cap of utilisation allows.
    function _lendingRoom() private view returns (uint256 roomWad) {
        (IAccounts.Loan memory loan, IAccounts.RateCurve memory curve) = ACCOUNTS.lendingOf();
        if (loan.debtWad == 0 || curve.kinkE6 == 0) return type(uint256).max;
        uint256 neededWad = FixedPointMathLib.fullMulDivUp(loan.debtWad, 1e6, curve.maxUtilisationE6);
        roomWad = FixedPointMathLib.zeroFloorSub(ACCOUNTS.positiveCashWad(), neededWad);
    }

    /// @dev Cash that an account can take out and still pay its share of an open loss from the rest.
    function _roomBesideLoss(uint256 accountId) private view returns (uint256 roomWad) {
        uint256 lossWad = _openLoss();
        if (lossWad == 0) return type(uint256).max;
        int256 cashWad = ACCOUNTS.cashOf(accountId);
        if (cashWad <= 0) return 0;
        uint256 positiveWad = ACCOUNTS.positiveCashWad();
        roomWad = FixedPointMathLib.fullMulDiv(uint256(cashWad), positiveWad, positiveWad + lossWad);
    }

    /// @dev No positions and no debt: what such an account holds is money, not a valuation.
    function _isIdle(uint256 accountId) private view returns (bool) {
        IAccounts.Snapshot memory s = ACCOUNTS.snapshotOf(accountId);
        return s.positions.length == 0 && s.cashWad >= 0;
    }

    function _hasRaw(uint256 accountId, uint256 tokenId) private view returns (uint256) {
        IAccounts.Snapshot memory s = ACCOUNTS.snapshotOf(accountId);
        uint256 wadPerRaw = _wadPerRaw(_listed(tokenId).decimals);
        if (tokenId == CASH) return s.cashWad > 0 ? uint256(s.cashWad) / wadPerRaw : 0;
        for (uint256 i; i < s.tokenIds.length; ++i) {
            if (s.tokenIds[i] == tokenId) return s.amountsWad[i] / wadPerRaw;
        }
        return 0;
    }

    function _heldOf(uint256 tokenId) internal view override returns (uint256 heldRaw) {
        heldRaw = _tokens[tokenId].heldRaw;
    }

    /// @dev Lets out what the ledger has debited.
    function _pay(Payment memory p) private {
        Token storage listed = _tokens[p.tokenId];
        // Cash that others owe is in an account but not yet in the vault.
        if (listed.heldRaw < p.amountRaw) revert Vault__Illiquid(p.amountRaw, listed.heldRaw);
        _noteOut(p.accountId, p.tokenId, listed.heldRaw, p.amountRaw, p.isIdle, p.isFirst);
        listed.heldRaw -= p.amountRaw;
        // Against an empty account: a withdrawal has to leave the initial margin, not merely the excess it found.
        IAccounts.Snapshot memory empty;
        MARGIN_ENGINE.enforce(p.accountId, empty);
        emit Withdrawn(p.accountId, p.tokenId, p.to, p.amountRaw);
        _send(IERC20(listed.token), p.to, p.amountRaw);
    }

    function _send(IERC20 token, address to, uint256 amountRaw) private {
        uint256 heldRaw = token.balanceOf(address(this));
        if (heldRaw < amountRaw) revert Vault__Shortfall(heldRaw, amountRaw);
        token.safeTransfer(to, amountRaw);
        uint256 paidRaw = heldRaw - token.balanceOf(address(this));
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

    /// @dev Nobody may put anything into an account of another, who might be about to close it, but everybody into the
    /// fund's. A token without a haircut or a price would leave an account without a margin number.
    function _requireDepositor(uint256 accountId, uint256 tokenId) private view {
        bool isGift = accountId == FUND && tokenId == CASH;
        if (!isGift && !ACCOUNTS.isAuthorised(accountId, msg.sender)) {
            revert Vault__NotAuthorised(msg.sender, accountId);
        }
        if (tokenId != CASH) MARGIN_ENGINE.requireCollateral(tokenId);
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
        _requireDepositor(accountId, tokenId);
        Token storage listed = _tokens[tokenId];
        bool isRescue = _isRescue(accountId, listed, amountRaw);
        if (amountRaw > MAX_RAW) revert Vault__AmountTooLarge(amountRaw, MAX_RAW);
        _noteIn(accountId, tokenId, listed.heldRaw, amountRaw);
        listed.heldRaw += amountRaw;
        ACCOUNTS.creditToken(accountId, tokenId, amountRaw * _wadPerRaw(listed.decimals));
        if (isRescue) _requireModest(accountId);
        emit Deposited(accountId, tokenId, msg.sender, amountRaw);
        heldRaw = IERC20(token).balanceOf(address(this));
        // A deposit may not pay for what a rebase has taken from others.
        if (heldRaw < listed.heldRaw - amountRaw) revert Vault__Shortfall(heldRaw, listed.heldRaw - amountRaw);
    }

    /// @dev Whether a pause or the cap stands in the way of a deposit; then only an account in need may make it, and
    /// not of a token that is still being phased in.
    function _isRescue(uint256 accountId, Token storage listed, uint256 amountRaw) private view returns (bool) {
        uint256 capRaw = _capNow(listed);
        uint256 roomRaw = FixedPointMathLib.zeroFloorSub(capRaw, listed.heldRaw);
        if (!paused() && amountRaw <= roomRaw) return false;
        if (block.timestamp >= listed.rampEndTs && _isInNeed(accountId)) return true;
        _requireNotPaused();
        revert Vault__CapExceeded(amountRaw, roomRaw);
    }

    /// @dev In a margin call or under auction. Where no margin number can be had nobody can say so.
    function _isInNeed(uint256 accountId) private view returns (bool) {
        if (address(_auction) != address(0) && _auction.isUnderAuction(accountId)) return true;
        try MARGIN_ENGINE.marginOf(accountId) returns (IMarginEngine.MarginState memory m) {
            return m.equityWad < int256(m.initialWad);
        } catch {
            return false;
        }
    }

    /// @dev A rescue may leave room for the next move of prices, and no more.
    function _requireModest(uint256 accountId) private view {
        IMarginEngine.MarginState memory m = MARGIN_ENGINE.marginOf(accountId);
        int256 limitWad = RESCUE_FACTOR * int256(m.initialWad);
        if (m.equityWad > limitWad) revert Vault__RescueTooLarge(m.equityWad, limitWad);
    }

    /// @dev The cap of a token that joined a filled vault grows in a straight line over the ramp.
    function _capNow(Token storage listed) private view returns (uint256 capRaw) {
        capRaw = listed.capRaw;
        uint256 endTs = listed.rampEndTs;
        if (block.timestamp < endTs) {
            capRaw = FixedPointMathLib.fullMulDiv(capRaw, block.timestamp + RAMP_SEC - endTs, RAMP_SEC);
        }
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
