// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IExchange} from "../../interfaces/IExchange.sol";
import {IIntents} from "../../interfaces/IIntents.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";
import {PositionWord} from "../libraries/PositionWord.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {SnapshotMath} from "../libraries/SnapshotMath.sol";

/// @title Intents
/// @notice See IIntents.
/// @dev No module of the ledger: all it does to an account is to take a quote for it, with the owner's approval.
contract Intents is IIntents, EIP712 {
    using PositionWord for uint256;

    bytes32 private constant DELTA_TYPEHASH = keccak256(
        "DeltaIntent(uint256 accountId,uint8 underlyingId,uint8 kinds,int256 minDeltaWad,int256 maxDeltaWad,"
        "uint256 maxCostWad,int256 minExcessWad,uint64 transferCount,uint256 nonce,uint40 expiryTs,address signer)"
    );
    bytes32 private constant CLOSE_TYPEHASH = keccak256(
        "CloseIntent(uint256 accountId,int256 minExcessWad,uint256 maxCostWad,uint64 transferCount,uint256 nonce,"
        "uint40 expiryTs,address signer)"
    );
    /// @dev The cost bounds the fee.
    uint256 private constant ANY_FEE = type(uint256).max;

    IAccounts private immutable ACCOUNTS;
    IMarginEngine private immutable MARGIN_ENGINE;
    IExchange private immutable EXCHANGE;

    /// @inheritdoc IIntents
    mapping(bytes32 digest => bool) public override isFilled;

    constructor(IAccounts accounts, IMarginEngine marginEngine, IExchange exchange) EIP712("Plimsoll Intents", "1") {
        ACCOUNTS = accounts;
        MARGIN_ENGINE = marginEngine;
        EXCHANGE = exchange;
    }

    /// @inheritdoc IIntents
    function fillDelta(
        DeltaIntent calldata intent,
        bytes calldata signature,
        IExchange.Quote calldata quote,
        bytes calldata quoteSignature
    ) external override {
        bytes32 digest = hashOfDelta(intent);
        _requireUnmoved(intent.accountId, intent.transferCount);
        _requireSigned(digest, intent.accountId, intent.signer, intent.nonce, intent.expiryTs, signature);
        _requireScope(intent, quote.legs);
        (IMarginEngine.MarginState memory then_, int256 deltaWad) = _deltaOf(intent.accountId, intent.underlyingId);
        if (_isWithin(intent, deltaWad)) {
            revert Intents__DeltaWithin(deltaWad, intent.minDeltaWad, intent.maxDeltaWad);
        }
        EXCHANGE.fillQuote(quote, quoteSignature, intent.accountId, ANY_FEE);
        IMarginEngine.MarginState memory now_;
        (now_, deltaWad) = _deltaOf(intent.accountId, intent.underlyingId);
        if (!_isWithin(intent, deltaWad)) {
            revert Intents__DeltaMissed(deltaWad, intent.minDeltaWad, intent.maxDeltaWad);
        }
        if (_excessOf(now_) < intent.minExcessWad) revert Intents__ExcessBelow(_excessOf(now_), intent.minExcessWad);
        _finish(digest, intent.accountId, quote.accountId, then_, now_, intent.maxCostWad);
    }

    /// @inheritdoc IIntents
    function fillClose(
        CloseIntent calldata intent,
        bytes calldata signature,
        IExchange.Quote calldata quote,
        bytes calldata quoteSignature
    ) external override {
        bytes32 digest = hashOfClose(intent);
        _requireUnmoved(intent.accountId, intent.transferCount);
        _requireSigned(digest, intent.accountId, intent.signer, intent.nonce, intent.expiryTs, signature);
        IAccounts.Snapshot memory s = ACCOUNTS.snapshotOf(intent.accountId);
        _requireReducing(s.positions, quote.legs);
        IMarginEngine.MarginState memory then_ = MARGIN_ENGINE.evaluate(s);
        if (_excessOf(then_) >= intent.minExcessWad) {
            revert Intents__NotTriggered(_excessOf(then_), intent.minExcessWad);
        }
        EXCHANGE.fillQuote(quote, quoteSignature, intent.accountId, ANY_FEE);
        s = ACCOUNTS.snapshotOf(intent.accountId);
        IMarginEngine.MarginState memory now_ = MARGIN_ENGINE.evaluate(s);
        if (_excessOf(now_) < intent.minExcessWad && s.positions.length != 0) {
            revert Intents__ExcessMissed(_excessOf(now_), intent.minExcessWad);
        }
        _finish(digest, intent.accountId, quote.accountId, then_, now_, intent.maxCostWad);
    }

    /// @inheritdoc IIntents
    function hashOfDelta(DeltaIntent calldata intent) public view override returns (bytes32 digest) {
        digest = _hashTypedDataV4(keccak256(abi.encode(DELTA_TYPEHASH, intent)));
    }

    /// @inheritdoc IIntents
    function hashOfClose(CloseIntent calldata intent) public view override returns (bytes32 digest) {
        digest = _hashTypedDataV4(keccak256(abi.encode(CLOSE_TYPEHASH, intent)));
    }

    /// @dev Counts as filled from here on; a revert later takes that back.
    function _requireSigned(
        bytes32 digest,
        uint256 accountId,
        address signer,
        uint256 nonce,
        uint256 expiryTs,
        bytes calldata signature
    ) private {
        if (expiryTs < block.timestamp) revert Intents__Expired(expiryTs, block.timestamp);
        if (isFilled[digest]) revert Intents__Filled(digest, accountId);
        (bool isSigned, address recovered) = Signatures.check(signer, digest, signature);
        if (!isSigned) revert Intents__BadSignature(recovered, accountId);
        if (EXCHANGE.isCancelled(signer, nonce)) revert Intents__Cancelled(signer, nonce);
        if (!ACCOUNTS.isAuthorised(accountId, signer)) revert Intents__NotAuthorised(signer, accountId);
        isFilled[digest] = true;
    }

    /// @dev A transfer ends an intent for good, so that none comes back with the account.
    function _requireUnmoved(uint256 accountId, uint256 signedCount) private view {
        uint256 count = ACCOUNTS.transferCountOf(accountId);
        if (count != signedCount) revert Intents__Transferred(count, signedCount);
    }

    /// @dev After the fill: what it cost, and the event.
    function _finish(
        bytes32 digest,
        uint256 accountId,
        uint256 solverId,
        IMarginEngine.MarginState memory then_,
        IMarginEngine.MarginState memory now_,
        uint256 maxCostWad
    ) private {
        int256 costWad = then_.marketEquityWad - now_.marketEquityWad;
        if (costWad > 0 && uint256(costWad) > maxCostWad) revert Intents__CostAbove(costWad, maxCostWad);
        emit IntentFilled(digest, accountId, solverId, costWad);
    }

    function _deltaOf(uint256 accountId, uint8 underlyingId)
        private
        view
        returns (IMarginEngine.MarginState memory m, int256 deltaWad)
    {
        IRiskEngine.UnderlyingDetail[] memory details;
        (m, details) = MARGIN_ENGINE.evaluateDetailed(ACCOUNTS.snapshotOf(accountId));
        for (uint256 i; i < details.length; ++i) {
            if (m.underlyings[i].underlyingId == underlyingId) deltaWad = details[i].deltaWad;
        }
    }

    function _requireScope(DeltaIntent calldata intent, IExchange.Leg[] calldata legs) private pure {
        for (uint256 i; i < legs.length; ++i) {
            uint256 word = legs[i].instrument;
            if (word.underlyingOf() != intent.underlyingId) {
                revert Intents__WrongUnderlying(word.underlyingOf(), intent.underlyingId);
            }
            if ((uint256(intent.kinds) >> word.kindOf()) & 1 == 0) {
                revert Intents__KindNotAllowed(word.kindOf(), intent.kinds);
            }
        }
    }

    /// @dev Legs are of different instruments, which the exchange sees to; each is seen by the solver.
    function _requireReducing(uint256[] memory words, IExchange.Leg[] calldata legs) private pure {
        for (uint256 i; i < legs.length; ++i) {
            uint256 limitWad = SnapshotMath.closableOf(words, legs[i].instrument, !legs[i].isBuy);
            if (legs[i].quantityWad > limitWad) revert Intents__NotReducing(legs[i].quantityWad, limitWad);
        }
    }

    function _isWithin(DeltaIntent calldata intent, int256 deltaWad) private pure returns (bool) {
        return deltaWad >= intent.minDeltaWad && deltaWad <= intent.maxDeltaWad;
    }

    function _excessOf(IMarginEngine.MarginState memory m) private pure returns (int256) {
        return m.equityWad - int256(m.initialWad);
    }
}
