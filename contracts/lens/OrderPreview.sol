// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IExchange} from "../../interfaces/IExchange.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IOrderPreview} from "../../interfaces/IOrderPreview.sol";
import {MarginMath} from "../libraries/MarginMath.sol";
import {PositionWord} from "../libraries/PositionWord.sol";
import {SnapshotMath} from "../libraries/SnapshotMath.sol";
import {Units} from "../libraries/Units.sol";
import {WadMath} from "../libraries/WadMath.sol";

/// @title OrderPreview
/// @notice See IOrderPreview.
contract OrderPreview is IOrderPreview {
    using PositionWord for uint256;

    uint8 private constant KEEP_MODE = type(uint8).max;
    /// @dev No fill is dearer; see Exchange.
    uint256 private constant MAX_PRICE_WAD = uint256(uint72(type(int72).max)) * uint256(Units.E8_TO_WAD);

    IAccounts private immutable ACCOUNTS;
    IMarginEngine private immutable MARGIN_ENGINE;
    IExchange private immutable EXCHANGE;

    constructor(IAccounts accounts, IMarginEngine marginEngine, IExchange exchange) {
        ACCOUNTS = accounts;
        MARGIN_ENGINE = marginEngine;
        EXCHANGE = exchange;
    }

    /// @inheritdoc IOrderPreview
    function previewOrders(uint256 accountId, IExchange.Order[] calldata orders)
        external
        view
        override
        returns (Preview memory preview)
    {
        IAccounts.Snapshot memory snapshot = ACCOUNTS.snapshotOf(accountId);
        (preview.before_, preview.detailsBefore) = MARGIN_ENGINE.evaluateOwnDetailed(snapshot);
        preview.remainingWad = _remaining(accountId, orders);
        preview.fills = _underlyings(orders, preview.remainingWad, _excess(preview.before_));
        for (uint256 i; i < preview.fills.length; ++i) {
            _search(accountId, orders, preview.remainingWad, preview.fills[i]);
        }
        snapshot = _filled(accountId, orders, preview.remainingWad, preview.fills);
        (preview.worst, preview.detailsWorst) = MARGIN_ENGINE.evaluateOwnDetailed(snapshot);
        // The worst case was sought by what the account has itself: with its lines several may leave it exactly enough.
        (uint256 creditWad,) = MARGIN_ENGINE.backingOf(accountId);
        MarginMath.fillUp(preview.before_, creditWad);
        MarginMath.fillUp(preview.worst, creditWad);
    }

    /// @dev Keeps the case of one underlying that leaves the least excess; a tie goes to fewer fills.
    function _search(
        uint256 accountId,
        IExchange.Order[] calldata orders,
        uint256[] memory remainingWad,
        WorstFill memory worst
    ) private view {
        WorstFill[] memory tried = new WorstFill[](1);
        tried[0].underlyingId = worst.underlyingId;
        for (uint256 k = uint256(Fill.BUYS); k <= uint256(Fill.ALL); ++k) {
            tried[0].fill = Fill(k);
            int256 excessWad =
                _excess(MARGIN_ENGINE.evaluateOwn(_filled(accountId, orders, remainingWad, tried)));
            if (excessWad < worst.excessWad) (worst.excessWad, worst.fill) = (excessWad, Fill(k));
        }
    }

    function _remaining(uint256 accountId, IExchange.Order[] calldata orders)
        private
        view
        returns (uint256[] memory remainingWad)
    {
        remainingWad = new uint256[](orders.length);
        uint256 transferCount = ACCOUNTS.transferCountOf(accountId);
        for (uint256 i; i < orders.length; ++i) {
            IExchange.Order calldata o = orders[i];
            if (o.accountId != accountId) revert OrderPreview__WrongAccount(o.accountId, accountId);
            bool hasExpiry = PositionWord.hasExpiry(o.instrument.kindOf());
            bool isDead = o.expiryTs < block.timestamp || o.transferCount != transferCount
                || EXCHANGE.isCancelled(o.signer, o.nonce)
                || (hasExpiry && o.instrument.expiryOf() <= block.timestamp);
            bytes32 digest = EXCHANGE.hashOf(o);
            if (!isDead && !_isShutOut(o, digest)) remainingWad[i] = o.quantityWad - EXCHANGE.filledOf(digest);
        }
    }

    /// @dev Whether another exclusive order of its nonce has filled.
    function _isShutOut(IExchange.Order calldata order, bytes32 digest) private view returns (bool) {
        if (!order.exclusive) return false;
        bytes32 first = EXCHANGE.exclusiveOf(order.signer, order.nonce);
        return first != bytes32(0) && first != digest;
    }

    /// @dev The underlyings of orders that can fill, each once.
    function _underlyings(IExchange.Order[] calldata orders, uint256[] memory remainingWad, int256 excessWad)
        private
        pure
        returns (WorstFill[] memory found)
    {
        WorstFill[] memory all = new WorstFill[](orders.length);
        uint256 count;
        for (uint256 i; i < orders.length; ++i) {
            uint8 id = uint8(orders[i].instrument.underlyingOf());
            uint256 j;
            while (j < count && all[j].underlyingId != id) ++j;
            if (remainingWad[i] != 0 && j == count) all[count++] = WorstFill(id, Fill.NONE, excessWad);
        }
        found = new WorstFill[](count);
        for (uint256 i; i < count; ++i) {
            found[i] = all[i];
        }
    }

    /// @dev The account after the fills, as the ledger would book them.
    function _filled(
        uint256 accountId,
        IExchange.Order[] calldata orders,
        uint256[] memory remainingWad,
        WorstFill[] memory fills
    ) private view returns (IAccounts.Snapshot memory) {
        IMarginEngine.Changes memory c;
        c.mode = KEEP_MODE;
        uint256[] memory words = new uint256[](orders.length);
        uint256 count;
        for (uint256 i; i < orders.length; ++i) {
            if (remainingWad[i] == 0 || !_fills(orders[i], fills)) continue;
            int256 quantityWad = orders[i].isBuy ? int256(remainingWad[i]) : -int256(remainingWad[i]);
            (uint256 word, int256 cashWad) = _changeOf(orders[i], quantityWad);
            words[count++] = word;
            c.cashDeltaWad += cashWad;
        }
        c.positions = new uint256[](count);
        for (uint256 i; i < count; ++i) {
            c.positions[i] = words[i];
        }
        return SnapshotMath.applied(ACCOUNTS.snapshotOf(accountId), c);
    }

    function _fills(IExchange.Order calldata order, WorstFill[] memory fills) private pure returns (bool) {
        for (uint256 i; i < fills.length; ++i) {
            if (fills[i].underlyingId != order.instrument.underlyingOf()) continue;
            Fill fill = fills[i].fill;
            return fill == Fill.ALL || fill == (order.isBuy ? Fill.BUYS : Fill.SELLS);
        }
        return false;
    }

    /// @dev At the limit price; of a linear instrument at the last whole step within it.
    function _changeOf(IExchange.Order calldata order, int256 quantityWad)
        private
        pure
        returns (uint256 word, int256 cashWad)
    {
        uint256 instrument = order.instrument;
        int256 priceWad = int256(order.priceWad < MAX_PRICE_WAD ? order.priceWad : MAX_PRICE_WAD);
        int256 priceE8 = instrument.priceE8Of();
        if (instrument.isOption()) cashWad = -WadMath.mulWadUp(quantityWad, priceWad);
        else if (order.isBuy) priceE8 = priceWad / Units.E8_TO_WAD;
        else priceE8 = WadMath.divUp(priceWad, Units.E8_TO_WAD);
        word = PositionWord.pack(
            instrument.underlyingOf(), instrument.kindOf(), instrument.expiryOf(), priceE8, quantityWad
        );
    }

    function _excess(IMarginEngine.MarginState memory m) private pure returns (int256) {
        return m.equityWad - int256(m.initialWad);
    }
}
