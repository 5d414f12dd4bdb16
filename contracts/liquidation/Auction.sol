// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IAuction} from "../../interfaces/IAuction.sol";
import {IInsuranceFund} from "../../interfaces/IInsuranceFund.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {AuctionMath} from "../libraries/AuctionMath.sol";

/// @title Auction
/// @notice See IAuction.
contract Auction is IAuction, AccessManaged, Pausable, ReentrancyGuardTransient {
    uint256 private constant WAD = 1e18;
    uint256 private constant FUND = 1;

    IAccounts private immutable ACCOUNTS;
    IMarginEngine private immutable MARGIN;
    IScenarioBook private immutable BOOK;
    IInsuranceFund private immutable INSURANCE;

    mapping(uint256 accountId => State) private _auction;

    constructor(
        address authority,
        IAccounts accounts,
        IMarginEngine marginEngine,
        IScenarioBook book,
        IInsuranceFund fund
    ) AccessManaged(authority) {
        ACCOUNTS = accounts;
        MARGIN = marginEngine;
        BOOK = book;
        INSURANCE = fund;
    }

    /// @inheritdoc IAuction
    function start(uint256 accountId) external override whenNotPaused nonReentrant {
        State storage auction = _auction[accountId];
        if (auction.isOpen) revert Auction__AlreadyOpen(accountId);
        IMarginEngine.MarginState memory m = MARGIN.marginOf(accountId);
        if (m.equityWad >= int256(m.maintenanceWad) && m.marketEquityWad >= 0) {
            revert Auction__NotLiquidatable(m.equityWad, m.maintenanceWad);
        }
        bool solvent = m.marketEquityWad >= 0;
        auction.isOpen = true;
        _touchClock(auction, solvent);
        emit AuctionStarted(accountId, m.equityWad, m.maintenanceWad, solvent);
    }

    /// @inheritdoc IAuction
    function bid(uint256 accountId, uint256 bidderId, uint256 maxFractionWad, bool expectSolvent, uint256 limitWad)
        external
        override
        whenNotPaused
        nonReentrant
        returns (Quote memory quote)
    {
        if (!ACCOUNTS.isAuthorised(bidderId, msg.sender)) revert Auction__NotBidder(msg.sender, bidderId);
        State storage auction = _auction[accountId];
        IMarginEngine.MarginState memory m = MARGIN.marginOf(accountId);
        _touchClock(auction, m.marketEquityWad >= int256(auction.reserveWad));
        quote = _quote(auction, m, accountId, maxFractionWad);
        if (quote.isSolvent != expectSolvent) revert Auction__WrongBranch(quote.isSolvent, expectSolvent);
        ACCOUNTS.transferSlice(accountId, bidderId, quote.fractionWad, auction.reserveWad);
        if (quote.isSolvent) _collect(auction, accountId, bidderId, quote, limitWad);
        else _pay(auction, accountId, bidderId, quote, limitWad);
        emit BidFilled(
            accountId, bidderId, quote.isSolvent, quote.fractionWad, quote.priceWad, quote.cashWad, quote.feeWad
        );
        _requireInitial(bidderId);
        _finish(accountId, m);
    }

    /// @inheritdoc IAuction
    function touch(uint256 accountId) external override whenNotPaused nonReentrant {
        State storage auction = _auction[accountId];
        if (!auction.isOpen) revert Auction__NotOpen(accountId);
        bool solvent = MARGIN.marginOf(accountId).marketEquityWad >= int256(auction.reserveWad);
        _touchClock(auction, solvent);
        emit BranchSeen(accountId, solvent, solvent ? auction.solventTs : auction.insolventTs);
    }

    /// @inheritdoc IAuction
    function end(uint256 accountId) external override nonReentrant {
        State storage auction = _auction[accountId];
        if (!auction.isOpen) revert Auction__NotOpen(accountId);
        IMarginEngine.MarginState memory m = MARGIN.marginOf(accountId);
        if (m.equityWad < int256(m.initialWad)) revert Auction__NotRecovered(m.equityWad, m.initialWad);
        _close(accountId, m);
    }

    /// @notice Stops new auctions and bids.
    function pause() external restricted {
        _pause();
    }

    /// @notice Lets them in again.
    function unpause() external restricted {
        _unpause();
    }

    /// @inheritdoc IAuction
    function previewBid(uint256 accountId, uint256 maxFractionWad)
        external
        view
        override
        returns (Quote memory quote)
    {
        State memory auction = _auction[accountId];
        IMarginEngine.MarginState memory m = MARGIN.marginOf(accountId);
        if (auction.solventTs == 0) auction.solventTs = uint40(block.timestamp);
        if (auction.insolventTs == 0) auction.insolventTs = uint40(block.timestamp);
        quote = _quote(auction, m, accountId, maxFractionWad);
    }

    /// @inheritdoc IAuction
    function auctionOf(uint256 accountId) external view override returns (State memory state) {
        state = _auction[accountId];
    }

    /// @dev Strict: a bidder short of margin may not take more risk, even at a gain.
    function _requireInitial(uint256 bidderId) private view {
        IMarginEngine.MarginState memory m = MARGIN.marginOf(bidderId);
        if (m.equityWad < int256(m.initialWad)) revert Auction__BidderBelowInitial(m.equityWad, m.initialWad);
    }

    /// @dev A branch's clock starts when the branch is first seen and goes on if prices swing back and forth.
    function _touchClock(State storage auction, bool solvent) private {
        if (solvent && auction.solventTs == 0) auction.solventTs = uint40(block.timestamp);
        if (!solvent && auction.insolventTs == 0) auction.insolventTs = uint40(block.timestamp);
    }

    function _quote(
        State memory auction,
        IMarginEngine.MarginState memory m,
        uint256 accountId,
        uint256 maxFractionWad
    ) private view returns (Quote memory q) {
        if (!auction.isOpen) revert Auction__NotOpen(accountId);
        // A: market value of everything but the reserve. Where it is negative nobody would pay for a slice, even
        // if the reserve still covers it: the bidder is paid, from the reserve first.
        int256 marketWad = m.marketEquityWad - int256(auction.reserveWad);
        q.isSolvent = marketWad >= 0;
        if (!q.isSolvent) {
            q.fractionWad = maxFractionWad < WAD ? maxFractionWad : WAD;
            uint256 payWad =
                AuctionMath.insolventPay(marketWad, m.maintenanceWad, block.timestamp - auction.insolventTs);
            q.cashWad = FixedPointMathLib.mulWad(payWad, q.fractionWad);
        } else {
            _quoteSolvent(auction, m, marketWad, maxFractionWad, q);
        }
        if (q.fractionWad == 0) revert Auction__NothingToTake(0, 1);
    }

    function _quoteSolvent(
        State memory auction,
        IMarginEngine.MarginState memory m,
        int256 marketWad,
        uint256 maxFractionWad,
        Quote memory q
    ) private view {
        IScenarioBook.AccountParams memory p = BOOK.accountParams();
        q.priceWad = AuctionMath.priceFactor(block.timestamp - auction.solventTs);
        uint256 valueWad = uint256(marketWad);
        int256 targetWad = int256(FixedPointMathLib.mulWadUp(m.maintenanceWad, WAD + p.bufferWad));
        q.fractionWad = AuctionMath.restoringFraction(
            targetWad,
            m.equityWad,
            int256(auction.reserveWad),
            int256(FixedPointMathLib.mulWad(valueWad, q.priceWad))
        );
        if (q.fractionWad != 0 && valueWad < p.dustWad) q.fractionWad = WAD;
        if (q.fractionWad > maxFractionWad) q.fractionWad = maxFractionWad;
        uint256 takenWad = FixedPointMathLib.mulWadUp(valueWad, q.fractionWad);
        q.cashWad = FixedPointMathLib.mulWadUp(takenWad, q.priceWad);
        q.feeWad = AuctionMath.fee(takenWad, q.priceWad, p.feeRateWad);
    }

    function _collect(
        State storage auction,
        uint256 accountId,
        uint256 bidderId,
        Quote memory quote,
        uint256 limitWad
    ) private {
        uint256 totalWad = quote.cashWad + quote.feeWad;
        if (totalWad > limitWad) revert Auction__LimitMissed(totalWad, limitWad);
        auction.reserveWad += quote.cashWad;
        if (quote.cashWad != 0) ACCOUNTS.moveCash(bidderId, accountId, quote.cashWad);
        if (quote.feeWad != 0) ACCOUNTS.moveCash(bidderId, FUND, quote.feeWad);
    }

    /// @dev The reserve pays first, then the fund, then everybody with positive cash.
    function _pay(State storage auction, uint256 accountId, uint256 bidderId, Quote memory quote, uint256 limitWad)
        private
    {
        if (quote.cashWad < limitWad) revert Auction__LimitMissed(quote.cashWad, limitWad);
        uint256 fromReserveWad = auction.reserveWad < quote.cashWad ? auction.reserveWad : quote.cashWad;
        if (fromReserveWad != 0) {
            auction.reserveWad -= fromReserveWad;
            ACCOUNTS.moveCash(accountId, bidderId, fromReserveWad);
        }
        uint256 leftWad = quote.cashWad - fromReserveWad;
        uint256 fromFundWad = leftWad == 0 ? 0 : INSURANCE.draw(bidderId, accountId, leftWad);
        leftWad -= fromFundWad;
        if (leftWad != 0) ACCOUNTS.socialise(bidderId, leftWad);
        emit LossCovered(accountId, fromReserveWad, fromFundWad, leftWad);
    }

    /// @dev A liquidation never lowers E - M; the auction ends as soon as the buffer is restored.
    function _finish(uint256 accountId, IMarginEngine.MarginState memory was) private {
        IMarginEngine.MarginState memory m = MARGIN.marginOf(accountId);
        int256 excessBefore = was.equityWad - int256(was.maintenanceWad);
        int256 excessAfter = m.equityWad - int256(m.maintenanceWad);
        if (excessAfter < excessBefore) revert Auction__HarmfulBid(excessBefore, excessAfter);
        uint256 targetWad = FixedPointMathLib.mulWadUp(m.maintenanceWad, WAD + BOOK.accountParams().bufferWad);
        if (m.equityWad >= int256(targetWad)) _close(accountId, m);
    }

    function _close(uint256 accountId, IMarginEngine.MarginState memory m) private {
        delete _auction[accountId];
        emit AuctionEnded(accountId, m.equityWad, m.maintenanceWad);
    }
}
