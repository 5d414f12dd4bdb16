// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IVault} from "../../interfaces/IVault.sol";

/// @title Outflow
/// @notice How much of a token may leave: a bucket that refills, a queue behind it, and a door beside it for what an
/// idle account has itself brought. See IVault.
/// @dev What leaves through the door is never more than what came in, summed over any set of accounts. So a bucket
/// bounds what anybody can take that was not brought, whatever a margin number says.
abstract contract Outflow is IVault {
    uint256 private constant ONE_E6 = 1e6;
    uint256 private constant MIN_SHARE_E6 = 10_000;
    uint256 private constant MIN_DAILY_E6 = 10_000;
    /// @dev A full refill in an hour, of everything held.
    uint256 private constant MAX_DAILY_E6 = 24e6;
    uint256 private constant START_SHARE_E6 = 100_000;
    uint256 private constant START_DAILY_E6 = 250_000;
    /// @dev Level of a bucket that nothing has been taken from: it is full, however much comes.
    uint256 private constant UNUSED = type(uint128).max;
    /// @dev One part of this many of what is held is small change: it passes a queue, and may not stand in one.
    uint256 private constant SMALL_PARTS = 100_000;

    /// @dev slot 0. What may leave at `sinceTs`, and the terms, as shares of what the vault holds.
    struct Bucket {
        uint128 levelRaw;
        uint40 sinceTs;
        uint24 shareE6;
        uint32 dailyE6;
    }

    mapping(uint256 tokenId => Bucket) private _bucket;
    mapping(uint256 accountId => mapping(uint256 tokenId => uint256)) private _broughtRaw;
    mapping(uint256 tokenId => Request[]) private _requests;
    /// @dev The first request that waits, or the length when none does.
    mapping(uint256 tokenId => uint256) private _first;

    /// @inheritdoc IVault
    function outflowOf(uint256 tokenId)
        external
        view
        override
        returns (uint256 levelRaw, uint256 shareE6, uint256 dailyE6)
    {
        Bucket memory b = _bucket[tokenId];
        (levelRaw, shareE6, dailyE6) = (_levelOf(tokenId, _heldOf(tokenId)), b.shareE6, b.dailyE6);
    }

    /// @inheritdoc IVault
    function broughtOf(uint256 accountId, uint256 tokenId) external view override returns (uint256 amountRaw) {
        amountRaw = _broughtRaw[accountId][tokenId];
    }

    /// @inheritdoc IVault
    function queueOf(uint256 tokenId) external view override returns (uint256 firstId, uint256 nextId) {
        (firstId, nextId) = (_first[tokenId], _requests[tokenId].length);
    }

    /// @inheritdoc IVault
    function requestOf(uint256 tokenId, uint256 requestId) public view override returns (Request memory request) {
        uint256 count = _requests[tokenId].length;
        if (requestId >= count) revert Vault__UnknownRequest(requestId, count);
        request = _requests[tokenId][requestId];
    }

    /// @dev Raw units of a token that the vault holds.
    function _heldOf(uint256 tokenId) internal view virtual returns (uint256 heldRaw);

    /// @dev A bucket is full until the first token is taken from it.
    function _openBucket(uint256 tokenId) internal {
        _bucket[tokenId] = Bucket({
            levelRaw: uint128(UNUSED),
            sinceTs: uint40(block.timestamp),
            shareE6: uint24(START_SHARE_E6),
            dailyE6: uint32(START_DAILY_E6)
        });
        emit OutflowSet(tokenId, START_SHARE_E6, START_DAILY_E6);
    }

    function _setOutflow(uint256 tokenId, uint256 shareE6, uint256 dailyE6) internal {
        if (shareE6 < MIN_SHARE_E6 || shareE6 > ONE_E6) revert Vault__BadOutflow(shareE6, ONE_E6);
        if (dailyE6 < MIN_DAILY_E6 || dailyE6 > MAX_DAILY_E6) revert Vault__BadOutflow(dailyE6, MAX_DAILY_E6);
        _refill(tokenId, _heldOf(tokenId));
        (_bucket[tokenId].shareE6, _bucket[tokenId].dailyE6) = (uint24(shareE6), uint32(dailyE6));
        emit OutflowSet(tokenId, shareE6, dailyE6);
    }

    /// @dev Follows tokens that come; `heldRaw` is what was held before, so that nobody's deposit speeds up the past.
    function _noteIn(uint256 accountId, uint256 tokenId, uint256 heldRaw, uint256 amountRaw) internal {
        _refill(tokenId, heldRaw);
        _broughtRaw[accountId][tokenId] += amountRaw;
    }

    /// @dev Follows tokens that leave; `heldRaw` is what was held before, `isFirst` whether it is this account's turn.
    function _noteOut(
        uint256 accountId,
        uint256 tokenId,
        uint256 heldRaw,
        uint256 amountRaw,
        bool isIdle,
        bool isFirst
    ) internal {
        _refill(tokenId, heldRaw);
        uint256 broughtRaw = _broughtRaw[accountId][tokenId];
        uint256 ownRaw = FixedPointMathLib.min(amountRaw, broughtRaw);
        if (ownRaw != 0) _broughtRaw[accountId][tokenId] = broughtRaw - ownRaw;
        uint256 restRaw = isIdle ? amountRaw - ownRaw : amountRaw;
        uint256 levelRaw = _levelOf(tokenId, heldRaw);
        bool isFree = isFirst || !_isWaiting(tokenId) || restRaw <= heldRaw / SMALL_PARTS;
        if (restRaw > (isFree ? levelRaw : 0)) revert Vault__AboveOutflow(restRaw, isFree ? levelRaw : 0);
        if (restRaw == 0) return;
        (_bucket[tokenId].levelRaw, _bucket[tokenId].sinceTs) =
            (uint128(levelRaw - restRaw), uint40(block.timestamp));
    }

    /// @dev Most that the bucket lets an account take now.
    function _outflowLimit(uint256 accountId, uint256 tokenId, uint256 heldRaw, bool isIdle, bool isFirst)
        internal
        view
        returns (uint256 limitRaw)
    {
        limitRaw = _levelOf(tokenId, heldRaw);
        if (!isFirst && _isWaiting(tokenId)) limitRaw = FixedPointMathLib.min(limitRaw, heldRaw / SMALL_PARTS);
        if (isIdle) limitRaw += _broughtRaw[accountId][tokenId];
    }

    function _enqueue(uint256 tokenId, Request memory request) internal returns (uint256 requestId) {
        uint256 leastRaw = _heldOf(tokenId) / SMALL_PARTS;
        if (request.amountRaw < leastRaw) revert Vault__RequestTooSmall(request.amountRaw, leastRaw);
        requestId = _requests[tokenId].length;
        _requests[tokenId].push(request);
        emit WithdrawalRequested(tokenId, requestId, request.accountId, request.to, request.amountRaw);
    }

    /// @dev Takes a part off a request; one that is paid leaves the queue.
    function _shorten(uint256 tokenId, uint256 requestId, uint256 partRaw) internal {
        _requests[tokenId][requestId].amountRaw -= uint128(partRaw);
        _advance(tokenId);
    }

    /// @dev Ends a request unpaid.
    function _drop(uint256 tokenId, uint256 requestId) internal {
        emit RequestDropped(tokenId, requestId, _requests[tokenId][requestId].amountRaw);
        _requests[tokenId][requestId].amountRaw = 0;
        _advance(tokenId);
    }

    function _firstOf(uint256 tokenId) internal view returns (uint256) {
        return _first[tokenId];
    }

    function _isWaiting(uint256 tokenId) internal view returns (bool) {
        return _first[tokenId] < _requests[tokenId].length;
    }

    /// @dev Whether a part of a request is too little to be worth a transfer.
    function _isSmall(uint256 tokenId, uint256 amountRaw) internal view returns (bool) {
        return amountRaw <= _heldOf(tokenId) / SMALL_PARTS;
    }

    /// @dev Goes on to the next request that still wants something.
    function _advance(uint256 tokenId) private {
        (uint256 at, uint256 count) = (_first[tokenId], _requests[tokenId].length);
        while (at < count && _requests[tokenId][at].amountRaw == 0) ++at;
        _first[tokenId] = at;
    }

    function _refill(uint256 tokenId, uint256 heldRaw) private {
        if (_bucket[tokenId].levelRaw == UNUSED) return;
        (_bucket[tokenId].levelRaw, _bucket[tokenId].sinceTs) =
            (uint128(_levelOf(tokenId, heldRaw)), uint40(block.timestamp));
    }

    /// @dev B = min(share * held, B + daily * held * days).
    function _levelOf(uint256 tokenId, uint256 heldRaw) private view returns (uint256 levelRaw) {
        Bucket memory b = _bucket[tokenId];
        if (b.levelRaw == UNUSED) return heldRaw * b.shareE6 / ONE_E6;
        uint256 comeRaw = heldRaw * b.dailyE6 * (block.timestamp - b.sinceTs) / (ONE_E6 * 1 days);
        levelRaw = FixedPointMathLib.min(heldRaw * b.shareE6 / ONE_E6, b.levelRaw + comeRaw);
    }
}
