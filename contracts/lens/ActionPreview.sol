// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IActionPreview} from "../../interfaces/IActionPreview.sol";
import {IAuction} from "../../interfaces/IAuction.sol";
import {IExpiringPause} from "../../interfaces/IExpiringPause.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IVault} from "../../interfaces/IVault.sol";
import {MarginMath} from "../libraries/MarginMath.sol";
import {PositionWord} from "../libraries/PositionWord.sol";
import {SnapshotMath} from "../libraries/SnapshotMath.sol";
import {Units} from "../libraries/Units.sol";
import {WadMath} from "../libraries/WadMath.sol";

/// @title ActionPreview
/// @notice See IActionPreview.
/// @dev Repeats the order in which auction and ledger book a bid, so that every rounding falls the same way.
contract ActionPreview is IActionPreview {
    using PositionWord for uint256;

    uint8 private constant KEEP_MODE = type(uint8).max;
    uint256 private constant CASH = 0;
    uint256 private constant WAD_DECIMALS = 18;

    IAccounts private immutable ACCOUNTS;
    IMarginEngine private immutable MARGIN_ENGINE;
    IAuction private immutable AUCTION;
    IVault private immutable VAULT;

    /// @dev Cash of a bid on its way through the two accounts.
    struct Cash {
        int256 accountWad;
        int256 bidderWad;
    }

    constructor(IAccounts accounts, IMarginEngine marginEngine, IAuction auction, IVault vault) {
        ACCOUNTS = accounts;
        MARGIN_ENGINE = marginEngine;
        AUCTION = auction;
        VAULT = vault;
    }

    /// @inheritdoc IActionPreview
    function previewLiquidation(uint256 accountId, uint256 bidderId, uint256 maxFractionWad)
        external
        view
        override
        returns (Liquidation memory result)
    {
        if (accountId == bidderId) revert ActionPreview__SelfBid(accountId);
        IAuction.Quote memory q = AUCTION.previewBid(accountId, maxFractionWad);
        IAccounts.Snapshot memory account = ACCOUNTS.snapshotOf(accountId);
        IAccounts.Snapshot memory bidder = ACCOUNTS.snapshotOf(bidderId);
        result.quote = q;
        result.accountBefore = MARGIN_ENGINE.evaluate(account);
        result.bidderBefore = MARGIN_ENGINE.evaluateOwn(bidder);
        uint256 reserveWad = AUCTION.auctionOf(accountId).reserveWad;
        (int256 accountWad, int256 bidderWad) = (account.cashWad, bidder.cashWad);
        (IMarginEngine.Changes memory taken, IMarginEngine.Changes memory given) =
            _slice(account, q.fractionWad, reserveWad);
        account = SnapshotMath.applied(account, given);
        bidder = SnapshotMath.applied(bidder, taken);
        Cash memory c;
        (c.accountWad, c.bidderWad) = (account.cashWad, bidder.cashWad);
        if (q.isSolvent) _collect(c, q);
        else _pay(c, q, accountWad, bidderWad);
        (account.cashWad, bidder.cashWad) = (c.accountWad, c.bidderWad);
        result.accountAfter = MARGIN_ENGINE.evaluate(account);
        result.bidderAfter = MARGIN_ENGINE.evaluateOwn(bidder);
        _fillUp(result, accountId, bidderId);
        result.socialisedWad = q.socialisedWad;
        result.profitWad = result.bidderAfter.marketEquityWad - result.bidderBefore.marketEquityWad;
        result.isAllowed = result.bidderAfter.equityWad >= int256(result.bidderAfter.initialWad);
    }

    /// @inheritdoc IActionPreview
    function maxWithdraw(uint256 accountId, address token) external view override returns (uint256 amountRaw) {
        uint256 tokenId = VAULT.tokenIdOf(token);
        IVault.Token memory listed = VAULT.tokenOf(tokenId);
        IAccounts.Snapshot memory s = ACCOUNTS.snapshotOf(accountId);
        bool isIdleCash = tokenId == CASH && s.positions.length == 0;
        if (!isIdleCash && IExpiringPause(address(VAULT)).paused()) return 0;
        uint256 wadPerRaw = 10 ** (WAD_DECIMALS - listed.decimals);
        (uint256 at, uint256 heldWad) = _held(s, tokenId);
        amountRaw = FixedPointMathLib.min(heldWad / wadPerRaw, VAULT.limitOf(accountId, tokenId));
        if (amountRaw == 0 || (s.positions.length == 0 && s.cashWad >= 0)) return amountRaw;
        (uint256 creditWad,) = MARGIN_ENGINE.backingOf(accountId);
        amountRaw = _largest(s, creditWad, at, heldWad, wadPerRaw, amountRaw);
    }

    /// @dev What guarantee lines add to the four states. A draw takes the same share of every line; where a loss is
    /// shared by all, it has taken the account's lines whole.
    function _fillUp(Liquidation memory result, uint256 accountId, uint256 bidderId) private view {
        (uint256 creditWad, uint256 reservesWad) = MARGIN_ENGINE.backingOf(accountId);
        MarginMath.fillUp(result.accountBefore, creditWad);
        if (reservesWad != 0) {
            uint256 leftWad = reservesWad - result.quote.fromSponsorsWad;
            MarginMath.fillUp(result.accountAfter, FixedPointMathLib.fullMulDiv(creditWad, leftWad, reservesWad));
        }
        (creditWad,) = MARGIN_ENGINE.backingOf(bidderId);
        MarginMath.fillUp(result.bidderBefore, creditWad);
        MarginMath.fillUp(result.bidderAfter, creditWad);
    }

    /// @dev Largest amount that leaves the initial margin. What is left of equity above it is concave in the amount, so
    /// the chord never overshoots; the point beside it and the middle bring the other end in.
    function _largest(
        IAccounts.Snapshot memory s,
        uint256 creditWad,
        uint256 at,
        uint256 heldWad,
        uint256 wadPerRaw,
        uint256 hi
    ) private view returns (uint256 lo) {
        int256 excessHi = _excessAfter(s, creditWad, at, heldWad, hi * wadPerRaw);
        if (excessHi >= 0) return hi;
        int256 excessLo = _excessAfter(s, creditWad, at, heldWad, 0);
        if (excessLo < 0) return 0;
        uint256[3] memory tried;
        while (hi - lo > 1) {
            uint256 chord = FixedPointMathLib.fullMulDiv(hi - lo, uint256(excessLo), uint256(excessLo - excessHi));
            tried = [lo + chord, lo + chord + 1, lo + (hi - lo) / 2];
            for (uint256 i; i < 3; ++i) {
                if (tried[i] <= lo || tried[i] >= hi) continue;
                int256 excessWad = _excessAfter(s, creditWad, at, heldWad, tried[i] * wadPerRaw);
                if (excessWad >= 0) (lo, excessLo) = (tried[i], excessWad);
                else (hi, excessHi) = (tried[i], excessWad);
            }
        }
    }

    /// @dev Equity and credit of lines less initial margin after a withdrawal; `at` is the place of the token, or past
    /// the end for cash.
    function _excessAfter(
        IAccounts.Snapshot memory s,
        uint256 creditWad,
        uint256 at,
        uint256 heldWad,
        uint256 amountWad
    ) private view returns (int256) {
        if (at < s.tokenIds.length) s.amountsWad[at] = heldWad - amountWad;
        else s.cashWad = int256(heldWad - amountWad) - int256(VAULT.lossShareOf(amountWad));
        IMarginEngine.MarginState memory m = MARGIN_ENGINE.evaluateOwn(s);
        return m.equityWad + int256(creditWad) - int256(m.initialWad);
    }

    /// @dev What the slice adds to the bidder, and what it takes from the account, each at its own entry price.
    function _slice(IAccounts.Snapshot memory s, uint256 fractionWad, uint256 reserveWad)
        private
        pure
        returns (IMarginEngine.Changes memory taken, IMarginEngine.Changes memory given)
    {
        (taken.mode, given.mode) = (KEEP_MODE, KEEP_MODE);
        taken.cashDeltaWad = WadMath.mulWadDown(s.cashWad - int256(reserveWad), int256(fractionWad));
        given.cashDeltaWad = -taken.cashDeltaWad;
        (taken.tokenIds, given.tokenIds) = (s.tokenIds, s.tokenIds);
        taken.amountDeltasWad = new int256[](s.tokenIds.length);
        given.amountDeltasWad = new int256[](s.tokenIds.length);
        for (uint256 i; i < s.tokenIds.length; ++i) {
            int256 partWad = int256(s.amountsWad[i] * fractionWad / Units.UWAD);
            (taken.amountDeltasWad[i], given.amountDeltasWad[i]) = (partWad, -partWad);
        }
        uint256 n = s.positions.length;
        (taken.positions, given.positions) = (new uint256[](n), new uint256[](n));
        uint256 count;
        // Backwards, as the ledger does.
        for (uint256 i = n; i > 0; --i) {
            int256 partWad = s.positions[i - 1].quantityOf() * int256(fractionWad) / Units.WAD;
            if (partWad == 0) continue;
            taken.positions[count] = _resized(s.positions[i - 1], partWad);
            given.positions[count++] = _resized(s.positions[i - 1], -partWad);
        }
        (uint256[] memory a, uint256[] memory b) = (taken.positions, given.positions);
        assembly ("memory-safe") {
            // Shorten both to what was found; equivalent: copy the first count elements.
            mstore(a, count)
            mstore(b, count)
        }
    }

    function _collect(Cash memory c, IAuction.Quote memory q) private pure {
        c.accountWad += int256(q.cashWad);
        c.bidderWad -= int256(q.cashWad + q.feeWad);
    }

    /// @dev A socialised part comes from every positive balance, those of the two accounts included.
    function _pay(Cash memory c, IAuction.Quote memory q, int256 accountBeforeWad, int256 bidderBeforeWad)
        private
        view
    {
        c.accountWad -= int256(q.fromReserveWad);
        c.bidderWad += int256(q.fromReserveWad + q.fromSponsorsWad + q.fromFundWad);
        if (q.socialisedWad == 0) return;
        uint256 totalWad = uint256(
            int256(ACCOUNTS.positiveCashWad()) + _positive(c.accountWad) - _positive(accountBeforeWad)
                + _positive(c.bidderWad) - _positive(bidderBeforeWad) - int256(q.fromSponsorsWad + q.fromFundWad)
        );
        if (q.socialisedWad > totalWad) revert ActionPreview__LossTooLarge(q.socialisedWad, totalWad);
        uint256 wasWad = ACCOUNTS.cashIndexWad();
        uint256 indexWad = wasWad * (totalWad - q.socialisedWad) / totalWad;
        c.accountWad = _afterLoss(c.accountWad, indexWad, wasWad);
        c.bidderWad = _afterLoss(c.bidderWad, indexWad, wasWad) + int256(q.socialisedWad);
    }

    function _held(IAccounts.Snapshot memory s, uint256 tokenId) private pure returns (uint256 at, uint256 heldWad) {
        at = s.tokenIds.length;
        if (tokenId == CASH) return (at, uint256(_positive(s.cashWad)));
        for (uint256 i; i < s.tokenIds.length; ++i) {
            if (s.tokenIds[i] == tokenId) return (i, s.amountsWad[i]);
        }
    }

    function _afterLoss(int256 cashWad, uint256 indexWad, uint256 wasWad) private pure returns (int256) {
        return cashWad <= 0 ? cashWad : cashWad * int256(indexWad) / int256(wasWad);
    }

    function _resized(uint256 word, int256 quantityWad) private pure returns (uint256) {
        return (word >> 128 << 128) | uint128(int128(quantityWad));
    }

    function _positive(int256 valueWad) private pure returns (int256) {
        return valueWad > 0 ? valueWad : int256(0);
    }
}
