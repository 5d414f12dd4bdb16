// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {LibBit} from "solady/src/utils/LibBit.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {FundingLedger} from "./FundingLedger.sol";
import {Lending} from "./Lending.sol";
import {LinearMath} from "../libraries/LinearMath.sol";
import {PositionWord} from "../libraries/PositionWord.sol";
import {SettlementMath} from "../libraries/SettlementMath.sol";
import {Units} from "../libraries/Units.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {OpenInterest} from "./OpenInterest.sol";

/// @title Accounts
/// @notice See IAccounts.
/// @dev Every change of cash has its exact opposite in the same transaction: at the vault, in another account or in the
/// clearing account. A header is read into memory, changed and written back; the clearing account is only written
/// by `_clear` and `_addCash`, never while its header is held in memory.
/// @custom:invariant I-01
contract Accounts is FundingLedger, Lending, OpenInterest, ERC721, AccessManaged {
    using PositionWord for uint256;

    uint256 private constant CLEARING = Units.CLEARING;
    uint256 private constant FUND = Units.FUND;
    uint256 private constant CASH = 0;
    uint256 private constant MAX_TOKENS = 32;
    /// @dev Cash below one raw unit of a token of 6 decimals: it cannot be withdrawn.
    int256 private constant DUST_WAD = 1e12;
    /// @dev Below this the index would lose too many digits.
    uint256 private constant MIN_INDEX_WAD = 1e12;

    /// @dev slot 0. The index is that of positive cash or of debts, by the sign of the cash; 0 means that the account
    /// does not exist.
    struct Header {
        int128 cashWad;
        uint72 indexWad;
        uint32 tokenMask;
        Mode mode;
        uint8 positionCount;
        uint8 perpCount;
    }

    /// @inheritdoc IAccounts
    mapping(address module => bool) public override isModule;

    /// @inheritdoc IAccounts
    mapping(uint256 accountId => uint256) public override transferCountOf;

    IMarginEngine private _marginEngine;
    mapping(uint256 accountId => Header) private _headers;
    mapping(uint256 accountId => uint256[128]) private _words;
    mapping(uint256 accountId => mapping(uint256 tokenId => uint256)) private _amountsWad;

    modifier onlyModule() {
        if (!isModule[msg.sender]) revert Accounts__NotModule(msg.sender);
        _;
    }

    modifier onlyAuthorised(uint256 accountId) {
        if (!_isAllowed(accountId, msg.sender)) revert Accounts__NotOwner(msg.sender, accountId);
        _;
    }

    /// @param authority Access manager.
    /// @param reservedOwner Owner of the clearing account and of the insurance fund's account.
    constructor(address authority, address reservedOwner) ERC721("Plimsoll Account", "PLIM") AccessManaged(authority) {
        _create(reservedOwner, Mode.SINGLE);
        _create(reservedOwner, Mode.SINGLE);
    }

    /// @inheritdoc IAccounts
    function setModule(address module, bool allowed) external override restricted {
        isModule[module] = allowed;
        emit ModuleSet(module, allowed);
    }

    /// @inheritdoc IAccounts
    function setMarginEngine(address marginEngine) external override restricted {
        _marginEngine = IMarginEngine(marginEngine);
        emit MarginEngineSet(marginEngine);
    }

    /// @inheritdoc IAccounts
    function setOpenInterestCap(uint8 underlyingId, uint8 kind, uint256 capWad) external override restricted {
        _setCap(underlyingId, kind, capWad);
    }

    /// @inheritdoc IAccounts
    function setRateCurve(RateCurve calldata curve) external override restricted {
        _accrue();
        _setCurve(curve);
    }

    /// @inheritdoc IAccounts
    function setFundingRate(uint8 underlyingId, int256 rateWad) external override onlyModule {
        _setRate(underlyingId, rateWad);
    }

    /// @inheritdoc IAccounts
    function open(address owner, Mode mode) external override returns (uint256 accountId) {
        accountId = _create(owner, mode);
    }

    /// @inheritdoc IAccounts
    function setMode(uint256 accountId, Mode mode) external override onlyAuthorised(accountId) {
        _requireInitial(accountId);
        emit ModeChanged(accountId, _headers[accountId].mode, mode);
        _headers[accountId].mode = mode;
        _requireInitial(accountId);
    }

    /// @inheritdoc IAccounts
    function close(uint256 accountId) external override onlyAuthorised(accountId) {
        if (accountId <= FUND) revert Accounts__Reserved(accountId, FUND + 1);
        Header memory h = _load(accountId);
        uint256 held = uint256(h.positionCount) + LibBit.popCount(h.tokenMask);
        if (held != 0 || h.cashWad < 0 || h.cashWad >= DUST_WAD) revert Accounts__NotEmpty(held, h.cashWad);
        int256 restWad = h.cashWad;
        _changeCash(accountId, h, -restWad, Reason.TRANSFER);
        delete _headers[accountId];
        if (restWad != 0) _addCash(FUND, restWad, Reason.TRANSFER);
        _burn(accountId);
        emit AccountClosed(accountId);
    }

    /// @inheritdoc IAccounts
    function isolate(uint256 accountId, uint256 instrument, uint256 tokenId, uint256 amountWad, uint256 cashWad)
        external
        override
        onlyAuthorised(accountId)
        returns (uint256 newAccountId)
    {
        Snapshot memory before_ = snapshotOf(accountId);
        newAccountId = _create(ownerOf(accountId), _headers[accountId].mode);
        Header memory from = _loadFree(accountId);
        Header memory to = _load(newAccountId);
        _movePosition(accountId, from, newAccountId, to, instrument);
        _moveToken(accountId, from, newAccountId, to, tokenId, amountWad);
        if (from.cashWad < _signed(cashWad) && cashWad != 0) {
            revert Accounts__InsufficientCash(from.cashWad, cashWad);
        }
        _changeCash(accountId, from, -_signed(cashWad), Reason.TRANSFER);
        _changeCash(newAccountId, to, _signed(cashWad), Reason.TRANSFER);
        _headers[accountId] = from;
        _headers[newAccountId] = to;
        _marginEngine.enforce(accountId, before_);
        _requireInitial(newAccountId);
    }

    /// @inheritdoc IAccounts
    function applyTrade(Trade calldata trade) external override onlyModule {
        _requireValid(trade);
        _accrue();
        uint256 debtWad = _loans.debtWad;
        int256 quantityWad = int256(trade.quantityWad);
        bool isOption = trade.instrument.isOption();
        int256 priceE8 = isOption ? int256(0) : int256(trade.priceWad) / Units.E8_TO_WAD;
        int256 paidWad = isOption ? WadMath.mulWadUp(quantityWad, int256(trade.priceWad)) : int256(0);
        int256 takenWad = isOption ? WadMath.mulWadDown(quantityWad, int256(trade.priceWad)) : int256(0);
        (int256 buyerWad, int256 boughtWad) =
            _trade(trade.buyerId, trade.instrument, quantityWad, priceE8, -paidWad);
        (int256 sellerWad, int256 soldWad) =
            _trade(trade.sellerId, trade.instrument, -quantityWad, priceE8, takenWad);
        _clear(-(buyerWad + sellerWad));
        _open(trade.instrument, boughtWad + soldWad);
        _requireUtilisation(debtWad);
    }

    /// @inheritdoc IAccounts
    function creditToken(uint256 accountId, uint256 tokenId, uint256 amountWad) external override onlyModule {
        if (amountWad == 0) revert Accounts__ZeroAmount(amountWad, 1);
        if (accountId == CLEARING) revert Accounts__Reserved(accountId, CLEARING + 1);
        if (tokenId == CASH) {
            _addCash(accountId, _signed(amountWad), Reason.DEPOSIT);
        } else {
            Header memory h = _load(accountId);
            _changeToken(accountId, h, tokenId, _signed(amountWad));
            _headers[accountId] = h;
        }
    }

    /// @inheritdoc IAccounts
    function debitToken(uint256 accountId, uint256 tokenId, uint256 amountWad) external override onlyModule {
        if (amountWad == 0) revert Accounts__ZeroAmount(amountWad, 1);
        if (tokenId == CASH) {
            int256 heldWad = cashOf(accountId);
            if (heldWad < _signed(amountWad)) revert Accounts__InsufficientCash(heldWad, amountWad);
            _addCash(accountId, -_signed(amountWad), Reason.WITHDRAWAL);
            _requireUtilisation(0);
        } else {
            Header memory h = _load(accountId);
            _changeToken(accountId, h, tokenId, -_signed(amountWad));
            _headers[accountId] = h;
        }
    }

    /// @inheritdoc IAccounts
    function borrowCash(uint256 accountId, uint256 amountWad) external override onlyModule {
        if (amountWad == 0) revert Accounts__ZeroAmount(amountWad, 1);
        if (accountId == CLEARING) revert Accounts__Reserved(accountId, CLEARING + 1);
        _addCash(accountId, -_signed(amountWad), Reason.WITHDRAWAL);
        _requireUtilisation(0);
    }

    /// @inheritdoc IAccounts
    function moveCash(uint256 fromId, uint256 toId, uint256 amountWad) external override onlyModule {
        _addCash(fromId, -_signed(amountWad), Reason.TRANSFER);
        _addCash(toId, _signed(amountWad), Reason.TRANSFER);
    }

    /// @inheritdoc IAccounts
    function transferSlice(uint256 fromId, uint256 toId, uint256 fractionWad, uint256 reserveCashWad)
        external
        override
        onlyModule
    {
        if (fromId == toId) revert Accounts__SelfTrade(fromId);
        if (fractionWad == 0) revert Accounts__ZeroAmount(fractionWad, 1);
        if (fractionWad > Units.UWAD) revert Accounts__BadFraction(fractionWad, Units.UWAD);
        Header memory from = _loadFree(fromId);
        Header memory to = _loadFree(toId);
        // Floor: less cash or more debt leaves the liquidated account (R-05).
        int256 cashWad = WadMath.mulWadDown(from.cashWad - _signed(reserveCashWad), int256(fractionWad));
        int256 realisedWad = _slicePositions(fromId, from, toId, to, int256(fractionWad));
        _sliceTokens(fromId, from, toId, to, fractionWad);
        _changeCash(fromId, from, -cashWad, Reason.LIQUIDATION);
        _changeCash(toId, to, cashWad + realisedWad, Reason.LIQUIDATION);
        _headers[fromId] = from;
        _headers[toId] = to;
        _clear(-realisedWad);
    }

    /// @inheritdoc IAccounts
    function settlePositions(uint256 accountId, uint8 underlyingId, uint40 expiryTs, uint256 priceWad)
        external
        override
        onlyModule
        returns (uint256 settled)
    {
        Header memory h = _loadFree(accountId);
        int256 cashWad;
        uint256[] memory words = _read(accountId, h.positionCount, h.positionCount);
        for (uint256 i = words.length; i > 0; --i) {
            uint256 word = words[i - 1];
            if (word.underlyingOf() != underlyingId || word.expiryOf() != expiryTs) continue;
            if (!PositionWord.hasExpiry(word.kindOf())) continue;
            cashWad += SettlementMath.valueOf(word, _signed(priceWad));
            _open(word, -_positive(word.quantityOf()));
            _store(accountId, h, words, i - 1, 0);
            ++settled;
        }
        _changeCash(accountId, h, cashWad, Reason.SETTLEMENT);
        _headers[accountId] = h;
        _clear(-cashWad);
    }

    /// @inheritdoc IAccounts
    function socialise(uint256 toId, uint256 lossWad) external override onlyModule {
        if (lossWad == 0) revert Accounts__ZeroAmount(lossWad, 1);
        _accrue();
        Totals memory t = _totals;
        if (lossWad > t.positiveCashWad) revert Accounts__LossTooLarge(lossWad, t.positiveCashWad);
        // Floor: what the accounts lose is at least the loss, so the sum of balances stays within the total.
        uint256 indexWad = uint256(t.cashIndexWad) * (t.positiveCashWad - lossWad) / t.positiveCashWad;
        if (indexWad < MIN_INDEX_WAD) revert Accounts__LossTooLarge(lossWad, t.positiveCashWad);
        emit LossSocialised(lossWad, t.cashIndexWad, indexWad);
        _totals.cashIndexWad = uint72(indexWad);
        _totals.positiveCashWad = uint128(t.positiveCashWad - lossWad);
        if (_loans.debtWad != 0) _setLoans(_loans.debtWad);
        _clear(-_signed(lossWad));
        _addCash(toId, _signed(lossWad), Reason.SOCIALISED);
    }

    /// @inheritdoc IAccounts
    function accrue(uint256[] calldata accountIds) external override {
        for (uint256 i; i < accountIds.length; ++i) {
            _headers[accountIds[i]] = _load(accountIds[i]);
        }
    }

    /// @inheritdoc IAccounts
    function storedCashOf(uint256 accountId) external view override returns (int256 cashWad) {
        cashWad = _headers[accountId].cashWad;
    }

    /// @inheritdoc IAccounts
    function isAuthorised(uint256 accountId, address caller) external view override returns (bool) {
        return _isAllowed(accountId, caller);
    }

    /// @inheritdoc IAccounts
    function nextAccountId() external view override returns (uint256) {
        return _totals.nextId;
    }

    /// @inheritdoc IAccounts
    function snapshotOf(uint256 accountId) public view override returns (Snapshot memory snapshot) {
        Header memory h = _existing(accountId);
        snapshot.mode = uint8(h.mode);
        snapshot.cashWad = _cashNow(accountId, h);
        snapshot.positions = _read(accountId, h.positionCount, h.positionCount);
        uint256 count;
        for (uint256 mask = h.tokenMask; mask != 0; mask &= mask - 1) {
            ++count;
        }
        snapshot.tokenIds = new uint256[](count);
        snapshot.amountsWad = new uint256[](count);
        uint256 at;
        for (uint256 tokenId; at < count; ++tokenId) {
            if (h.tokenMask & (1 << tokenId) == 0) continue;
            snapshot.tokenIds[at] = tokenId;
            snapshot.amountsWad[at++] = _amountsWad[accountId][tokenId];
        }
    }

    /// @inheritdoc IAccounts
    function cashOf(uint256 accountId) public view override returns (int256 cashWad) {
        cashWad = _cashNow(accountId, _existing(accountId));
    }

    /// @dev Every change of an owner comes through here; opening an account is none.
    function _update(address to, uint256 accountId, address caller) internal override returns (address from) {
        from = super._update(to, accountId, caller);
        if (from != address(0)) ++transferCountOf[accountId];
    }

    function _create(address owner, Mode mode) private returns (uint256 accountId) {
        accountId = _totals.nextId++;
        Header storage h = _headers[accountId];
        h.indexWad = _totals.cashIndexWad;
        h.mode = mode;
        _mint(owner, accountId);
        emit AccountOpened(accountId, owner, mode);
    }

    function _requireInitial(uint256 accountId) private view {
        IMarginEngine.MarginState memory m = _marginEngine.ownMarginOf(accountId);
        if (m.equityWad < int256(m.initialWad)) revert Accounts__Unhealthy(m.equityWad, m.initialWad);
    }

    function _requireValid(Trade calldata trade) private view {
        if (trade.buyerId == trade.sellerId) revert Accounts__SelfTrade(trade.buyerId);
        if (trade.quantityWad == 0) revert Accounts__ZeroAmount(trade.quantityWad, 1);
        if (trade.quantityWad > MAX_WAD) revert Accounts__Overflow(trade.quantityWad, MAX_WAD);
        if (trade.priceWad > MAX_WAD) revert Accounts__Overflow(trade.priceWad, MAX_WAD);
        uint256 word = trade.instrument;
        uint256 kind = word.kindOf();
        bool isOption = word.isOption();
        bool isShaped = word.quantityOf() == 0 && word.underlyingOf() != 0 && kind <= PositionWord.LAST_KIND
            && (isOption ? word.priceE8Of() > 0 : word.priceE8Of() == 0);
        bool hasExpiry = PositionWord.hasExpiry(kind);
        if (!isShaped || hasExpiry != (word.expiryOf() != 0)) {
            revert Accounts__BadInstrument(word);
        }
        if (hasExpiry && word.expiryOf() <= block.timestamp) {
            revert Accounts__Expired(word.expiryOf(), block.timestamp);
        }
        if (!isOption && trade.priceWad % uint256(Units.E8_TO_WAD) != 0) {
            revert Accounts__PriceStep(trade.priceWad, uint256(Units.E8_TO_WAD));
        }
    }

    function _isAllowed(uint256 accountId, address caller) private view returns (bool) {
        return _isAuthorized(_ownerOf(accountId), caller, accountId);
    }

    function _existing(uint256 accountId) private view returns (Header memory h) {
        h = _headers[accountId];
        if (h.indexWad == 0) revert Accounts__UnknownAccount(accountId, _totals.nextId);
    }

    /// @dev Cash after pending losses, interest and funding: what `_load` would book. The clearing account bears none.
    function _cashNow(uint256 accountId, Header memory h) private view returns (int256 cashWad) {
        if (accountId == CLEARING) return h.cashWad;
        if (_isBooked()) {
            cashWad = _afterIndex(h.cashWad, h.indexWad, _indexOf(h.cashWad));
        } else {
            Accrual memory a = _accrual();
            cashWad = _afterIndex(h.cashWad, h.indexWad, h.cashWad < 0 ? a.debtIndexWad : a.cashIndexWad);
            if (accountId == FUND) cashWad += int256(a.reserveWad);
        }
        if (h.perpCount != 0) cashWad -= _owedFunding(accountId);
    }

    /// @dev Books the interest of all since the last write; nothing when that was in this block.
    function _accrue() private {
        uint256 reserveWad = _bookInterest();
        if (reserveWad == 0) return;
        _addCash(FUND, int256(reserveWad), Reason.RESERVE);
        _clear(-int256(reserveWad));
    }

    /// @dev Reads a header and books pending losses, interest and funding; the caller writes the header back.
    function _load(uint256 accountId) private returns (Header memory h) {
        _accrue();
        h = _existing(accountId);
        if (accountId == CLEARING) return h;
        int256 cashWad = _afterIndex(h.cashWad, h.indexWad, _indexOf(h.cashWad));
        int256 deltaWad = cashWad - h.cashWad;
        if (deltaWad != 0) {
            bool isLoss = deltaWad < 0 && h.cashWad > 0;
            h.cashWad = int128(cashWad);
            h.indexWad = _indexOf(cashWad);
            emit CashChanged(accountId, deltaWad, cashWad, isLoss ? Reason.SOCIALISED : Reason.INTEREST);
            _clear(-deltaWad);
        }
        if (h.perpCount == 0) return h;
        int256 owedWad = _settleFunding(accountId);
        _changeCash(accountId, h, -owedWad, Reason.FUNDING);
        _clear(owedWad);
    }

    /// @dev Reads a header as `_load` does, and refuses the clearing account, which may never hold a position.
    function _loadFree(uint256 accountId) private returns (Header memory h) {
        if (accountId == CLEARING) revert Accounts__Reserved(accountId, CLEARING + 1);
        h = _load(accountId);
    }

    function _addCash(uint256 accountId, int256 deltaWad, Reason reason) private {
        Header memory h = _load(accountId);
        _changeCash(accountId, h, deltaWad, reason);
        _headers[accountId] = h;
    }

    /// @dev The opposite of cash that was credited or charged elsewhere.
    function _clear(int256 deltaWad) private {
        if (deltaWad != 0) _addCash(CLEARING, deltaWad, Reason.CLEARING);
    }

    function _changeCash(uint256 accountId, Header memory h, int256 deltaWad, Reason reason) private {
        if (deltaWad == 0) return;
        int256 cashWad = h.cashWad + deltaWad;
        if (WadMath.abs(cashWad) > MAX_WAD) revert Accounts__Overflow(WadMath.abs(cashWad), MAX_WAD);
        if (accountId != CLEARING) {
            _changeTotals(h.cashWad, cashWad);
            h.indexWad = _indexOf(cashWad);
        }
        h.cashWad = int128(cashWad);
        emit CashChanged(accountId, deltaWad, cashWad, reason);
    }

    function _changeToken(uint256 accountId, Header memory h, uint256 tokenId, int256 deltaWad) private {
        if (tokenId == CASH || tokenId >= MAX_TOKENS) revert Accounts__TokenOutOfRange(tokenId, MAX_TOKENS);
        int256 heldWad = int256(_amountsWad[accountId][tokenId]);
        if (heldWad + deltaWad < 0) revert Accounts__InsufficientCollateral(uint256(heldWad), uint256(-deltaWad));
        uint256 amountWad = uint256(heldWad + deltaWad);
        if (amountWad > MAX_WAD) revert Accounts__Overflow(amountWad, MAX_WAD);
        _amountsWad[accountId][tokenId] = amountWad;
        uint32 bit = uint32(1 << tokenId);
        h.tokenMask = amountWad == 0 ? h.tokenMask & ~bit : h.tokenMask | bit;
        emit CollateralChanged(accountId, tokenId, deltaWad, amountWad);
    }

    function _trade(uint256 accountId, uint256 instrument, int256 quantityWad, int256 priceE8, int256 premiumWad)
        private
        returns (int256 cashWad, int256 openedWad)
    {
        Header memory h = _loadFree(accountId);
        uint256[] memory words = _read(accountId, h.positionCount, uint256(h.positionCount) + 1);
        uint256 at = _find(words, h.positionCount, instrument);
        if (at == h.positionCount) words[at] = instrument;
        int256 heldWad;
        (cashWad, heldWad) = _merge(accountId, h, words, at, quantityWad, priceE8);
        openedWad = _opened(heldWad, quantityWad);
        cashWad += premiumWad;
        _changeCash(accountId, h, cashWad, Reason.TRADE);
        _headers[accountId] = h;
    }

    function _slicePositions(
        uint256 fromId,
        Header memory from,
        uint256 toId,
        Header memory to,
        int256 fractionWad
    ) private returns (int256 realisedWad) {
        uint256[] memory source = _read(fromId, from.positionCount, from.positionCount);
        uint256[] memory target = _read(toId, to.positionCount, uint256(to.positionCount) + from.positionCount);
        // No instrument is twice in a slice: none meets another of it, and only what was held before is searched.
        uint256 held = to.positionCount;
        // Backwards: a fraction of one removes the last word every time, so nothing moves within the array.
        for (uint256 i = source.length; i > 0; --i) {
            uint256 word = source[i - 1];
            int256 quantityWad = word.quantityOf();
            int256 partWad = quantityWad * fractionWad / Units.WAD;
            if (partWad == 0) continue;
            _store(fromId, from, source, i - 1, partWad == quantityWad ? 0 : _resized(word, quantityWad - partWad));
            uint256 at = _find(target, held, word);
            if (at == held) {
                _store(toId, to, target, to.positionCount, _resized(word, partWad));
                continue;
            }
            (int256 mergedWad, int256 heldWad) = _merge(toId, to, target, at, partWad, word.priceE8Of());
            realisedWad += mergedWad;
            // Open interest changes only where a long meets a short.
            if ((heldWad ^ partWad) < 0) _open(word, _opened(heldWad, partWad) - _positive(partWad));
        }
    }

    function _sliceTokens(uint256 fromId, Header memory from, uint256 toId, Header memory to, uint256 fractionWad)
        private
    {
        uint256 mask = from.tokenMask;
        for (uint256 tokenId; mask >> tokenId != 0; ++tokenId) {
            if (mask & (1 << tokenId) == 0) continue;
            _moveToken(fromId, from, toId, to, tokenId, _amountsWad[fromId][tokenId] * fractionWad / Units.UWAD);
        }
    }

    function _moveToken(
        uint256 fromId,
        Header memory from,
        uint256 toId,
        Header memory to,
        uint256 tokenId,
        uint256 amountWad
    ) private {
        if (amountWad == 0) return;
        _changeToken(fromId, from, tokenId, -_signed(amountWad));
        _changeToken(toId, to, tokenId, _signed(amountWad));
    }

    /// @dev Moves one whole position into an account that has none.
    function _movePosition(uint256 fromId, Header memory from, uint256 toId, Header memory to, uint256 instrument)
        private
    {
        uint256[] memory source = _read(fromId, from.positionCount, from.positionCount);
        uint256 at = _find(source, from.positionCount, instrument);
        if (at == from.positionCount) revert Accounts__NoPosition(fromId, instrument);
        uint256 word = source[at];
        _store(fromId, from, source, at, 0);
        _store(toId, to, new uint256[](1), 0, word);
    }

    /// @dev Merges a change into a position, which may be a new one of quantity 0. `heldWad` is what was held before.
    function _merge(
        uint256 accountId,
        Header memory h,
        uint256[] memory words,
        uint256 at,
        int256 quantityWad,
        int256 priceE8
    ) private returns (int256 cashWad, int256 heldWad) {
        heldWad = words[at].quantityOf();
        uint256 merged;
        (merged, cashWad) = LinearMath.merge(words[at], quantityWad, priceE8);
        _store(accountId, h, words, at, merged.quantityOf() == 0 ? 0 : merged);
    }

    /// @dev Writes one word to storage and to its copy in memory; 0 removes it and moves the last one into its place.
    function _store(uint256 accountId, Header memory h, uint256[] memory words, uint256 at, uint256 word) private {
        uint256 count = h.positionCount;
        uint256 oldWord = at < count ? words[at] : 0;
        uint256[128] storage stored = _words[accountId];
        if (word != 0) {
            if (at == Units.MAX_POSITIONS) revert Accounts__TooManyPositions(at + 1, Units.MAX_POSITIONS);
            if (at == count) h.positionCount = uint8(count + 1);
            (words[at], stored[at]) = (word, word);
        } else {
            if (at != count - 1) (words[at], stored[at]) = (words[count - 1], words[count - 1]);
            (words[count - 1], stored[count - 1]) = (0, 0);
            h.positionCount = uint8(count - 1);
        }
        uint256 either = word == 0 ? oldWord : word;
        if (PositionWord.paysFunding(either.kindOf())) {
            int256 change = _setPerp(accountId, either.underlyingOf(), word.quantityOf());
            h.perpCount = uint8(uint256(int256(uint256(h.perpCount)) + change));
        }
        emit PositionChanged(accountId, oldWord, word);
    }

    /// @dev Copies the words of an account into an array with room for `capacity`.
    function _read(uint256 accountId, uint256 count, uint256 capacity) private view returns (uint256[] memory words) {
        words = new uint256[](capacity);
        uint256[128] storage stored = _words[accountId];
        assembly ("memory-safe") {
            // Equivalent: words[i] = stored[i] for i below count, which is at most capacity.
            let place := add(words, 0x20)
            let end := add(stored.slot, count)
            for { let slot := stored.slot } lt(slot, end) { slot := add(slot, 1) } {
                mstore(place, sload(slot))
                place := add(place, 0x20)
            }
        }
    }

    /// @dev Place of the instrument, or `count`.
    function _find(uint256[] memory words, uint256 count, uint256 instrument) private pure returns (uint256 at) {
        // The kind is part of the compared bits, so one mask serves both sides; a linear price is no part.
        uint256 shift = instrument.isOption() ? 128 : 200;
        uint256 wanted = instrument >> shift;
        assembly ("memory-safe") {
            // Equivalent: while (at < count && words[at] >> shift != wanted) ++at; a slice searches once per position,
            // and count is at most the length.
            let place := add(words, 0x20)
            let end := add(place, shl(5, count))
            for {} lt(place, end) { place := add(place, 0x20) } {
                if eq(shr(shift, mload(place)), wanted) { break }
            }
            at := shr(5, sub(sub(place, words), 0x20))
        }
    }

    /// @dev By how much the long side grows.
    function _opened(int256 heldWad, int256 quantityWad) private pure returns (int256) {
        return _positive(heldWad + quantityWad) - _positive(heldWad);
    }

    function _resized(uint256 word, int256 quantityWad) private pure returns (uint256) {
        return (word >> 128 << 128) | uint128(int128(quantityWad));
    }

    function _signed(uint256 valueWad) private pure returns (int256) {
        if (valueWad > MAX_WAD) revert Accounts__Overflow(valueWad, MAX_WAD);
        return int256(valueWad);
    }
}
