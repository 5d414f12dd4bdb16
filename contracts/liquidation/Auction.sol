// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IAuction} from "../../interfaces/IAuction.sol";
import {IGuarantees} from "../../interfaces/IGuarantees.sol";
import {IInsuranceFund} from "../../interfaces/IInsuranceFund.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {ExpiringPause} from "../access/ExpiringPause.sol";
import {AuctionMath} from "../libraries/AuctionMath.sol";
import {Units} from "../libraries/Units.sol";

/// @title Auction
/// @notice See IAuction.
contract Auction is IAuction, ExpiringPause, ReentrancyGuardTransient {
    uint256 private constant WAD = Units.UWAD;
    uint256 private constant FUND = Units.FUND;
    /// @dev More than all rounding of one slice: 128 quantities cut to a wei, at prices up to 1e12.
    int256 private constant ROUNDING_WAD = 1e15;
    /// @dev A price path that nobody vouched for this long starts again.
    uint256 private constant VOUCH_SEC = 30 minutes;
    /// @dev Where lines cover a debt a bidder may gain this part of M: what the discount of a solvent slice is measured
    /// on at least.
    uint256 private constant LINE_PART = 4;

    IAccounts private immutable ACCOUNTS;
    IMarginEngine private immutable MARGIN;
    IScenarioBook private immutable BOOK;
    IInsuranceFund private immutable INSURANCE;
    IGuarantees private immutable GUARANTEES;

    /// @inheritdoc IAuction
    mapping(uint256 accountId => uint40) public override marginCallTsOf;
    /// @inheritdoc IAuction
    IMarginEngine public override priorMargin;

    mapping(uint256 accountId => State) private _auction;
    /// @dev Sum of `lossWad` over all auctions.
    uint256 private _lossWad;

    /// @dev What has to be known of a bidder without risk of its own before the slice to judge it after without its
    /// margin.
    struct Fresh {
        bool isFresh;
        /// @dev The account's equity but for its cash: what positions and collateral are worth after haircuts.
        int256 valueWad;
    }

    /// @dev Guarantee lines of an account under auction: what of its equity is theirs, and what they hold. A slice
    /// takes nothing of either along.
    struct Backing {
        uint256 creditWad;
        uint256 reservesWad;
    }

    constructor(
        address authority,
        IAccounts accounts,
        IMarginEngine marginEngine,
        IScenarioBook book,
        IInsuranceFund fund,
        IGuarantees guarantees
    ) AccessManaged(authority) {
        ACCOUNTS = accounts;
        MARGIN = marginEngine;
        BOOK = book;
        INSURANCE = fund;
        GUARANTEES = guarantees;
    }

    /// @inheritdoc IAuction
    function start(uint256 accountId) external override whenNotPaused nonReentrant {
        State memory auction = _auction[accountId];
        if (auction.isOpen) revert Auction__AlreadyOpen(accountId);
        IMarginEngine.MarginState memory m = MARGIN.auctionMarginOf(accountId);
        _requireLiquidatable(m);
        Backing memory backing = _backingOf(accountId);
        if (_covered(m, backing) >= 0) _requireNoGrace(accountId);
        auction.isOpen = true;
        emit AuctionStarted(accountId, m.equityWad, m.maintenanceWad, m.marketEquityWad >= 0);
        _vouch(accountId, auction, m, backing);
        _auction[accountId] = auction;
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
        State memory auction = _auction[accountId];
        if (!auction.isOpen) revert Auction__NotOpen(accountId);
        IMarginEngine.MarginState memory m = MARGIN.auctionMarginOf(accountId);
        _requireLiquidatable(m);
        Backing memory backing = _backingOf(accountId);
        _vouch(accountId, auction, m, backing);
        quote = _quote(auction, m, backing, maxFractionWad);
        if (quote.isSolvent != expectSolvent) revert Auction__WrongBranch(quote.isSolvent, expectSolvent);
        Fresh memory fresh = _freshOf(accountId, bidderId, m, backing);
        ACCOUNTS.transferSlice(accountId, bidderId, quote.fractionWad, auction.reserveWad);
        if (quote.isSolvent) _collect(accountId, bidderId, quote, limitWad);
        else _pay(accountId, bidderId, quote, limitWad);
        emit BidFilled(
            accountId, bidderId, quote.isSolvent, quote.fractionWad, quote.priceWad, quote.cashWad, quote.feeWad
        );
        _requireInitial(bidderId, fresh, m, quote.fractionWad);
        _finish(accountId, auction, quote, m, backing);
    }

    /// @inheritdoc IAuction
    function touch(uint256 accountId) external override whenNotPaused nonReentrant {
        State memory auction = _auction[accountId];
        if (!auction.isOpen) revert Auction__NotOpen(accountId);
        _vouch(accountId, auction, MARGIN.auctionMarginOf(accountId), _backingOf(accountId));
        _auction[accountId] = auction;
    }

    /// @inheritdoc IAuction
    function end(uint256 accountId) external override nonReentrant {
        if (!_auction[accountId].isOpen) revert Auction__NotOpen(accountId);
        if (_isGone(accountId)) return _close(accountId, _auction[accountId].lossWad, 0, 0);
        IMarginEngine.MarginState memory m = MARGIN.auctionMarginOf(accountId);
        uint256 neededWad = FixedPointMathLib.min(m.initialWad, _targetOf(m.maintenanceWad));
        if (m.equityWad < int256(neededWad)) revert Auction__NotRecovered(m.equityWad, neededWad);
        _close(accountId, _auction[accountId].lossWad, m.equityWad, m.maintenanceWad);
    }

    /// @inheritdoc IAuction
    function writeOff(uint256 accountId) external override whenNotPaused nonReentrant {
        IAccounts.Snapshot memory s = ACCOUNTS.snapshotOf(accountId);
        uint256 held = s.positions.length + s.tokenIds.length;
        if (held != 0 || s.cashWad >= 0) revert Auction__NotPureDebt(held, s.cashWad);
        uint256 debtWad = uint256(-s.cashWad);
        uint256 fromSponsorsWad = FixedPointMathLib.min(debtWad, _backingOf(accountId).reservesWad);
        // With lines a debt alone may be a healthy account.
        if (fromSponsorsWad != 0) _requireLiquidatable(MARGIN.auctionMarginOf(accountId));
        uint256 restWad = debtWad - fromSponsorsWad;
        uint256 fromFundWad = FixedPointMathLib.min(restWad, INSURANCE.availableWad());
        if (fromSponsorsWad != 0) GUARANTEES.draw(accountId, accountId, fromSponsorsWad);
        _cover(accountId, accountId, 0, fromFundWad, restWad - fromFundWad);
        _close(accountId, _auction[accountId].lossWad, 0, 0);
    }

    /// @inheritdoc IAuction
    function setPriorMargin(IMarginEngine engine) external override restricted {
        emit PriorMarginSet(address(priorMargin), address(engine));
        priorMargin = engine;
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
    function previewBid(uint256 accountId, uint256 maxFractionWad)
        external
        view
        override
        returns (Quote memory quote)
    {
        State memory auction = _auction[accountId];
        IMarginEngine.MarginState memory m = MARGIN.auctionMarginOf(accountId);
        _requireLiquidatable(m);
        Backing memory backing = _backingOf(accountId);
        if (!auction.isOpen && _covered(m, backing) >= 0) _requireNoGrace(accountId);
        _advance(auction, m, backing.reservesWad);
        quote = _quote(auction, m, backing, maxFractionWad);
    }

    /// @inheritdoc IAuction
    function isUnderAuction(uint256 accountId) external view override returns (bool) {
        return _auction[accountId].isOpen;
    }

    /// @inheritdoc IAuction
    function openInsolventLossWad() external view override returns (uint256 lossWad) {
        lossWad = _lossWad;
        if (lossWad != 0) lossWad = FixedPointMathLib.zeroFloorSub(lossWad, INSURANCE.availableWad());
    }

    /// @inheritdoc IAuction
    function auctionOf(uint256 accountId) external view override returns (State memory state) {
        state = _auction[accountId];
    }

    /// @dev An owner may have paid everything, left and closed the account before anybody ended its auction; the ledger
    /// refuses a snapshot for no other reason.
    function _isGone(uint256 accountId) private view returns (bool) {
        try ACCOUNTS.snapshotOf(accountId) returns (IAccounts.Snapshot memory) {
            return false;
        } catch {
            return true;
        }
    }

    function _backingOf(uint256 accountId) private view returns (Backing memory backing) {
        (backing.creditWad, backing.reservesWad) = GUARANTEES.backingOf(accountId);
    }

    /// @dev What the account is worth together with all that its lines hold.
    function _covered(IMarginEngine.MarginState memory m, Backing memory backing) private pure returns (int256) {
        return m.marketEquityWad + int256(backing.reservesWad);
    }

    /// @dev Equity outside the reserve without the lines: what a whole slice takes along. Below maintenance the whole
    /// credit is in the equity.
    function _ownOf(State memory auction, IMarginEngine.MarginState memory m, Backing memory backing)
        private
        pure
        returns (int256)
    {
        return m.equityWad - int256(backing.creditWad) - int256(uint256(auction.reserveWad));
    }

    function _requireLiquidatable(IMarginEngine.MarginState memory m) private pure {
        if (m.equityWad >= int256(m.maintenanceWad)) revert Auction__NotLiquidatable(m.equityWad, m.maintenanceWad);
    }

    /// @dev A change of parameters alone liquidates nobody before its grace is over: until then an account must be
    /// short without the change as well. Insolvency does not depend on parameters and knows no grace.
    function _requireNoGrace(uint256 accountId) private view {
        uint256 endTs = BOOK.graceEndTs();
        if (block.timestamp >= endTs || address(priorMargin) == address(0)) return;
        IMarginEngine.MarginState memory m = priorMargin.auctionMarginOf(accountId);
        if (m.equityWad >= int256(m.maintenanceWad)) revert Auction__InGrace(block.timestamp, endTs);
    }

    /// @dev Notes what was seen: the clocks and the loss that others may have to bear. The caller stores the auction.
    function _vouch(
        uint256 accountId,
        State memory auction,
        IMarginEngine.MarginState memory m,
        Backing memory backing
    ) private {
        _advance(auction, m, backing.reservesWad);
        emit ClocksSet(accountId, auction.solventTs, auction.insolventTs, auction.vouchedTs);
        _noteLoss(accountId, auction, _covered(m, backing));
    }

    /// @dev A branch's clock starts when the branch is first seen. That of the solvent branch goes on while prices
    /// swing between the branches, that of the insolvent one does not. Where the account was not below maintenance, or
    /// nobody looked for a while, both start again: a price counts only time that somebody vouched for.
    function _advance(State memory auction, IMarginEngine.MarginState memory m, uint256 reservesWad) private view {
        uint40 nowTs = uint40(block.timestamp);
        bool isShort = m.equityWad < int256(m.maintenanceWad);
        if (!isShort || nowTs - auction.vouchedTs >= VOUCH_SEC) (auction.solventTs, auction.insolventTs) = (0, 0);
        auction.vouchedTs = isShort ? nowTs : 0;
        bool isSolvent = m.marketEquityWad >= int256(uint256(auction.reserveWad));
        // Below 2**128: all positive cash is.
        uint128 ownWad = uint128(auction.reserveWad + reservesWad);
        if (isSolvent) {
            auction.insolventTs = 0;
        } else if (isShort && auction.insolventTs == 0) {
            auction.insolventTs = nowTs;
            if (ownWad > auction.creditWad) auction.creditWad = ownWad;
        }
        if (isSolvent && isShort && auction.solventTs == 0) auction.solventTs = nowTs;
        if (auction.insolventTs == 0) auction.creditWad = ownWad;
    }

    /// @dev `coveredWad`: market equity and what the lines hold.
    function _noteLoss(uint256 accountId, State memory auction, int256 coveredWad) private {
        uint256 lossWad = coveredWad < 0 ? uint256(-coveredWad) : 0;
        uint256 wasWad = auction.lossWad;
        if (lossWad == wasWad) return;
        // Below 2**128: cash and values of an account are.
        auction.lossWad = uint128(lossWad);
        _lossWad = _lossWad + lossWad - wasWad;
        emit LossNoted(accountId, lossWad, _lossWad);
    }

    /// @dev Equity at which the buffer is restored: (1 + b)*M, rounded up.
    function _targetOf(uint256 maintenanceWad) private view returns (uint256) {
        return FixedPointMathLib.mulWadUp(maintenanceWad, WAD + BOOK.accountParams().bufferWad);
    }

    /// @dev A: market value of everything but the reserve. Where it is negative nobody would pay for a slice, even if
    /// the reserve still covers it: the bidder is paid, from the reserve first.
    function _quote(
        State memory auction,
        IMarginEngine.MarginState memory m,
        Backing memory backing,
        uint256 maxFractionWad
    ) private view returns (Quote memory q) {
        int256 marketWad = m.marketEquityWad - int256(uint256(auction.reserveWad));
        q.isSolvent = marketWad >= 0;
        if (q.isSolvent) _quoteSolvent(auction, m, backing, maxFractionWad, q);
        else _quoteInsolvent(auction, m, backing.reservesWad, maxFractionWad, q);
        if (q.fractionWad == 0) revert Auction__NothingToTake(0, 1);
    }

    function _quoteSolvent(
        State memory auction,
        IMarginEngine.MarginState memory m,
        Backing memory backing,
        uint256 maxFractionWad,
        Quote memory q
    ) private view {
        IScenarioBook.AccountParams memory p = BOOK.accountParams();
        uint256 valueWad = uint256(m.marketEquityWad) - auction.reserveWad;
        q.priceWad = AuctionMath.priceFactor(block.timestamp - auction.solventTs);
        uint256 wholeWad = AuctionMath.price(valueWad, m.maintenanceWad, q.priceWad);
        int256 targetWad = int256(FixedPointMathLib.mulWadUp(m.maintenanceWad, WAD + p.bufferWad));
        // What a whole slice takes out of the equity: E - V less the price.
        int256 costWad = _ownOf(auction, m, backing) - int256(wholeWad);
        q.fractionWad =
            valueWad < p.dustWad ? WAD : AuctionMath.restoringFraction(targetWad, m.equityWad, costWad);
        q.fractionWad = FixedPointMathLib.min(q.fractionWad, maxFractionWad);
        uint256 takenWad = FixedPointMathLib.mulWadUp(valueWad, q.fractionWad);
        q.cashWad = FixedPointMathLib.mulWadUp(wholeWad, q.fractionWad);
        q.feeWad = AuctionMath.fee(takenWad, q.cashWad, p.feeRateWad);
    }

    /// @dev As long as the reserve and the account's lines cover the debt they pay, in this order, and nobody else.
    /// Otherwise reserve, lines, fund and everybody, in this order, pay the debt, and the fund alone the bonus: what is
    /// left of the account never bears the gain of a part.
    function _quoteInsolvent(
        State memory auction,
        IMarginEngine.MarginState memory m,
        uint256 reservesWad,
        uint256 maxFractionWad,
        Quote memory q
    ) private view {
        uint256 debtWad = uint256(int256(uint256(auction.reserveWad)) - m.marketEquityWad);
        uint256 ownWad = auction.reserveWad + reservesWad;
        q.fractionWad = FixedPointMathLib.min(maxFractionWad, WAD);
        uint256 wholeWad = debtWad
            + AuctionMath.bonus(
                _lossOf(auction, m.maintenanceWad, reservesWad, debtWad),
                m.maintenanceWad,
                BOOK.accountParams().bonusShareWad,
                block.timestamp - auction.insolventTs
            );
        if (debtWad <= ownWad) {
            uint256 payWad = FixedPointMathLib.mulWad(FixedPointMathLib.min(wholeWad, ownWad), q.fractionWad);
            q.fromReserveWad = FixedPointMathLib.min(auction.reserveWad, payWad);
            q.fromSponsorsWad = payWad - q.fromReserveWad;
        } else {
            uint256 owedWad = FixedPointMathLib.mulWad(debtWad, q.fractionWad);
            uint256 payWad = FixedPointMathLib.mulWad(wholeWad, q.fractionWad);
            q.fromReserveWad = FixedPointMathLib.min(auction.reserveWad, owedWad);
            q.fromSponsorsWad = FixedPointMathLib.min(reservesWad, owedWad - q.fromReserveWad);
            ownWad = q.fromReserveWad + q.fromSponsorsWad;
            q.fromFundWad = FixedPointMathLib.min(payWad - ownWad, INSURANCE.availableWad());
            q.socialisedWad = FixedPointMathLib.zeroFloorSub(owedWad, ownWad + q.fromFundWad);
        }
        q.cashWad = q.fromReserveWad + q.fromSponsorsWad + q.fromFundWad + q.socialisedWad;
    }

    /// @dev What the bonus is measured on: the debt beyond reserve and lines. Where lines cover it the bonus is theirs
    /// to pay, and large enough that somebody bids: below M, so that E - M of what is left rises.
    function _lossOf(State memory auction, uint256 maintenanceWad, uint256 reservesWad, uint256 debtWad)
        private
        pure
        returns (uint256)
    {
        uint256 ownWad = auction.reserveWad + reservesWad;
        if (reservesWad != 0 && debtWad <= ownWad) return maintenanceWad / LINE_PART;
        return FixedPointMathLib.zeroFloorSub(debtWad, FixedPointMathLib.max(ownWad, auction.creditWad));
    }

    function _collect(uint256 accountId, uint256 bidderId, Quote memory quote, uint256 limitWad) private {
        uint256 totalWad = quote.cashWad + quote.feeWad;
        if (totalWad > limitWad) revert Auction__LimitMissed(totalWad, limitWad);
        if (quote.cashWad != 0) ACCOUNTS.moveCash(bidderId, accountId, quote.cashWad);
        if (quote.feeWad != 0) ACCOUNTS.moveCash(bidderId, FUND, quote.feeWad);
    }

    function _pay(uint256 accountId, uint256 bidderId, Quote memory quote, uint256 limitWad) private {
        if (quote.cashWad < limitWad) revert Auction__LimitMissed(quote.cashWad, limitWad);
        if (quote.fromReserveWad != 0) ACCOUNTS.moveCash(accountId, bidderId, quote.fromReserveWad);
        if (quote.fromSponsorsWad != 0) GUARANTEES.draw(accountId, bidderId, quote.fromSponsorsWad);
        _cover(accountId, bidderId, quote.fromReserveWad, quote.fromFundWad, quote.socialisedWad);
    }

    /// @dev What reserve and lines left open comes from the fund, then from everybody with positive cash.
    function _cover(
        uint256 accountId,
        uint256 toId,
        uint256 fromReserveWad,
        uint256 fromFundWad,
        uint256 socialisedWad
    ) private {
        emit LossCovered(accountId, fromReserveWad, fromFundWad, socialisedWad);
        if (fromFundWad != 0) INSURANCE.draw(toId, accountId, fromFundWad);
        if (socialisedWad != 0) ACCOUNTS.socialise(toId, socialisedWad);
    }

    /// @dev A bidder of the account's mode without positions needs the same fraction of what the account needs, or
    /// less, because no part of a requirement grows more slowly than size. Tokens that are linked to nothing add to its
    /// equity, which is not counted, and to no requirement: nobody makes a bid dear by sending them. Where a token of
    /// the account is lowered in the own measure, its margin proves nothing of the bidder's.
    function _freshOf(
        uint256 accountId,
        uint256 bidderId,
        IMarginEngine.MarginState memory m,
        Backing memory backing
    ) private view returns (Fresh memory fresh) {
        IAccounts.Snapshot memory bidder = ACCOUNTS.snapshotOf(bidderId);
        if (bidder.positions.length != 0 || _holdsLinked(bidder.tokenIds)) return fresh;
        IAccounts.Snapshot memory account = ACCOUNTS.snapshotOf(accountId);
        bool isFresh = account.mode == bidder.mode
            && (account.tokenIds.length == 0 || !MARGIN.isLowered(account.tokenIds));
        fresh = Fresh(isFresh, m.equityWad - int256(backing.creditWad) - account.cashWad);
    }

    function _holdsLinked(uint256[] memory tokenIds) private view returns (bool) {
        for (uint256 i; i < tokenIds.length; ++i) {
            if (BOOK.collateralOf(tokenIds[i]).linkedUnderlying != 0) return true;
        }
        return false;
    }

    /// @dev Strict: a bidder short of margin may not take more risk, even at a gain. Where the account's own margin
    /// proves that the bidder has enough, the slice is not margined a second time.
    function _requireInitial(
        uint256 bidderId,
        Fresh memory fresh,
        IMarginEngine.MarginState memory account,
        uint256 fractionWad
    ) private view {
        if (_isProven(bidderId, fresh, account, fractionWad)) return;
        IMarginEngine.MarginState memory m = MARGIN.bidderMarginOf(bidderId);
        if (m.equityWad < int256(m.initialWad)) revert Auction__BidderBelowInitial(m.equityWad, m.initialWad);
    }

    function _isProven(
        uint256 bidderId,
        Fresh memory fresh,
        IMarginEngine.MarginState memory account,
        uint256 fractionWad
    ) private view returns (bool) {
        if (!fresh.isFresh || account.maintenanceWad == 0) return false;
        int256 cashWad = ACCOUNTS.cashOf(bidderId);
        int256 equityWad = cashWad + FixedPointMathLib.sMulWad(fresh.valueWad, int256(fractionWad));
        uint256 neededWad = FixedPointMathLib.mulWadUp(account.initialWad, fractionWad) + 2 * uint256(ROUNDING_WAD);
        if (cashWad < 0) {
            IScenarioBook.AccountParams memory p = BOOK.accountParams();
            uint256 chargeWad = FixedPointMathLib.mulWadUp(uint256(-cashWad), p.debtRateWad);
            // What of it is initial margin: no more than the account's initial margin by its requirement.
            chargeWad = FixedPointMathLib.fullMulDivUp(chargeWad, account.initialWad, account.maintenanceWad);
            neededWad += FixedPointMathLib.mulWadUp(chargeWad, p.mmFactorWad);
        }
        return equityWad >= int256(neededWad);
    }

    /// @dev Books what the bid did to the auction, which ends as soon as the buffer is restored. Below maintenance a
    /// slice takes along at least f*M of requirement and less of equity, so that E - M of what is left rises; the
    /// account is not margined again.
    function _finish(
        uint256 accountId,
        State memory auction,
        Quote memory quote,
        IMarginEngine.MarginState memory m,
        Backing memory backing
    ) private {
        int256 fractionWad = int256(quote.fractionWad);
        int256 reserveWad = int256(uint256(auction.reserveWad));
        int256 paidWad = quote.isSolvent ? int256(quote.cashWad) : -int256(quote.fromReserveWad);
        int256 equityWad =
            m.equityWad - FixedPointMathLib.sMulWad(_ownOf(auction, m, backing), fractionWad) + paidWad;
        // A draw, or a loss that all share, has left less in the lines.
        if (backing.reservesWad != 0) {
            equityWad -= int256(backing.creditWad);
            backing = _backingOf(accountId);
            equityWad += int256(backing.creditWad);
        }
        uint256 maintenanceWad = FixedPointMathLib.mulWad(m.maintenanceWad, WAD - quote.fractionWad);
        if (equityWad + ROUNDING_WAD >= int256(_targetOf(maintenanceWad))) {
            _close(accountId, auction.lossWad, equityWad, maintenanceWad);
            return;
        }
        _changeReserve(auction, quote, backing.reservesWad);
        int256 takenWad = FixedPointMathLib.sMulWad(m.marketEquityWad - reserveWad, fractionWad);
        _noteLoss(accountId, auction, _covered(m, backing) - takenWad + paidWad);
        _auction[accountId] = auction;
    }

    /// @dev `reservesWad`: what the lines hold after the bid.
    function _changeReserve(State memory auction, Quote memory quote, uint256 reservesWad) private pure {
        if (quote.isSolvent) {
            // Below 2**128: all cash is.
            auction.reserveWad += uint128(quote.cashWad);
            auction.creditWad = uint128(auction.reserveWad + reservesWad);
            return;
        }
        auction.reserveWad -= uint128(quote.fromReserveWad);
        uint256 shareWad = FixedPointMathLib.mulWad(auction.creditWad, quote.fractionWad);
        uint256 ownWad = auction.reserveWad + reservesWad;
        auction.creditWad = uint128(FixedPointMathLib.max(ownWad, auction.creditWad - shareWad));
    }

    function _close(uint256 accountId, uint256 lossWad, int256 equityWad, uint256 maintenanceWad) private {
        if (lossWad != 0) {
            _lossWad -= lossWad;
            emit LossNoted(accountId, 0, _lossWad);
        }
        delete _auction[accountId];
        emit AuctionEnded(accountId, equityWad, maintenanceWad);
    }
}
