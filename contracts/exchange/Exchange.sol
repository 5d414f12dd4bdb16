// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IDelegation} from "../../interfaces/IDelegation.sol";
import {IExchange} from "../../interfaces/IExchange.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {PositionWord} from "../libraries/PositionWord.sol";
import {Units} from "../libraries/Units.sol";

/// @title Exchange
/// @notice See IExchange.
contract Exchange is IExchange, AccessManaged, EIP712, Pausable, ReentrancyGuardTransient {
    using PositionWord for uint256;

    bytes32 private constant ORDER_TYPEHASH = keccak256(
        "Order(uint256 accountId,uint256 instrument,bool isBuy,uint256 quantityWad,"
        "uint256 priceWad,uint256 nonce,uint40 expiryTs,address signer)"
    );
    /// @dev An entry price is an int72 in steps of 1e-8 cash.
    uint256 private constant MAX_PRICE_WAD = uint256(uint72(type(int72).max)) * uint256(Units.E8_TO_WAD);

    IAccounts private immutable ACCOUNTS;
    IMarginEngine private immutable MARGIN_ENGINE;
    IDelegation private immutable DELEGATION;

    mapping(bytes32 digest => uint256) private _filledWad;
    mapping(address signer => mapping(uint256 wordPos => uint256)) private _cancelled;

    constructor(address authority, IAccounts accounts, IMarginEngine marginEngine, IDelegation delegation)
        AccessManaged(authority)
        EIP712("Plimsoll Exchange", "1")
    {
        ACCOUNTS = accounts;
        MARGIN_ENGINE = marginEngine;
        DELEGATION = delegation;
    }

    /// @inheritdoc IExchange
    function settle(
        Order calldata buy,
        bytes calldata buySignature,
        Order calldata sell,
        bytes calldata sellSignature,
        uint256 quantityWad,
        uint256 priceWad
    ) external override nonReentrant whenNotPaused {
        _requireMatch(buy, sell);
        _requirePrice(buy, sell, priceWad);
        if (quantityWad == 0) revert Exchange__ZeroQuantity(quantityWad, 1);
        (bytes32 buyHash, address buyDelegate) = _fill(buy, buySignature, quantityWad);
        (bytes32 sellHash, address sellDelegate) = _fill(sell, sellSignature, quantityWad);
        emit Settled(buyHash, sellHash, buy.instrument, buy.accountId, sell.accountId, quantityWad, priceWad);
        _trade(
            IAccounts.Trade({
                buyerId: buy.accountId,
                sellerId: sell.accountId,
                instrument: buy.instrument,
                quantityWad: quantityWad,
                priceWad: priceWad
            }),
            buyDelegate,
            sellDelegate
        );
    }

    /// @inheritdoc IExchange
    function cancel(uint256 nonce) external override {
        _cancel(nonce >> 8, 1 << (nonce & 0xff));
    }

    /// @inheritdoc IExchange
    function cancelMany(uint256 wordPos, uint256 mask) external override {
        _cancel(wordPos, mask);
    }

    /// @inheritdoc IExchange
    function pause() external override restricted {
        _pause();
    }

    /// @inheritdoc IExchange
    function unpause() external override restricted {
        _unpause();
    }

    /// @inheritdoc IExchange
    function filledOf(bytes32 digest) external view override returns (uint256 quantityWad) {
        quantityWad = _filledWad[digest];
    }

    /// @inheritdoc IExchange
    function hashOf(Order calldata order) public view override returns (bytes32 digest) {
        digest = _hashTypedDataV4(keccak256(abi.encode(ORDER_TYPEHASH, order)));
    }

    /// @inheritdoc IExchange
    function isCancelled(address signer, uint256 nonce) public view override returns (bool) {
        return _cancelled[signer][nonce >> 8] & (1 << (nonce & 0xff)) != 0;
    }

    function _cancel(uint256 wordPos, uint256 mask) private {
        _cancelled[msg.sender][wordPos] |= mask;
        emit NoncesCancelled(msg.sender, wordPos, mask);
    }

    function _requireMatch(Order calldata buy, Order calldata sell) private view {
        if (!buy.isBuy || sell.isBuy) revert Exchange__WrongSide(buy.isBuy, sell.isBuy);
        if (buy.instrument != sell.instrument) {
            revert Exchange__InstrumentMismatch(buy.instrument, sell.instrument);
        }
        if (buy.accountId == sell.accountId) revert Exchange__SelfTrade(buy.accountId, sell.accountId);
        uint256 expiryTs = buy.instrument.expiryOf();
        if (buy.instrument.kindOf() != PositionWord.PERP && expiryTs <= block.timestamp) {
            revert Exchange__InstrumentExpired(expiryTs, block.timestamp);
        }
    }

    function _requirePrice(Order calldata buy, Order calldata sell, uint256 priceWad) private pure {
        if (priceWad == 0 || priceWad > MAX_PRICE_WAD) revert Exchange__PriceOutOfRange(priceWad, MAX_PRICE_WAD);
        if (priceWad > buy.priceWad) revert Exchange__PriceAboveLimit(priceWad, buy.priceWad);
        if (priceWad < sell.priceWad) revert Exchange__PriceBelowLimit(priceWad, sell.priceWad);
        uint256 stepWad = uint256(Units.E8_TO_WAD);
        if (!buy.instrument.isOption() && priceWad % stepWad != 0) revert Exchange__PriceStep(priceWad, stepWad);
    }

    /// @dev Checks one order and counts the fill; checks that need no signature come first. The delegate is 0 when the
    /// signer may act for the account in every way.
    function _fill(Order calldata order, bytes calldata signature, uint256 quantityWad)
        private
        returns (bytes32 digest, address delegate)
    {
        if (order.expiryTs < block.timestamp) revert Exchange__OrderExpired(order.expiryTs, block.timestamp);
        digest = hashOf(order);
        uint256 filledWad = _filledWad[digest];
        uint256 leftWad = order.quantityWad - filledWad;
        if (quantityWad > leftWad) revert Exchange__Overfilled(quantityWad, leftWad);
        address signer = order.signer;
        _requireSigned(signer, order.accountId, digest, signature);
        if (isCancelled(signer, order.nonce)) revert Exchange__Cancelled(signer, order.nonce);
        if (!ACCOUNTS.isAuthorised(order.accountId, signer)) {
            DELEGATION.requireAllowed(order.accountId, signer, order.instrument);
            delegate = signer;
        }
        _filledWad[digest] = filledWad + quantityWad;
    }

    /// @dev A key counts by its signature even when it has code (EIP-7702); anything else is asked by ERC-1271.
    function _requireSigned(address signer, uint256 accountId, bytes32 digest, bytes calldata signature) private view {
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure == ECDSA.RecoverError.NoError && recovered == signer) return;
        if (!SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature)) {
            revert Exchange__BadSignature(recovered, accountId);
        }
    }

    /// @dev Writes the fill to the ledger, then asks for the margin of both sides and for the limits of delegates.
    function _trade(IAccounts.Trade memory trade, address buyDelegate, address sellDelegate) private {
        IAccounts.Snapshot memory buyer = ACCOUNTS.snapshotOf(trade.buyerId);
        IAccounts.Snapshot memory seller = ACCOUNTS.snapshotOf(trade.sellerId);
        ACCOUNTS.applyTrade(trade);
        MARGIN_ENGINE.enforce(trade.buyerId, buyer);
        MARGIN_ENGINE.enforce(trade.sellerId, seller);
        int256 quantityWad = int256(trade.quantityWad);
        _afterFill(trade, trade.buyerId, buyDelegate, quantityWad, buyer);
        _afterFill(trade, trade.sellerId, sellDelegate, -quantityWad, seller);
    }

    function _afterFill(
        IAccounts.Trade memory trade,
        uint256 accountId,
        address delegate,
        int256 quantityWad,
        IAccounts.Snapshot memory before_
    ) private {
        if (delegate == address(0)) return;
        DELEGATION.afterFill(accountId, delegate, trade.instrument, quantityWad, trade.priceWad, before_);
    }
}
