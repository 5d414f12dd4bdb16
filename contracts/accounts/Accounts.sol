// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {LinearMath} from "../libraries/LinearMath.sol";
import {PositionWord} from "../libraries/PositionWord.sol";
import {Units} from "../libraries/Units.sol";
import {WadMath} from "../libraries/WadMath.sol";

/// @title Accounts
/// @notice See IAccounts.
/// @dev Every change of cash is matched: against the other side, the vault, or the clearing account. So the sum of
/// stored cash over all accounts is the vault's cash at all times (I-01).
contract Accounts is IAccounts, ERC721, AccessManaged {
    using PositionWord for uint256;

    uint256 private constant CLEARING = 0;
    uint256 private constant FUND = 1;
    uint256 private constant CASH = 0;
    uint256 private constant MAX_TOKENS = 64;
    uint256 private constant WAD = 1e18;

    /// @dev slot 0: cash and the loss index at which it was stored; slot 1: mode and which tokens are held.
    struct Account {
        int128 cashWad;
        uint128 lossIndexWad;
        uint8 mode;
        uint64 tokenMask;
    }

    /// @inheritdoc IAccounts
    uint256 public override nextAccountId;
    /// @notice Whether a contract may write.
    mapping(address => bool) public isModule;
    /// @notice Engine that is asked when an owner changes an account.
    IMarginEngine public marginEngine;
    /// @notice Share of positive cash that is left after all socialised losses, wad.
    uint256 public lossIndexWad = WAD;
    /// @notice Positive cash of all accounts but clearing and fund: what a loss can be spread over.
    uint256 public positiveCashWad;

    mapping(uint256 accountId => Account) private _account;
    mapping(uint256 accountId => mapping(uint256 tokenId => uint256)) private _amountWad;
    mapping(uint256 accountId => uint256[]) private _positions;

    modifier onlyModule() {
        if (!isModule[msg.sender]) revert Accounts__NotModule(msg.sender);
        _;
    }

    modifier onlyAuthorised(uint256 accountId) {
        if (!isAuthorised(accountId, msg.sender)) revert Accounts__NotOwner(msg.sender, accountId);
        _;
    }

    /// @param authority AccessManager.
    /// @param keeperOfReserves Owner of the clearing account and, until it is handed over, of the fund's.
    constructor(address authority, address keeperOfReserves)
        AccessManaged(authority)
        ERC721("Plimsoll Account", "PLIM")
    {
        _open(keeperOfReserves, Mode.SINGLE);
        _open(keeperOfReserves, Mode.SINGLE);
    }

    /// @inheritdoc IAccounts
    function open(address owner, Mode mode) external override returns (uint256 accountId) {
        accountId = _open(owner, mode);
    }

    /// @inheritdoc IAccounts
    function setMode(uint256 accountId, Mode mode) external override onlyAuthorised(accountId) {
        _requireHealthy(accountId);
        Account storage account = _account[accountId];
        emit ModeChanged(accountId, Mode(account.mode), mode);
        account.mode = uint8(mode);
        _requireHealthy(accountId);
    }

    /// @inheritdoc IAccounts
    function isolate(uint256 accountId, uint256 instrument, uint256 tokenId, uint256 amountWad, uint256 cashWad)
        external
        override
        onlyAuthorised(accountId)
        returns (uint256 newAccountId)
    {
        newAccountId = _open(ownerOf(accountId), Mode(_account[accountId].mode));
        uint256 at = _find(accountId, instrument);
        if (at == _positions[accountId].length) revert Accounts__NoPosition(accountId, instrument);
        uint256 word = _positions[accountId][at];
        _writePosition(accountId, at, 0);
        _writePosition(newAccountId, 0, word);
        if (amountWad != 0) {
            _changeCollateral(accountId, tokenId, -int256(amountWad));
            _changeCollateral(newAccountId, tokenId, int256(amountWad));
        }
        if (cashWad != 0) {
            int256 held = cashOf(accountId);
            if (held < int256(cashWad)) revert Accounts__InsufficientCash(held, cashWad);
            _changeCash(accountId, -int256(cashWad), Reason.TRANSFER);
            _changeCash(newAccountId, int256(cashWad), Reason.TRANSFER);
        }
        _requireHealthy(accountId);
        _requireHealthy(newAccountId);
    }

    /// @inheritdoc IAccounts
    function applyTrade(Trade calldata trade) external override onlyModule {
        if (trade.buyerId == trade.sellerId) revert Accounts__SelfTrade(trade.buyerId);
        if (trade.quantityWad == 0) revert Accounts__ZeroAmount(0, 1);
        _requireUser(trade.buyerId);
        _requireUser(trade.sellerId);
        _requireInstrument(trade.instrument);
        if (trade.quantityWad > uint128(type(int128).max)) {
            revert Accounts__Overflow(trade.quantityWad, uint128(type(int128).max));
        }
        int256 quantityWad = int256(trade.quantityWad);
        if (trade.instrument.isOption()) {
            // The buyer pays no less than the product (R-04); the seller gets exactly that.
            int256 premiumWad = WadMath.mulWadUp(quantityWad, int256(trade.priceWad));
            _changeCash(trade.buyerId, -premiumWad, Reason.TRADE);
            _changeCash(trade.sellerId, premiumWad, Reason.TRADE);
            _merge(trade.buyerId, trade.instrument, quantityWad, 0);
            _merge(trade.sellerId, trade.instrument, -quantityWad, 0);
            return;
        }
        if (trade.priceWad % uint256(Units.E8_TO_WAD) != 0) {
            revert Accounts__PriceStep(trade.priceWad, uint256(Units.E8_TO_WAD));
        }
        int256 priceE8 = int256(trade.priceWad) / Units.E8_TO_WAD;
        int256 realisedWad = _merge(trade.buyerId, trade.instrument, quantityWad, priceE8)
            + _merge(trade.sellerId, trade.instrument, -quantityWad, priceE8);
        if (realisedWad != 0) _changeCash(CLEARING, -realisedWad, Reason.CLEARING);
    }

    /// @inheritdoc IAccounts
    function creditToken(uint256 accountId, uint256 tokenId, uint256 amountWad) external override onlyModule {
        _requireExists(accountId);
        int256 delta = _positiveAmount(amountWad);
        if (tokenId == CASH) _changeCash(accountId, delta, Reason.DEPOSIT);
        else _changeCollateral(accountId, tokenId, delta);
    }

    /// @inheritdoc IAccounts
    function debitToken(uint256 accountId, uint256 tokenId, uint256 amountWad) external override onlyModule {
        _requireExists(accountId);
        int256 delta = _positiveAmount(amountWad);
        if (tokenId != CASH) {
            _changeCollateral(accountId, tokenId, -delta);
            return;
        }
        int256 held = cashOf(accountId);
        if (held < delta) revert Accounts__InsufficientCash(held, amountWad);
        _changeCash(accountId, -delta, Reason.WITHDRAWAL);
    }

    /// @inheritdoc IAccounts
    function moveCash(uint256 fromId, uint256 toId, uint256 amountWad) external override onlyModule {
        int256 delta = _positiveAmount(amountWad);
        _changeCash(fromId, -delta, Reason.LIQUIDATION);
        _changeCash(toId, delta, Reason.LIQUIDATION);
    }

    /// @inheritdoc IAccounts
    function transferSlice(uint256 fromId, uint256 toId, uint256 fractionWad, uint256 reserveCashWad)
        external
        override
        onlyModule
    {
        if (fractionWad == 0 || fractionWad > WAD) revert Accounts__BadFraction(fractionWad, WAD);
        if (fromId == toId) revert Accounts__SelfTrade(fromId);
        _requireUser(toId);
        _moveTokens(fromId, toId, fractionWad);
        _movePositions(fromId, toId, fractionWad);
        // Floor: what the account gives of its cash is rounded down, what it is rid of in debt is rounded down.
        int256 sliceWad = WadMath.mulWadDown(cashOf(fromId) - int256(reserveCashWad), int256(fractionWad));
        if (sliceWad != 0) {
            _changeCash(fromId, -sliceWad, Reason.LIQUIDATION);
            _changeCash(toId, sliceWad, Reason.LIQUIDATION);
        }
    }

    /// @inheritdoc IAccounts
    function settlePositions(uint256 accountId, uint8 underlyingId, uint40 expiryTs, uint256 priceWad)
        external
        override
        onlyModule
        returns (uint256 settled)
    {
        uint256[] storage words = _positions[accountId];
        int256 payoffWad;
        for (uint256 i = words.length; i > 0; --i) {
            uint256 word = words[i - 1];
            if (word.underlyingOf() != underlyingId || word.expiryOf() != expiryTs) continue;
            if (word.kindOf() == PositionWord.PERP) continue;
            payoffWad += _payoff(word, int256(priceWad));
            _writePosition(accountId, i - 1, 0);
            ++settled;
        }
        if (payoffWad != 0) {
            _changeCash(accountId, payoffWad, Reason.SETTLEMENT);
            _changeCash(CLEARING, -payoffWad, Reason.CLEARING);
        }
    }

    /// @inheritdoc IAccounts
    function socialise(uint256 toId, uint256 lossWad) external override onlyModule {
        int256 delta = _positiveAmount(lossWad);
        if (lossWad >= positiveCashWad) revert Accounts__LossTooLarge(lossWad, positiveCashWad);
        uint256 oldIndexWad = lossIndexWad;
        uint256 newIndexWad = (oldIndexWad * (positiveCashWad - lossWad)) / positiveCashWad;
        lossIndexWad = newIndexWad;
        positiveCashWad -= lossWad;
        // Clearing advances the loss; every account repays its share when it is next touched.
        _changeCash(CLEARING, -delta, Reason.SOCIALISED);
        _changeCash(toId, delta, Reason.SOCIALISED);
        emit LossSocialised(lossWad, oldIndexWad, newIndexWad);
    }

    /// @inheritdoc IAccounts
    function accrue(uint256[] calldata accountIds) external override {
        for (uint256 i; i < accountIds.length; ++i) {
            _requireExists(accountIds[i]);
            _accrue(accountIds[i]);
        }
    }

    /// @inheritdoc IAccounts
    function setModule(address module, bool allowed) external override restricted {
        isModule[module] = allowed;
        emit ModuleSet(module, allowed);
    }

    /// @inheritdoc IAccounts
    function setMarginEngine(address marginEngine_) external override restricted {
        marginEngine = IMarginEngine(marginEngine_);
        emit MarginEngineSet(marginEngine_);
    }

    /// @inheritdoc IAccounts
    function snapshotOf(uint256 accountId) external view override returns (Snapshot memory s) {
        _requireExists(accountId);
        Account storage account = _account[accountId];
        s.mode = account.mode;
        s.cashWad = cashOf(accountId);
        (s.tokenIds, s.amountsWad) = _tokensOf(accountId, account.tokenMask);
        s.positions = _positions[accountId];
    }

    /// @inheritdoc IAccounts
    function cashOf(uint256 accountId) public view override returns (int256 cashWad) {
        Account storage account = _account[accountId];
        cashWad = account.cashWad;
        uint256 storedIndexWad = account.lossIndexWad;
        if (cashWad > 0 && accountId > FUND && storedIndexWad != lossIndexWad) {
            cashWad = (cashWad * int256(lossIndexWad)) / int256(storedIndexWad);
        }
    }

    /// @inheritdoc IAccounts
    function storedCashOf(uint256 accountId) external view override returns (int256 cashWad) {
        cashWad = _account[accountId].cashWad;
    }

    /// @inheritdoc IAccounts
    function isAuthorised(uint256 accountId, address caller) public view override returns (bool) {
        return _isAuthorized(_requireOwned(accountId), caller, accountId);
    }

    function _open(address owner, Mode mode) private returns (uint256 accountId) {
        accountId = nextAccountId++;
        _account[accountId] = Account(0, uint128(lossIndexWad), uint8(mode), 0);
        _mint(owner, accountId);
        emit AccountOpened(accountId, owner, mode);
    }

    function _requireExists(uint256 accountId) private view {
        if (accountId >= nextAccountId) revert Accounts__UnknownAccount(accountId, nextAccountId);
    }

    /// @dev Clearing and fund never hold positions.
    function _requireUser(uint256 accountId) private view {
        _requireExists(accountId);
        if (accountId <= FUND) revert Accounts__UnknownAccount(accountId, nextAccountId);
    }

    function _requireInstrument(uint256 word) private pure {
        uint256 kind = word.kindOf();
        bool bad = word.underlyingOf() == 0 || kind > PositionWord.PERP || word.quantityOf() != 0;
        bad = bad || (word.isOption() ? word.priceE8Of() <= 0 : word.priceE8Of() != 0);
        if (bad || ((kind == PositionWord.PERP) != (word.expiryOf() == 0))) revert Accounts__BadInstrument(word);
    }

    function _requireHealthy(uint256 accountId) private view {
        IMarginEngine.MarginState memory state = marginEngine.marginOf(accountId);
        if (state.equityWad < int256(state.initialWad)) {
            revert Accounts__Unhealthy(state.equityWad, state.initialWad);
        }
    }

    function _positiveAmount(uint256 amountWad) private pure returns (int256) {
        if (amountWad == 0) revert Accounts__ZeroAmount(0, 1);
        if (amountWad > uint128(type(int128).max)) revert Accounts__Overflow(amountWad, uint128(type(int128).max));
        return int256(amountWad);
    }

    /// @dev Books a pending share of socialised losses; what rounding takes too much stays with clearing.
    function _accrue(uint256 accountId) private {
        Account storage account = _account[accountId];
        if (account.lossIndexWad == lossIndexWad) return;
        int256 lossWad = int256(account.cashWad) - cashOf(accountId);
        account.lossIndexWad = uint128(lossIndexWad);
        if (lossWad == 0) return;
        _store(accountId, -lossWad, Reason.SOCIALISED);
        _store(CLEARING, lossWad, Reason.SOCIALISED);
    }

    function _changeCash(uint256 accountId, int256 deltaWad, Reason reason) private {
        _accrue(accountId);
        int256 oldWad = _account[accountId].cashWad;
        int256 newWad = _store(accountId, deltaWad, reason);
        if (accountId <= FUND) return;
        uint256 grown = positiveCashWad + uint256(newWad > 0 ? newWad : int256(0));
        uint256 gone = uint256(oldWad > 0 ? oldWad : int256(0));
        // Rounding of the loss index may leave the sum a few wei short of its parts.
        positiveCashWad = grown > gone ? grown - gone : 0;
    }

    function _store(uint256 accountId, int256 deltaWad, Reason reason) private returns (int256 cashWad) {
        Account storage account = _account[accountId];
        cashWad = int256(account.cashWad) + deltaWad;
        if (cashWad != int128(cashWad)) revert Accounts__Overflow(WadMath.abs(cashWad), uint128(type(int128).max));
        account.cashWad = int128(cashWad);
        emit CashChanged(accountId, deltaWad, cashWad, reason);
    }

    function _changeCollateral(uint256 accountId, uint256 tokenId, int256 deltaWad) private {
        if (tokenId == CASH || tokenId >= MAX_TOKENS) revert Accounts__Overflow(tokenId, MAX_TOKENS - 1);
        uint256 heldWad = _amountWad[accountId][tokenId];
        if (deltaWad < 0 && heldWad < uint256(-deltaWad)) {
            revert Accounts__InsufficientCollateral(heldWad, uint256(-deltaWad));
        }
        uint256 amountWad = uint256(int256(heldWad) + deltaWad);
        _amountWad[accountId][tokenId] = amountWad;
        Account storage account = _account[accountId];
        uint64 bit = uint64(1 << tokenId);
        account.tokenMask = amountWad == 0 ? account.tokenMask & ~bit : account.tokenMask | bit;
        emit CollateralChanged(accountId, tokenId, deltaWad, amountWad);
    }

    function _tokensOf(uint256 accountId, uint256 mask)
        private
        view
        returns (uint256[] memory tokenIds, uint256[] memory amountsWad)
    {
        uint256 count;
        for (uint256 rest = mask; rest != 0; rest &= rest - 1) {
            ++count;
        }
        tokenIds = new uint256[](count);
        amountsWad = new uint256[](count);
        uint256 at;
        for (uint256 id; at < count; ++id) {
            if ((mask >> id) & 1 == 0) continue;
            (tokenIds[at], amountsWad[at++]) = (id, _amountWad[accountId][id]);
        }
    }

    /// @dev Index of the position in the instrument, or the length when there is none.
    function _find(uint256 accountId, uint256 word) private view returns (uint256 at) {
        uint256[] storage words = _positions[accountId];
        uint256 n = words.length;
        uint256 instrument = word.instrumentOf();
        while (at < n && words[at].instrumentOf() != instrument) ++at;
    }

    /// @dev Adds a quantity to a position; returns what it realised in cash, already booked to the account.
    function _merge(uint256 accountId, uint256 instrument, int256 quantityWad, int256 priceE8)
        private
        returns (int256 realisedWad)
    {
        uint256 at = _find(accountId, instrument);
        bool isNew = at == _positions[accountId].length;
        uint256 old = isNew ? instrument : _positions[accountId][at];
        uint256 merged;
        (merged, realisedWad) = LinearMath.merge(old, quantityWad, priceE8);
        _writePosition(accountId, at, merged.quantityOf() == 0 ? 0 : merged);
        if (realisedWad != 0) _changeCash(accountId, realisedWad, Reason.TRADE);
    }

    /// @dev Writes, appends (at the end) or removes (word 0; the last one takes the place).
    function _writePosition(uint256 accountId, uint256 at, uint256 word) private {
        uint256[] storage words = _positions[accountId];
        uint256 n = words.length;
        uint256 old;
        if (at == n) {
            if (n == Units.MAX_POSITIONS) revert Accounts__TooManyPositions(n + 1, Units.MAX_POSITIONS);
            words.push(word);
        } else {
            old = words[at];
            if (word != 0) {
                words[at] = word;
            } else {
                if (at != n - 1) words[at] = words[n - 1];
                words.pop();
            }
        }
        emit PositionChanged(accountId, old, word);
    }

    function _moveTokens(uint256 fromId, uint256 toId, uint256 fractionWad) private {
        (uint256[] memory tokenIds, uint256[] memory amountsWad) = _tokensOf(fromId, _account[fromId].tokenMask);
        for (uint256 i; i < tokenIds.length; ++i) {
            // Seized collateral is rounded down (R-05).
            int256 sliceWad = int256((amountsWad[i] * fractionWad) / WAD);
            if (sliceWad == 0) continue;
            _changeCollateral(fromId, tokenIds[i], -sliceWad);
            _changeCollateral(toId, tokenIds[i], sliceWad);
        }
    }

    /// @dev Slices keep their entry on the giving side; the receiver averages, the difference goes to clearing.
    function _movePositions(uint256 fromId, uint256 toId, uint256 fractionWad) private {
        int256 realisedWad;
        for (uint256 i = _positions[fromId].length; i > 0; --i) {
            uint256 word = _positions[fromId][i - 1];
            int256 sliceWad = (word.quantityOf() * int256(fractionWad)) / int256(WAD);
            if (sliceWad == 0) continue;
            int256 restWad = word.quantityOf() - sliceWad;
            uint256 rest = PositionWord.pack(
                word.underlyingOf(), word.kindOf(), word.expiryOf(), word.priceE8Of(), restWad
            );
            _writePosition(fromId, i - 1, restWad == 0 ? 0 : rest);
            uint256 empty =
                PositionWord.pack(word.underlyingOf(), word.kindOf(), word.expiryOf(), word.priceE8Of(), 0);
            realisedWad += _merge(toId, empty, sliceWad, word.priceE8Of());
        }
        if (realisedWad != 0) _changeCash(CLEARING, -realisedWad, Reason.CLEARING);
    }

    /// @dev Cash of a settled position, rounded down.
    function _payoff(uint256 word, int256 priceWad) private pure returns (int256) {
        int256 strikeWad = word.priceE8Of() * Units.E8_TO_WAD;
        int256 valueWad = word.kindOf() == PositionWord.PUT ? strikeWad - priceWad : priceWad - strikeWad;
        if (word.isOption() && valueWad < 0) valueWad = 0;
        return WadMath.mulWadDown(word.quantityOf(), valueWad);
    }
}
