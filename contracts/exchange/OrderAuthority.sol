// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IExchange} from "../../interfaces/IExchange.sol";
import {Signatures} from "../libraries/Signatures.sol";

/// @title OrderAuthority
/// @notice Digests, signatures and nonces of orders and quotes. See IExchange.
abstract contract OrderAuthority is IExchange, EIP712 {
    bytes32 private constant ORDER_TYPEHASH = keccak256(
        "Order(uint256 accountId,uint256 instrument,bool isBuy,uint256 quantityWad,uint256 priceWad,uint256 nonce,"
        "uint40 expiryTs,address signer,uint8 kind,bool reduceOnly,uint256 maxFeeWad,uint64 transferCount,"
        "uint256 triggerWad,bool triggerAbove,uint40 triggerAfterTs,bool exclusive)"
    );
    bytes32 private constant QUOTE_TYPEHASH = keccak256(
        "Quote(uint256 accountId,uint256 takerId,Leg[] legs,uint256 nonce,uint40 expiryTs,address signer,"
        "uint256 maxFeeWad,uint64 transferCount)Leg(uint256 instrument,bool isBuy,uint256 quantityWad,uint256 priceWad)"
    );
    bytes32 private constant LEG_TYPEHASH =
        keccak256("Leg(uint256 instrument,bool isBuy,uint256 quantityWad,uint256 priceWad)");

    /// @inheritdoc IExchange
    mapping(address signer => uint256) public override minNonceOf;

    mapping(address signer => mapping(uint256 wordPos => uint256)) private _cancelled;

    /// @inheritdoc IExchange
    function cancel(uint256 nonce) external override {
        _cancel(nonce >> 8, 1 << (nonce & 0xff));
    }

    /// @inheritdoc IExchange
    function cancelMany(uint256 wordPos, uint256 mask) external override {
        _cancel(wordPos, mask);
    }

    /// @inheritdoc IExchange
    function cancelBelow(uint256 nonce) external override {
        uint256 minimum = minNonceOf[msg.sender];
        if (nonce <= minimum) revert Exchange__NonceNotRaised(nonce, minimum);
        minNonceOf[msg.sender] = nonce;
        emit NoncesCancelledBelow(msg.sender, nonce);
    }

    /// @inheritdoc IExchange
    function hashOf(Order calldata order) public view override returns (bytes32 digest) {
        digest = _hashTypedDataV4(keccak256(abi.encode(ORDER_TYPEHASH, order)));
    }

    /// @inheritdoc IExchange
    function hashOfQuote(Quote calldata quote) public view override returns (bytes32 digest) {
        bytes32[] memory legs = new bytes32[](quote.legs.length);
        for (uint256 i; i < legs.length; ++i) {
            legs[i] = keccak256(abi.encode(LEG_TYPEHASH, quote.legs[i]));
        }
        bytes32 hashed = keccak256(
            abi.encode(
                QUOTE_TYPEHASH,
                quote.accountId,
                quote.takerId,
                keccak256(abi.encodePacked(legs)),
                quote.nonce,
                quote.expiryTs,
                quote.signer,
                quote.maxFeeWad,
                quote.transferCount
            )
        );
        digest = _hashTypedDataV4(hashed);
    }

    /// @inheritdoc IExchange
    function isCancelled(address signer, uint256 nonce) public view override returns (bool) {
        return nonce < minNonceOf[signer] || _cancelled[signer][nonce >> 8] & (1 << (nonce & 0xff)) != 0;
    }

    function _cancel(uint256 wordPos, uint256 mask) private {
        _cancelled[msg.sender][wordPos] |= mask;
        emit NoncesCancelled(msg.sender, wordPos, mask);
    }

    function _requireSigned(
        address signer,
        uint256 nonce,
        uint256 accountId,
        bytes32 digest,
        bytes calldata signature
    ) internal view {
        (bool isSigned, address recovered) = Signatures.check(signer, digest, signature);
        if (!isSigned) revert Exchange__BadSignature(recovered, accountId);
        if (isCancelled(signer, nonce)) revert Exchange__Cancelled(signer, nonce);
    }
}
