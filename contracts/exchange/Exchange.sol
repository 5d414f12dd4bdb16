// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IDelegation} from "../../interfaces/IDelegation.sol";
import {IExchange} from "../../interfaces/IExchange.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {Conditions} from "./Conditions.sol";
import {FeeSchedule} from "./FeeSchedule.sol";
import {Listing} from "./Listing.sol";
import {OrderAuthority} from "./OrderAuthority.sol";
import {PositionWord} from "../libraries/PositionWord.sol";
import {SnapshotMath} from "../libraries/SnapshotMath.sol";
import {Units} from "../libraries/Units.sol";

/// @title Exchange
/// @notice See IExchange.
contract Exchange is OrderAuthority, FeeSchedule, Conditions, ReentrancyGuardTransient {
    using PositionWord for uint256;

    uint256 private constant LIMIT = 0;
    uint256 private constant FILL_OR_KILL = 1;
    uint256 private constant POST_ONLY = 2;
    uint256 private constant MAX_LEGS = 8;
    uint256 private constant MAX_WAD = uint256(uint128(type(int128).max));
    uint256 private constant MIN_FILL_WAD = 1e12;
    /// @dev An entry price is an int72 in steps of 1e-8 cash.
    uint256 private constant MAX_PRICE_WAD = uint256(uint72(type(int72).max)) * uint256(Units.E8_TO_WAD);

    IMarginEngine private immutable MARGIN_ENGINE;
    IDelegation private immutable DELEGATION;

    /// @dev One account of a fill. The delegate is 0 when the signer may act for the account in every way.
    struct Side {
        uint256 accountId;
        bytes32 digest;
        address delegate;
        bool isMaker;
        uint256 maxFeeWad;
        IAccounts.Snapshot before_;
    }

    constructor(
        address authority,
        IAccounts accounts,
        IMarginEngine marginEngine,
        IDelegation delegation,
        IOracle oracle
    ) AccessManaged(authority) EIP712("Plimsoll Exchange", "1") FeeSchedule(accounts) Listing(oracle) {
        MARGIN_ENGINE = marginEngine;
        DELEGATION = delegation;
    }

    /// @inheritdoc IExchange
    function settle(
        Order calldata maker,
        bytes calldata makerSignature,
        Order calldata taker,
        bytes calldata takerSignature,
        uint256 quantityWad
    ) external override nonReentrant whenNotPaused {
        _requireMatch(maker, taker);
        _requireTradable(maker.instrument, quantityWad, maker.priceWad);
        Side memory made = _fill(maker, makerSignature, quantityWad, true);
        Side memory taken = _fill(taker, takerSignature, quantityWad, false);
        bool isRest = filledOf(made.digest) == maker.quantityWad && filledOf(taken.digest) == taker.quantityWad;
        if (quantityWad < MIN_FILL_WAD && !isRest) revert Exchange__Dust(quantityWad, MIN_FILL_WAD);
        Leg[] memory legs = new Leg[](1);
        legs[0] = Leg(maker.instrument, maker.isBuy, quantityWad, maker.priceWad);
        _requireBand(legs[0], made, taken);
        _book(legs[0], made, taken);
        _requireSafe(legs, made);
        _requireSafe(legs, taken);
    }

    /// @inheritdoc IExchange
    function fillQuote(Quote calldata quote, bytes calldata signature, uint256 takerId, uint256 maxFeeWad)
        external
        override
        nonReentrant
        whenNotPaused
    {
        _requireTaker(quote, takerId);
        _requireLegs(quote.legs);
        Side memory made = _quoted(quote, signature);
        Side memory taken = _side(takerId, msg.sender, bytes32(0), maxFeeWad, false);
        emit QuoteFilled(made.digest, quote.accountId, takerId, msg.sender);
        Leg[] memory legs = quote.legs;
        for (uint256 i; i < legs.length; ++i) {
            _requireAllowed(made, legs[i].instrument);
            _requireAllowed(taken, legs[i].instrument);
            _requireBand(legs[i], made, taken);
            _book(legs[i], made, taken);
        }
        _requireSafe(legs, made);
        _requireSafe(legs, taken);
    }

    function _requireMatch(Order calldata maker, Order calldata taker) private pure {
        if (maker.isBuy == taker.isBuy) revert Exchange__WrongSide(maker.isBuy, taker.isBuy);
        if (maker.instrument != taker.instrument) {
            revert Exchange__InstrumentMismatch(maker.instrument, taker.instrument);
        }
        if (maker.accountId == taker.accountId) revert Exchange__SelfTrade(maker.accountId, taker.accountId);
        if (maker.kind != LIMIT && maker.kind != POST_ONLY) revert Exchange__NotMaker(maker.kind, POST_ONLY);
        if (taker.kind > FILL_OR_KILL) revert Exchange__NotTaker(taker.kind, FILL_OR_KILL);
        if (taker.isBuy && maker.priceWad > taker.priceWad) {
            revert Exchange__PriceAboveLimit(maker.priceWad, taker.priceWad);
        }
        if (!taker.isBuy && maker.priceWad < taker.priceWad) {
            revert Exchange__PriceBelowLimit(maker.priceWad, taker.priceWad);
        }
    }

    function _requireTradable(uint256 instrument, uint256 quantityWad, uint256 priceWad) private view {
        _requireListed(instrument);
        if (quantityWad == 0) revert Exchange__ZeroQuantity(quantityWad, 1);
        if (quantityWad > MAX_WAD) revert Exchange__QuantityTooLarge(quantityWad, MAX_WAD);
        if (priceWad == 0 || priceWad > MAX_PRICE_WAD) revert Exchange__PriceOutOfRange(priceWad, MAX_PRICE_WAD);
        uint256 stepWad = uint256(Units.E8_TO_WAD);
        if (!instrument.isOption() && priceWad % stepWad != 0) revert Exchange__PriceStep(priceWad, stepWad);
    }

    function _requireTaker(Quote calldata quote, uint256 takerId) private pure {
        if (quote.accountId == takerId) revert Exchange__SelfTrade(quote.accountId, takerId);
        if (quote.takerId != 0 && quote.takerId != takerId) revert Exchange__WrongTaker(takerId, quote.takerId);
    }

    function _requireLegs(Leg[] calldata legs) private view {
        if (legs.length == 0 || legs.length > MAX_LEGS) revert Exchange__BadLegCount(legs.length, MAX_LEGS);
        for (uint256 i; i < legs.length; ++i) {
            _requireTradable(legs[i].instrument, legs[i].quantityWad, legs[i].priceWad);
            for (uint256 j; j < i; ++j) {
                if (legs[j].instrument.instrumentOf() == legs[i].instrument.instrumentOf()) {
                    revert Exchange__DuplicateLeg(j, i);
                }
            }
        }
    }

    /// @dev Checks one order and counts the fill; checks that need no signature come first.
    function _fill(Order calldata order, bytes calldata signature, uint256 quantityWad, bool isMaker)
        private
        returns (Side memory side)
    {
        _requireTime(order.expiryTs);
        _requireUnmoved(order.accountId, order.transferCount);
        bytes32 digest = hashOf(order);
        uint256 leftWad = order.quantityWad - filledOf(digest);
        if (quantityWad > leftWad) revert Exchange__Overfilled(quantityWad, leftWad);
        if (order.kind == FILL_OR_KILL && quantityWad != order.quantityWad) {
            revert Exchange__NotWhole(quantityWad, order.quantityWad);
        }
        _requireSigned(order.signer, order.nonce, order.accountId, digest, signature);
        side = _side(order.accountId, order.signer, digest, order.maxFeeWad, isMaker);
        _requireAllowed(side, order.instrument);
        if (order.reduceOnly) _requireReducing(side.before_.positions, order, quantityWad);
        _countFill(order, digest, quantityWad);
    }

    /// @dev A quote fills once and whole; what counts as filled is the number of its legs.
    function _quoted(Quote calldata quote, bytes calldata signature) private returns (Side memory) {
        _requireTime(quote.expiryTs);
        _requireUnmoved(quote.accountId, quote.transferCount);
        bytes32 digest = hashOfQuote(quote);
        _requireSigned(quote.signer, quote.nonce, quote.accountId, digest, signature);
        _countQuote(digest, quote.legs.length);
        return _side(quote.accountId, quote.signer, digest, quote.maxFeeWad, true);
    }

    function _requireTime(uint256 expiryTs) private view {
        if (expiryTs < block.timestamp) revert Exchange__OrderExpired(expiryTs, block.timestamp);
    }

    /// @dev A transfer ends what was signed before it for good, so that none of it comes back with the account.
    function _requireUnmoved(uint256 accountId, uint256 signedCount) private view {
        uint256 count = ACCOUNTS.transferCountOf(accountId);
        if (count != signedCount) revert Exchange__Transferred(count, signedCount);
    }

    function _side(uint256 accountId, address signer, bytes32 digest, uint256 maxFeeWad, bool isMaker)
        private
        view
        returns (Side memory)
    {
        address delegate = ACCOUNTS.isAuthorised(accountId, signer) ? address(0) : signer;
        return Side(accountId, digest, delegate, isMaker, maxFeeWad, ACCOUNTS.snapshotOf(accountId));
    }

    function _requireAllowed(Side memory side, uint256 instrument) private view {
        if (side.delegate != address(0)) DELEGATION.requireAllowed(side.accountId, side.delegate, instrument);
    }

    function _requireReducing(uint256[] memory words, Order calldata order, uint256 quantityWad) private pure {
        uint256 closableWad = SnapshotMath.closableOf(words, order.instrument, order.isBuy);
        if (quantityWad > closableWad) revert Exchange__NotReducing(quantityWad, closableWad);
    }

    /// @dev Writes one leg, seen by the maker, to the ledger and takes the fees of both sides.
    function _book(Leg memory leg, Side memory maker, Side memory taker) private {
        (Side memory buyer, Side memory seller) = leg.isBuy ? (maker, taker) : (taker, maker);
        uint256 makerRateWad = _rateOf(leg.instrument, true, maker.maxFeeWad);
        uint256 takerRateWad = _rateOf(leg.instrument, false, taker.maxFeeWad);
        emit Settled(
            buyer.digest,
            seller.digest,
            leg.instrument,
            buyer.accountId,
            seller.accountId,
            leg.quantityWad,
            leg.priceWad,
            leg.isBuy
        );
        ACCOUNTS.applyTrade(
            IAccounts.Trade(buyer.accountId, seller.accountId, leg.instrument, leg.quantityWad, leg.priceWad)
        );
        _charge(maker.digest, maker.accountId, leg.quantityWad, leg.priceWad, makerRateWad);
        _charge(taker.digest, taker.accountId, leg.quantityWad, leg.priceWad, takerRateWad);
    }

    /// @dev Seen by the maker, before it is booked. Strikes drift out of the band with the forward: what only closes
    /// positions of both sides passes anywhere, and without a price.
    function _requireBand(Leg memory leg, Side memory maker, Side memory taker) private view {
        if (!leg.instrument.isOption()) return;
        if (_closes(leg, maker, leg.isBuy) && _closes(leg, taker, !leg.isBuy)) return;
        _requireStrike(leg.instrument);
    }

    function _closes(Leg memory leg, Side memory side, bool isBuy) private pure returns (bool) {
        return leg.quantityWad <= SnapshotMath.closableOf(side.before_.positions, leg.instrument, isBuy);
    }

    /// @dev Limits of a delegate and margin of the account, once for all legs. Where the limits take an evaluation of
    /// the account, the margin is read off the same one.
    function _requireSafe(Leg[] memory legs, Side memory side) private {
        bool isCovered = side.delegate != address(0)
            && DELEGATION.afterFill(side.accountId, side.delegate, _fillsOf(legs, side));
        if (!isCovered) MARGIN_ENGINE.enforce(side.accountId, side.before_);
    }

    /// @dev The legs as one side has them. The price counts with the fee in it, so that the loss bound of a delegate
    /// does.
    function _fillsOf(Leg[] memory legs, Side memory side) private view returns (IDelegation.Fill[] memory fills) {
        fills = new IDelegation.Fill[](legs.length);
        for (uint256 i; i < legs.length; ++i) {
            Leg memory leg = legs[i];
            uint256 rateWad = _rateOf(leg.instrument, side.isMaker, side.maxFeeWad);
            uint256 feeWad = (leg.priceWad * rateWad + Units.UWAD - 1) / Units.UWAD;
            uint256 stepWad = leg.instrument.isOption() ? 1 : uint256(Units.E8_TO_WAD);
            feeWad = (feeWad + stepWad - 1) / stepWad * stepWad;
            bool isBuy = leg.isBuy == side.isMaker;
            int256 quantityWad = isBuy ? int256(leg.quantityWad) : -int256(leg.quantityWad);
            uint256 priceWad = isBuy ? leg.priceWad + feeWad : leg.priceWad - feeWad;
            fills[i] = IDelegation.Fill(leg.instrument, quantityWad, priceWad);
        }
    }
}
