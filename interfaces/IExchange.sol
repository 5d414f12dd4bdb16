// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IExchange
/// @notice Settles pairs of EIP-712 orders that were matched off chain, and quotes of several legs; anyone may relay
/// orders, a taker fills quotes.
/// @dev The signer of an order is the owner of its account, an approved operator, or a trader key within the terms of
/// IDelegation; each may be an ERC-1271 contract. Authority counts at the moment of the fill.
interface IExchange {
    /// @notice An order.
    /// @custom:unit wad
    struct Order {
        uint256 accountId;
        /// @dev Position word with quantity 0; price is the strike, 0 for linear instruments.
        uint256 instrument;
        bool isBuy;
        /// @dev Most that may be filled, over all fills.
        uint256 quantityWad;
        /// @dev Highest price to pay or lowest to take: premium per unit of an option, price of a linear instrument.
        uint256 priceWad;
        /// @dev Chosen by the signer; cancelling it cancels every order of the signer that carries it.
        uint256 nonce;
        /// @dev Last second at which the order may be filled.
        uint40 expiryTs;
        /// @dev Who signs.
        address signer;
        /// @dev 0 limit: maker or taker. 1 fill or kill: taker, whole. 2 post only: maker.
        uint8 kind;
        /// @dev Fills at most what the account holds on the other side.
        bool reduceOnly;
        /// @dev Highest fee the signer accepts, as a share of quantity times price.
        uint256 maxFeeWad;
        /// @dev How often the account had changed hands when this was signed: a transfer ends the order for good.
        uint64 transferCount;
        /// @dev Spot that the order waits for: nothing fills before a round has it; 0 waits for nothing.
        uint256 triggerWad;
        /// @dev Whether it waits for spot at or above that; at or below otherwise.
        bool triggerAbove;
        /// @dev Only rounds later than this meet the trigger.
        uint40 triggerAfterTs;
        /// @dev Of the exclusive orders of its signer with one nonce, the first that fills is the only one that does.
        bool exclusive;
    }

    /// @notice One leg of a quote, seen by the maker.
    /// @custom:unit wad
    struct Leg {
        uint256 instrument;
        bool isBuy;
        uint256 quantityWad;
        uint256 priceWad;
    }

    /// @notice Several legs that fill together or not at all, once.
    /// @custom:unit wad
    struct Quote {
        uint256 accountId;
        /// @dev Account that may take it; 0 for any.
        uint256 takerId;
        /// @dev One to eight different instruments, booked in this order.
        Leg[] legs;
        /// @dev Of the same space as the nonces of orders.
        uint256 nonce;
        uint40 expiryTs;
        address signer;
        uint256 maxFeeWad;
        /// @dev Of the maker's account; see Order.
        uint64 transferCount;
    }

    /// @notice Rates of fees as a share of quantity times price (of an option: the premium).
    /// @custom:unit wad
    struct Fees {
        uint64 makerLinearWad;
        uint64 takerLinearWad;
        uint64 makerOptionWad;
        uint64 takerOptionWad;
    }

    /// @notice Highest rates that may be set.
    /// @custom:unit wad
    struct FeeCaps {
        uint64 linearWad;
        uint64 optionWad;
    }

    /// @notice What may be traded of one underlying.
    struct Rules {
        /// @dev Kinds of instruments: `1 << kind` for each, kinds numbered as in PositionWord.
        uint8 kinds;
        /// @dev Expiries are multiples of it, unix seconds.
        uint32 expiryStepSec;
        /// @dev Longest time to expiry.
        uint32 maxTenorSec;
        /// @dev Strikes are multiples of it, 1e-8 cash.
        uint72 strikeStepE8;
    }

    /// @notice Emitted when the listing rules of an underlying change.
    /// @param underlyingId Underlying.
    /// @param rules Rules.
    event RulesSet(uint8 indexed underlyingId, Rules rules);
    /// @notice Emitted when the fills of one instrument stop or go on.
    /// @param instrument Position word.
    /// @param paused Whether they stop.
    event InstrumentPauseSet(uint256 indexed instrument, bool paused);
    /// @notice Emitted on every fill and for every leg of a quote.
    /// @param buyHash Buy order or quote; 0 for the taker of a quote.
    /// @param sellHash Sell order or quote; 0 for the taker of a quote.
    /// @param instrument Position word with quantity 0.
    /// @param buyerId Account of the buy order.
    /// @param sellerId Account of the sell order.
    /// @param quantityWad Quantity, wad.
    /// @param priceWad Price, wad.
    /// @param buyerIsMaker Whether the buyer made the price.
    event Settled(
        bytes32 indexed buyHash,
        bytes32 indexed sellHash,
        uint256 indexed instrument,
        uint256 buyerId,
        uint256 sellerId,
        uint256 quantityWad,
        uint256 priceWad,
        bool buyerIsMaker
    );
    /// @notice Emitted when a quote is taken.
    /// @param digest Quote.
    /// @param makerId Account of the quote.
    /// @param takerId Account that takes it.
    /// @param caller Who took it.
    event QuoteFilled(bytes32 indexed digest, uint256 indexed makerId, uint256 indexed takerId, address caller);
    /// @notice Emitted when an account pays a fee.
    /// @param digest Order or quote; 0 for the taker of a quote.
    /// @param accountId Payer.
    /// @param toId Receiver.
    /// @param feeWad Fee, wad of cash.
    event FeePaid(bytes32 indexed digest, uint256 indexed accountId, uint256 toId, uint256 feeWad);
    /// @notice Emitted when fees change.
    /// @param fees Rates.
    event FeesSet(Fees fees);
    /// @notice Emitted when the caps of fees change.
    /// @param caps Highest rates.
    event FeeCapsSet(FeeCaps caps);
    /// @notice Emitted when the receiver of fees changes.
    /// @param accountId Receiver.
    event FeeAccountSet(uint256 indexed accountId);
    /// @notice Emitted when a signer cancels all nonces below one.
    /// @param signer Signer.
    /// @param nonce First nonce that is still good.
    event NoncesCancelledBelow(address indexed signer, uint256 nonce);
    /// @notice Emitted when a signer cancels nonces.
    /// @param signer Signer.
    /// @param wordPos Nonces divided by 256.
    /// @param mask One bit per cancelled nonce.
    event NoncesCancelled(address indexed signer, uint256 indexed wordPos, uint256 mask);

    /// @notice Thrown when a step of expiries or strikes is zero.
    error Exchange__ZeroStep(uint256 expiryStepSec, uint256 strikeStepE8);
    /// @notice Thrown when the underlying is not listed, or not with this kind of instrument.
    error Exchange__KindNotListed(uint256 underlyingId, uint256 kind);
    /// @notice Thrown when an expiry is no multiple of the step.
    error Exchange__ExpiryNotListed(uint256 observedTs, uint256 stepSec);
    /// @notice Thrown when an expiry is too far away.
    error Exchange__ExpiryTooFar(uint256 observedTs, uint256 limitTs);
    /// @notice Thrown when a strike is no multiple of the step.
    error Exchange__StrikeNotListed(int256 observedE8, uint256 stepE8);
    /// @notice Thrown when a fill opens an option whose strike is below an eighth or above eight times the forward.
    error Exchange__StrikeOutsideBand(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when the instrument is paused.
    error Exchange__InstrumentPaused(uint256 instrument);
    /// @notice Thrown when both orders buy or both sell.
    error Exchange__WrongSide(bool makerIsBuy, bool takerIsBuy);
    /// @notice Thrown when the orders name different instruments.
    error Exchange__InstrumentMismatch(uint256 makerInstrument, uint256 takerInstrument);
    /// @notice Thrown when both sides are of one account.
    error Exchange__SelfTrade(uint256 makerId, uint256 takerId);
    /// @notice Thrown when the maker's order may only take, or its kind is unknown.
    error Exchange__NotMaker(uint256 observedKind, uint256 makerKind);
    /// @notice Thrown when the taker's order may only make, or its kind is unknown.
    error Exchange__NotTaker(uint256 observedKind, uint256 takerKind);
    /// @notice Thrown when a fill-or-kill order would not fill whole.
    error Exchange__NotWhole(uint256 observedWad, uint256 neededWad);
    /// @notice Thrown when a reduce-only order would do more than close the position.
    error Exchange__NotReducing(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when a fill is smaller than the least one and leaves something of an order.
    error Exchange__Dust(uint256 observedWad, uint256 minimumWad);
    /// @notice Thrown when a quantity does not fit a position.
    error Exchange__QuantityTooLarge(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when a fee is above what the signer accepts.
    error Exchange__FeeAboveLimit(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when a rate is above its cap, or a cap above the highest one.
    error Exchange__FeeAboveCap(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when fees would go to the clearing account or to an unknown one.
    error Exchange__BadFeeAccount(uint256 observed, uint256 nextId);
    /// @notice Thrown when a bulk cancel would cancel nothing new.
    error Exchange__NonceNotRaised(uint256 observed, uint256 current);
    /// @notice Thrown when a quote has no legs or too many.
    error Exchange__BadLegCount(uint256 observed, uint256 limit);
    /// @notice Thrown when two legs are of one instrument.
    error Exchange__DuplicateLeg(uint256 firstIndex, uint256 secondIndex);
    /// @notice Thrown when a quote is for another account.
    error Exchange__WrongTaker(uint256 observed, uint256 expected);
    /// @notice Thrown when an order has expired.
    error Exchange__OrderExpired(uint256 observedTs, uint256 limitTs);
    /// @notice Thrown when the instrument has expired.
    error Exchange__InstrumentExpired(uint256 observedTs, uint256 limitTs);
    /// @notice Thrown when a quantity is zero.
    error Exchange__ZeroQuantity(uint256 observedWad, uint256 minimumWad);
    /// @notice Thrown when a fill exceeds what is left of an order, or a quote was filled.
    error Exchange__Overfilled(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when the maker's price is above the taker's buy limit.
    error Exchange__PriceAboveLimit(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when the maker's price is below the taker's sell limit.
    error Exchange__PriceBelowLimit(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when the price is zero or does not fit a position.
    error Exchange__PriceOutOfRange(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when the price of a linear instrument is no multiple of the price step.
    error Exchange__PriceStep(uint256 observedWad, uint256 stepWad);
    /// @notice Thrown when the nonce of an order is cancelled.
    error Exchange__Cancelled(address signer, uint256 nonce);
    /// @notice Thrown when the latest round is not later than the time after which a trigger counts.
    error Exchange__RoundTooEarly(uint256 observedTs, uint256 limitTs);
    /// @notice Thrown when spot of the latest round is not on the side of the trigger that the order waits for.
    error Exchange__NotTriggered(uint256 observedWad, uint256 triggerWad);
    /// @notice Thrown when another exclusive order of the signer with this nonce has filled.
    error Exchange__OtherFilled(bytes32 filled, bytes32 digest);
    /// @notice Thrown when the account has changed hands since the order or quote was signed.
    error Exchange__Transferred(uint256 observedCount, uint256 signedCount);
    /// @notice Thrown when the signer of an order has not signed it.
    error Exchange__BadSignature(address signer, uint256 accountId);

    /// @notice Fills two crossing orders against each other at the maker's price; both accounts are margined.
    /// @dev Strikes lie within a band around the forward of the latest round; a fill that only closes what both sides
    /// hold passes wherever its strike has drifted. The caller says which order makes. An order that must not take is
    /// post only, one that must have the better price is fill or kill; two limit orders each get their limit or
    /// better, either way. An order with a trigger fills while the latest round
    /// meets it; once something of it has filled, the rest waits for nothing.
    /// @param maker Order that makes the price.
    /// @param makerSignature Its signature.
    /// @param taker Order that takes it; its side gets the price improvement.
    /// @param takerSignature Its signature.
    /// @param quantityWad Quantity, wad.
    function settle(
        Order calldata maker,
        bytes calldata makerSignature,
        Order calldata taker,
        bytes calldata takerSignature,
        uint256 quantityWad
    ) external;

    /// @notice Takes a quote: all its legs at once, then the margin of both accounts on the net result.
    /// @dev The caller is the owner of the taker's account, an operator, or a delegate within its terms.
    /// @param quote Quote.
    /// @param signature Its signature.
    /// @param takerId Account that takes it.
    /// @param maxFeeWad Highest fee the taker accepts, as a share of quantity times price.
    function fillQuote(Quote calldata quote, bytes calldata signature, uint256 takerId, uint256 maxFeeWad) external;

    /// @notice Cancels every order of the caller with this nonce.
    /// @param nonce Nonce.
    function cancel(uint256 nonce) external;

    /// @notice Cancels up to 256 nonces of the caller at once.
    /// @param wordPos Nonces divided by 256.
    /// @param mask One bit per nonce to cancel.
    function cancelMany(uint256 wordPos, uint256 mask) external;

    /// @notice Cancels every order and quote of the caller with a lower nonce, for good.
    /// @param nonce First nonce that stays good.
    function cancelBelow(uint256 nonce) external;

    /// @notice Sets the rates of fees, within the caps. Governance only.
    /// @param fees Rates.
    function setFees(Fees calldata fees) external;

    /// @notice Sets the caps of fees; the rates in force must fit. Governance only.
    /// @param caps Highest rates, each at most 12.5%.
    function setFeeCaps(FeeCaps calldata caps) external;

    /// @notice Sets the account that gets the fees; at first the insurance fund's. Governance only.
    /// @param accountId Account.
    function setFeeAccount(uint256 accountId) external;

    /// @notice Sets what may be traded of an underlying; nothing may before. Governance only.
    /// @param underlyingId Underlying.
    /// @param rules Rules; what is open and no longer fits is settled or liquidated as ever.
    function setRules(uint8 underlyingId, Rules calldata rules) external;

    /// @notice Stops the fills of one instrument for a day, and not again until a day after that. Guardian.
    /// @param instrument Position word.
    function pauseInstrument(uint256 instrument) external;

    /// @notice Resumes the fills of one instrument before its time. Governance only.
    /// @param instrument Position word.
    function unpauseInstrument(uint256 instrument) external;

    /// @notice Listing rules of an underlying.
    /// @param underlyingId Underlying.
    /// @return rules Rules; no kinds when it is not listed.
    function rulesOf(uint8 underlyingId) external view returns (Rules memory rules);

    /// @notice Whether the fills of an instrument are stopped.
    /// @param instrument Position word.
    /// @return True while they are.
    function isInstrumentPaused(uint256 instrument) external view returns (bool);

    /// @notice EIP-712 digest of an order.
    /// @param order Order.
    /// @return digest What the signer signs.
    function hashOf(Order calldata order) external view returns (bytes32 digest);

    /// @notice EIP-712 digest of a quote.
    /// @param quote Quote.
    /// @return digest What the signer signs.
    function hashOfQuote(Quote calldata quote) external view returns (bytes32 digest);

    /// @notice Quantity filled so far; of a quote, the number of its legs when it was filled.
    /// @param digest Digest of the order or quote.
    /// @return quantityWad Quantity, wad.
    function filledOf(bytes32 digest) external view returns (uint256 quantityWad);

    /// @notice The exclusive order of a signer and a nonce that has filled, after which no other one fills.
    /// @param signer Signer.
    /// @param nonce Nonce.
    /// @return digest Digest of the order; 0 while none has filled.
    function exclusiveOf(address signer, uint256 nonce) external view returns (bytes32 digest);

    /// @notice Whether a signer has cancelled a nonce.
    /// @param signer Signer.
    /// @param nonce Nonce.
    /// @return True when cancelled.
    function isCancelled(address signer, uint256 nonce) external view returns (bool);

    /// @notice First nonce of a signer that no bulk cancel has cancelled.
    /// @param signer Signer.
    /// @return Nonce.
    function minNonceOf(address signer) external view returns (uint256);

    /// @notice Account that gets the fees.
    /// @return Account.
    function feeAccountId() external view returns (uint256);

    /// @notice Fees and their caps.
    /// @return fees Rates.
    /// @return caps Highest rates.
    function feesOf() external view returns (Fees memory fees, FeeCaps memory caps);
}
