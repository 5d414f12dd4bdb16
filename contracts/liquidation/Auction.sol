// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IAuction} from "../../interfaces/IAuction.sol";
import {IInsuranceFund} from "../../interfaces/IInsuranceFund.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {ExpiringPause} from "../access/ExpiringPause.sol";
import {AuctionMath} from "../libraries/AuctionMath.sol";

/// @title Auction
/// @notice See IAuction.
contract Auction is IAuction, ExpiringPause, ReentrancyGuardTransient {
    uint256 private constant WAD = 1e18;
    uint256 private constant FUND = 1;
    /// @dev More than all rounding of one slice: 128 quantities cut to a wei, at prices up to 1e12.
    int256 private constant ROUNDING_WAD = 1e15;

    IAccounts private immutable ACCOUNTS;
    IMarginEngine private immutable MARGIN;
    IScenarioBook private immutable BOOK;
    IInsuranceFund private immutable INSURANCE;

    /// @inheritdoc IAuction
    mapping(uint256 accountId => uint40) public override marginCallTsOf;
    /// @inheritdoc IAuction
    IMarginEngine public override priorMargin;

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
        _requireLiquidatable(m);
        if (m.marketEquityWad >= 0) _requireNoGrace(accountId);
        auction.isOpen = true;
        emit AuctionStarted(accountId, m.equityWad, m.maintenanceWad, m.marketEquityWad >= 0);
        _setClocks(accountId, auction, m);
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
        _setClocks(accountId, auction, m);
        quote = _quote(auction, m, accountId, maxFractionWad);
        IMarginEngine.MarginState memory after_ = _afterSlice(m, quote, int256(auction.reserveWad));
        if (quote.isSolvent != expectSolvent) revert Auction__WrongBranch(quote.isSolvent, expectSolvent);
        ACCOUNTS.transferSlice(accountId, bidderId, quote.fractionWad, auction.reserveWad);
        if (quote.isSolvent) _collect(auction, accountId, bidderId, quote, limitWad);
        else _pay(auction, accountId, bidderId, quote, limitWad);
        emit BidFilled(
            accountId, bidderId, quote.isSolvent, quote.fractionWad, quote.priceWad, quote.cashWad, quote.feeWad
        );
        _requireInitial(bidderId);
        _finish(accountId, m, after_, quote.isSolvent);
    }

    /// @inheritdoc IAuction
    function touch(uint256 accountId) external override whenNotPaused nonReentrant {
        State storage auction = _auction[accountId];
        if (!auction.isOpen) revert Auction__NotOpen(accountId);
        _setClocks(accountId, auction, MARGIN.marginOf(accountId));
    }

    /// @inheritdoc IAuction
    function end(uint256 accountId) external override nonReentrant {
        State storage auction = _auction[accountId];
        if (!auction.isOpen) revert Auction__NotOpen(accountId);
        IMarginEngine.MarginState memory m = MARGIN.marginOf(accountId);
        uint256 neededWad = FixedPointMathLib.min(m.initialWad, _targetOf(m));
        if (m.equityWad < int256(neededWad)) revert Auction__NotRecovered(m.equityWad, neededWad);
        _close(accountId, m);
    }

    /// @inheritdoc IAuction
    function writeOff(uint256 accountId) external override whenNotPaused nonReentrant {
        IAccounts.Snapshot memory s = ACCOUNTS.snapshotOf(accountId);
        uint256 held = s.positions.length + s.tokenIds.length;
        if (held != 0 || s.cashWad >= 0) revert Auction__NotPureDebt(held, s.cashWad);
        _cover(accountId, accountId, 0, uint256(-s.cashWad));
        delete _auction[accountId];
        emit AuctionEnded(accountId, 0, 0);
    }

    /// @inheritdoc IAuction
    function setPriorMargin(IMarginEngine engine) external override restricted {
        emit PriorMarginSet(address(priorMargin), address(engine));
        priorMargin = engine;
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
        if (!auction.isOpen) {
            _requireLiquidatable(m);
            if (m.marketEquityWad >= 0) _requireNoGrace(accountId);
            auction.isOpen = true;
        }
        (auction.solventTs, auction.insolventTs) = _clocks(auction, m);
        quote = _quote(auction, m, accountId, maxFractionWad);
    }

    /// @inheritdoc IAuction
    function callMargin(uint256 accountId) external override {
        IMarginEngine.MarginState memory m = MARGIN.marginOf(accountId);
        bool isShort = m.equityWad < int256(m.initialWad);
        uint40 sinceTs = marginCallTsOf[accountId];
        if (isShort == (sinceTs != 0)) revert Auction__CallUnchanged(m.equityWad, m.initialWad);
        marginCallTsOf[accountId] = isShort ? uint40(block.timestamp) : 0;
        if (isShort) emit MarginCalled(accountId, m.equityWad, m.initialWad, m.maintenanceWad);
        else emit MarginCallMet(accountId, m.equityWad, m.initialWad, sinceTs);
    }

    /// @inheritdoc IAuction
    function auctionOf(uint256 accountId) external view override returns (State memory state) {
        state = _auction[accountId];
    }

    function _requireLiquidatable(IMarginEngine.MarginState memory m) private pure {
        if (m.equityWad >= int256(m.maintenanceWad) && m.marketEquityWad >= 0) {
            revert Auction__NotLiquidatable(m.equityWad, m.maintenanceWad);
        }
    }

    /// @dev A change of parameters alone liquidates nobody before its grace is over: until then an account must be
    /// short without the change as well. Insolvency does not depend on parameters and knows no grace.
    function _requireNoGrace(uint256 accountId) private view {
        uint256 endTs = BOOK.graceEndTs();
        if (block.timestamp >= endTs || address(priorMargin) == address(0)) return;
        IMarginEngine.MarginState memory m = priorMargin.marginOf(accountId);
        if (m.equityWad >= int256(m.maintenanceWad)) revert Auction__InGrace(block.timestamp, endTs);
    }

    /// @dev Strict: a bidder short of margin may not take more risk, even at a gain.
    function _requireInitial(uint256 bidderId) private view {
        IMarginEngine.MarginState memory m = MARGIN.marginOf(bidderId);
        if (m.equityWad < int256(m.initialWad)) revert Auction__BidderBelowInitial(m.equityWad, m.initialWad);
    }

    function _setClocks(uint256 accountId, State storage auction, IMarginEngine.MarginState memory m) private {
        (uint40 solventTs, uint40 insolventTs) = _clocks(auction, m);
        if (solventTs == auction.solventTs && insolventTs == auction.insolventTs) return;
        (auction.solventTs, auction.insolventTs) = (solventTs, insolventTs);
        emit ClocksSet(accountId, solventTs, insolventTs);
    }

    /// @dev A branch's clock starts when the branch is first seen and goes on while prices swing between the branches.
    /// An account above maintenance has nothing to sell cheaply: there the price path starts afresh.
    function _clocks(State memory auction, IMarginEngine.MarginState memory m)
        private
        view
        returns (uint40 solventTs, uint40 insolventTs)
    {
        (solventTs, insolventTs) = (auction.solventTs, auction.insolventTs);
        bool isSolvent = m.marketEquityWad >= int256(auction.reserveWad);
        if (isSolvent && m.equityWad >= int256(m.maintenanceWad)) return (uint40(block.timestamp), 0);
        if (isSolvent && solventTs == 0) solventTs = uint40(block.timestamp);
        if (!isSolvent && insolventTs == 0) insolventTs = uint40(block.timestamp);
    }

    /// @dev Equity at which the buffer is restored: (1 + b)*M, rounded up.
    function _targetOf(IMarginEngine.MarginState memory m) private view returns (uint256) {
        return FixedPointMathLib.mulWadUp(m.maintenanceWad, WAD + BOOK.accountParams().bufferWad);
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
            // As long as the reserve covers what is owed, nobody else pays for it.
            if (m.marketEquityWad >= 0 && payWad > auction.reserveWad) payWad = auction.reserveWad;
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
        // What a whole slice takes out of the equity: E - V less the proceeds d*A.
        int256 costWad = m.equityWad - int256(auction.reserveWad)
            - int256(FixedPointMathLib.mulWad(valueWad, q.priceWad));
        // Above maintenance a slice may cost more than the requirement it takes along: then there is nothing to take.
        if (costWad <= int256(m.maintenanceWad)) {
            q.fractionWad = AuctionMath.restoringFraction(targetWad, m.equityWad, costWad);
        }
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

    function _pay(State storage auction, uint256 accountId, uint256 bidderId, Quote memory quote, uint256 limitWad)
        private
    {
        if (quote.cashWad < limitWad) revert Auction__LimitMissed(quote.cashWad, limitWad);
        uint256 fromReserveWad = auction.reserveWad < quote.cashWad ? auction.reserveWad : quote.cashWad;
        if (fromReserveWad != 0) {
            auction.reserveWad -= fromReserveWad;
            ACCOUNTS.moveCash(accountId, bidderId, fromReserveWad);
        }
        _cover(accountId, bidderId, fromReserveWad, quote.cashWad - fromReserveWad);
    }

    /// @dev What the reserve left open comes from the fund, then from everybody with positive cash.
    function _cover(uint256 accountId, uint256 toId, uint256 fromReserveWad, uint256 openWad) private {
        uint256 fromFundWad = openWad == 0 ? 0 : INSURANCE.draw(toId, accountId, openWad);
        uint256 leftWad = openWad - fromFundWad;
        emit LossCovered(accountId, fromReserveWad, fromFundWad, leftWad);
        if (leftWad != 0) ACCOUNTS.socialise(toId, leftWad);
    }

    /// @dev A liquidation never lowers E - M; the auction ends as soon as the buffer is restored. Where the slice
    /// itself says by how much it rises, and that is more than all rounding, the account is not margined again.
    function _finish(
        uint256 accountId,
        IMarginEngine.MarginState memory was,
        IMarginEngine.MarginState memory m,
        bool isSolvent
    ) private {
        int256 excessBefore = was.equityWad - int256(was.maintenanceWad);
        int256 excessAfter = m.equityWad - int256(m.maintenanceWad);
        if (!isSolvent || excessAfter - excessBefore < ROUNDING_WAD || _isConcentrated(was)) {
            m = MARGIN.marginOf(accountId);
            excessAfter = m.equityWad - int256(m.maintenanceWad);
        }
        if (excessAfter < excessBefore) revert Auction__HarmfulBid(excessBefore, excessAfter);
        if (m.equityWad >= int256(_targetOf(m))) _close(accountId, m);
    }

    /// @dev A solvent slice takes f*(E - V) of equity and f*M of requirement along and leaves its price: every term of
    /// equity and requirement but concentration is proportional to size.
    function _afterSlice(IMarginEngine.MarginState memory m, Quote memory quote, int256 reserveWad)
        private
        pure
        returns (IMarginEngine.MarginState memory after_)
    {
        int256 outsideWad = FixedPointMathLib.sMulWad(m.equityWad - reserveWad, int256(quote.fractionWad));
        after_.equityWad = m.equityWad - outsideWad + int256(quote.cashWad);
        after_.maintenanceWad = FixedPointMathLib.mulWad(m.maintenanceWad, WAD - quote.fractionWad);
    }

    /// @dev Concentration falls faster than size, which in CROSS may weigh on the offsets of others.
    function _isConcentrated(IMarginEngine.MarginState memory m) private pure returns (bool found) {
        for (uint256 i; i < m.underlyings.length; ++i) {
            if (m.underlyings[i].concentrationWad != 0) found = true;
        }
    }

    function _close(uint256 accountId, IMarginEngine.MarginState memory m) private {
        delete _auction[accountId];
        emit AuctionEnded(accountId, m.equityWad, m.maintenanceWad);
    }
}
