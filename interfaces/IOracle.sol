// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IOracle
/// @notice Signed atomic rounds, token prices and settlement prices.
/// @dev Flow: [feeds] -> risk -> margin. Anyone relays; M of N signers sign EIP-712 structs. Prices are cash, wad.
interface IOracle {
    /// @notice Where a settlement price came from, in the order in which the sources open: docs/concepts/settlement.md.
    enum SettlementSource {
        SAMPLES,
        GAPPED_SAMPLES,
        ROUNDS,
        GOVERNOR
    }

    /// @notice Head of a round. `meanWad` is the mean of spot since the settlement window of the first expiry opened,
    /// 30 minutes before it; 0 outside a window.
    /// @custom:unit wad
    struct Header {
        uint40 ts;
        uint256 spotWad;
        uint256 perpWad;
        uint256 confWad;
        uint256 meanWad;
    }

    /// @notice One expiry of a round: forward, continuously compounded rate, raw SVI of total variance.
    /// @custom:unit wad
    struct Surface {
        uint40 expiryTs;
        uint256 forwardWad;
        int256 rateWad;
        int256 aWad;
        uint256 bWad;
        int256 rhoWad;
        int256 mWad;
        uint256 sWad;
    }

    /// @notice One atomic snapshot of an underlying, as signed.
    struct Round {
        uint8 underlyingId;
        uint40 ts;
        uint256 spotWad;
        uint256 perpWad;
        uint256 confWad;
        uint256 meanWad;
        Surface[] surfaces;
    }

    /// @notice What the numbers of one expiry are measured from: logarithms that follow the accepted rounds with a
    /// half life of an hour. The discount is `-ln D`; centre, upper and lower are variances per year at k = 0, +kStar
    /// and -kStar.
    /// @custom:unit wad
    struct SurfaceAnchor {
        uint40 ts;
        int256 forwardLnWad;
        int256 discountLnWad;
        int256 centreLnWad;
        int256 upperLnWad;
        int256 lowerLnWad;
    }

    /// @notice Prices of collateral tokens, as signed.
    struct TokenPrices {
        uint40 ts;
        uint256[] tokenIds;
        uint256[] pricesWad;
    }

    /// @notice Spot samples of the 30 minutes before an expiry, as signed.
    struct SettlementSamples {
        uint8 underlyingId;
        uint40 expiryTs;
        uint40[] sampleTs;
        uint256[] spotsWad;
    }

    /// @notice Emitted when a round is accepted; carries all of it, for replay.
    /// @param underlyingId Underlying.
    /// @param round The round.
    event RoundPosted(uint8 indexed underlyingId, Round round);
    /// @notice Emitted when a token price is accepted.
    /// @param tokenId Token.
    /// @param ts Time of the price.
    /// @param priceWad Price, wad.
    event TokenPricePosted(uint256 indexed tokenId, uint40 ts, uint256 priceWad);
    /// @notice Emitted once per expiry.
    /// @param underlyingId Underlying.
    /// @param expiryTs Expiry.
    /// @param priceWad Price, wad.
    /// @param source Where it came from.
    event SettlementPosted(
        uint8 indexed underlyingId, uint40 indexed expiryTs, uint256 priceWad, SettlementSource source
    );
    /// @notice Emitted when the signers change.
    /// @param signers New signers.
    /// @param threshold Signatures needed.
    event SignersSet(address[] signers, uint256 threshold);
    /// @notice Emitted when the limits change.
    /// @param heartbeatSec Oldest age at which a round still counts.
    /// @param maxMoveWad Largest distance of a price from its anchor, a logarithm, wad.
    /// @param maxVarianceMoveWad Largest distance of a variance per year from its anchor, a logarithm, wad.
    event LimitsSet(uint256 heartbeatSec, uint256 maxMoveWad, uint256 maxVarianceMoveWad);

    /// @notice Emitted when the sequencer's uptime feed changes.
    /// @param feed Feed; zero when nothing is watched.
    /// @param graceSec Time after a restart in which prices are not read.
    event SequencerSet(address feed, uint256 graceSec);
    /// @notice Emitted when the aggregator of an underlying changes.
    /// @param underlyingId Underlying.
    /// @param feed Aggregator; zero when there is none.
    /// @param maxAgeSec Oldest answer that counts.
    /// @param maxDeviationWad Largest relative distance of spot from it, wad.
    event AggregatorSet(uint8 indexed underlyingId, address feed, uint256 maxAgeSec, uint256 maxDeviationWad);
    /// @notice Emitted when the aggregator of a token changes.
    /// @param tokenId Token.
    /// @param feed Aggregator; zero when there is none.
    /// @param maxAgeSec Oldest answer that counts.
    /// @param maxDeviationWad Largest relative distance of the signed price from it, wad.
    event TokenAggregatorSet(uint256 indexed tokenId, address feed, uint256 maxAgeSec, uint256 maxDeviationWad);

    /// @notice Thrown when too few signers signed.
    error Oracle__TooFewSignatures(uint256 observed, uint256 limit);
    /// @notice Thrown when a signature is not from a signer, or signers are not in increasing order.
    error Oracle__BadSigner(address observed, address previous);
    /// @notice Thrown when the signer set or threshold makes no sense.
    error Oracle__BadSignerSet(uint256 observed, uint256 limit);
    /// @notice Thrown when a limit is outside its interval.
    error Oracle__BadLimit(uint256 observed, uint256 limit);
    /// @notice Thrown when a timestamp lies in the future.
    error Oracle__FromFuture(uint256 observedTs, uint256 limitTs);
    /// @notice Thrown when the data are older than the heartbeat, when posted or when read.
    error Oracle__Stale(uint256 observedTs, uint256 limitTs);
    /// @notice Thrown when there is no round of the underlying.
    error Oracle__NoRound(uint256 underlyingId);
    /// @notice Thrown when the latest round does not list the expiry.
    error Oracle__ExpiryNotInRound(uint256 underlyingId, uint256 expiryTs);
    /// @notice Thrown when a number is outside the domain of risk-model section 1; `field` names it.
    error Oracle__OutOfDomain(bytes32 field, int256 observed, int256 limit);
    /// @notice Thrown when a number is too far from its anchor: `observedLnWad` is ln(number/anchor); `field` names it.
    error Oracle__TooFast(bytes32 field, int256 observedLnWad, int256 limitLnWad);
    /// @notice Thrown when a second expiry of a round is inside its settlement window too.
    error Oracle__WindowsOverlap(uint256 observedTs, uint256 limitTs);
    /// @notice Thrown when spot or a token price is too far from the aggregator's price.
    error Oracle__Disagreement(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when the sequencer of the chain is down.
    error Oracle__SequencerDown(uint256 sinceTs);
    /// @notice Thrown when the sequencer has been back for less than the grace.
    error Oracle__SequencerGrace(uint256 observedSec, uint256 limitSec);
    /// @notice Thrown when array lengths differ or exceed the limit.
    error Oracle__BadLength(uint256 observed, uint256 limit);
    /// @notice Thrown when the settlement price exists already, also by a round that still lists the expiry.
    error Oracle__AlreadySettled(uint256 underlyingId, uint256 expiryTs);
    /// @notice Thrown when there is no settlement price.
    error Oracle__NotSettled(uint256 underlyingId, uint256 expiryTs);
    /// @notice Thrown when settlement samples leave a gap or lie outside the window.
    error Oracle__BadSample(uint256 observedTs, uint256 limitTs);
    /// @notice Thrown when a settlement comes before its source opens.
    error Oracle__TooEarly(uint256 observedTs, uint256 limitTs);
    /// @notice Thrown when no round inside the settlement window was accepted.
    error Oracle__NoRoundInWindow(uint256 underlyingId, uint256 expiryTs);
    /// @notice Thrown when there is no price of the token.
    error Oracle__NoTokenPrice(uint256 tokenId);

    /// @notice Stores a round when it is newer than the stored one.
    /// @param round The round.
    /// @param signatures Signatures, by increasing signer.
    /// @return accepted False when the stored round is as new.
    function postRound(Round calldata round, bytes[] calldata signatures) external returns (bool accepted);

    /// @notice Stores token prices that are newer than the stored ones.
    /// @param prices The prices.
    /// @param signatures Signatures, by increasing signer.
    function postTokenPrices(TokenPrices calldata prices, bytes[] calldata signatures) external;

    /// @notice Fixes the settlement price of an expiry by signed samples: at least six and no gap above five minutes;
    /// two hours after the expiry, whatever there is.
    /// @param samples Samples of the 30 minutes up to expiry.
    /// @param signatures Signatures, by increasing signer.
    function postSettlement(SettlementSamples calldata samples, bytes[] calldata signatures) external;

    /// @notice Fixes the settlement price of an expiry that has none by its last accepted round inside the window: the
    /// mean that the round states for the time up to it, its spot for the rest. Anyone may call, two hours after the
    /// expiry when that round came within five minutes of it, four hours after otherwise.
    /// @param underlyingId Underlying.
    /// @param expiryTs Expiry.
    function settleFromRounds(uint8 underlyingId, uint40 expiryTs) external;

    /// @notice Fixes the settlement price of an expiry that has had none for 24 hours.
    /// @dev Within the speed limit of what the contract last knew of the series: its forward and spot.
    /// @param underlyingId Underlying.
    /// @param expiryTs Expiry.
    /// @param priceWad Price, wad.
    function settleByGovernor(uint8 underlyingId, uint40 expiryTs, uint256 priceWad) external;

    /// @notice Replaces the signers.
    /// @param signers New signers, strictly increasing.
    /// @param threshold Signatures needed.
    function setSigners(address[] calldata signers, uint256 threshold) external;

    /// @notice Replaces the limits.
    /// @param heartbeatSec Oldest age at which a round still counts.
    /// @param maxMoveWad Largest distance of a price from its anchor, a logarithm, wad.
    /// @param maxVarianceMoveWad Largest distance of a variance per year from its anchor, a logarithm, wad.
    function setLimits(uint256 heartbeatSec, uint256 maxMoveWad, uint256 maxVarianceMoveWad) external;

    /// @notice Sets the feed that tells whether the sequencer of a layer-2 chain is up; zero where there is none.
    /// @dev An answer of 0 is up. While it is down, and for the grace after its return, no price can be read.
    /// @param feed Uptime feed.
    /// @param graceSec Grace after a restart, at most a day.
    function setSequencer(address feed, uint256 graceSec) external;

    /// @notice Sets an independent price that rounds of an underlying are compared with; zero removes it.
    /// @dev Only a fresh answer counts: an aggregator that is late or fails stops nothing.
    /// @param underlyingId Underlying.
    /// @param feed Aggregator.
    /// @param maxAgeSec Oldest answer that counts.
    /// @param maxDeviationWad Largest relative distance of spot from it, wad.
    function setAggregator(uint8 underlyingId, address feed, uint256 maxAgeSec, uint256 maxDeviationWad) external;

    /// @notice Sets an independent price that signed prices of a token are compared with; zero removes it.
    /// @dev As for an underlying.
    /// @param tokenId Token.
    /// @param feed Aggregator.
    /// @param maxAgeSec Oldest answer that counts.
    /// @param maxDeviationWad Largest relative distance of the signed price from it, wad.
    function setTokenAggregator(uint256 tokenId, address feed, uint256 maxAgeSec, uint256 maxDeviationWad) external;

    /// @notice The latest round, for some of its expiries.
    /// @param underlyingId Underlying.
    /// @param expiries Expiries wanted.
    /// @return header Head.
    /// @return surfaces One per expiry asked for.
    function roundFor(uint8 underlyingId, uint40[] calldata expiries)
        external
        view
        returns (Header memory header, Surface[] memory surfaces);

    /// @notice Price of a token.
    /// @param tokenId Token.
    /// @return priceWad Price, wad.
    function tokenPriceOf(uint256 tokenId) external view returns (uint256 priceWad);

    /// @notice Last price of a token, however old; for liquidations, which must go on when a price stays out.
    /// @param tokenId Token.
    /// @return priceWad Price, wad; 0 when it never had one.
    /// @return ts Its time; 0 when it never had one.
    function lastTokenPriceOf(uint256 tokenId) external view returns (uint256 priceWad, uint40 ts);

    /// @notice Spot of the last round of an underlying, however old; for liquidations, as the price above.
    /// @param underlyingId Underlying.
    /// @return spotWad Spot, wad; 0 when there was no round.
    /// @return ts Time of the round; 0 when there was none.
    function lastSpotOf(uint8 underlyingId) external view returns (uint256 spotWad, uint40 ts);

    /// @notice Oldest age at which a round or a price still counts.
    /// @return Seconds.
    function heartbeatSec() external view returns (uint256);

    /// @notice Anchors of an underlying and of some of its expiries, as the last accepted round left them.
    /// @param underlyingId Underlying.
    /// @param expiries Expiries wanted.
    /// @return ts Time of that round; 0 when there is none.
    /// @return spotLnWad Anchor of spot.
    /// @return perpLnWad Anchor of the perpetual.
    /// @return surfaces One per expiry asked for; of time 0 where the expiry was never listed.
    function anchorsOf(uint8 underlyingId, uint40[] calldata expiries)
        external
        view
        returns (uint40 ts, int256 spotLnWad, int256 perpLnWad, SurfaceAnchor[] memory surfaces);

    /// @notice Anchor of a token's price.
    /// @param tokenId Token.
    /// @return ts Time of the last price; 0 when it never had one.
    /// @return priceLnWad Anchor.
    function tokenAnchorOf(uint256 tokenId) external view returns (uint40 ts, int256 priceLnWad);

    /// @notice Settlement price of an expiry.
    /// @param underlyingId Underlying.
    /// @param expiryTs Expiry.
    /// @return priceWad Price, wad.
    function settlementPriceOf(uint8 underlyingId, uint40 expiryTs) external view returns (uint256 priceWad);

    /// @notice Expiries of the latest round.
    /// @param underlyingId Underlying.
    /// @return expiries Increasing.
    function expiriesOf(uint8 underlyingId) external view returns (uint40[] memory expiries);

    /// @notice Uptime feed of the sequencer.
    /// @return feed Zero when nothing is watched.
    /// @return graceSec Grace after a restart.
    function sequencer() external view returns (address feed, uint256 graceSec);

    /// @notice Aggregator of an underlying.
    /// @param underlyingId Underlying.
    /// @return feed Zero when there is none.
    /// @return maxAgeSec Oldest answer that counts.
    /// @return maxDeviationWad Largest relative distance, wad.
    function aggregatorOf(uint8 underlyingId)
        external
        view
        returns (address feed, uint256 maxAgeSec, uint256 maxDeviationWad);

    /// @notice Aggregator of a token.
    /// @param tokenId Token.
    /// @return feed Zero when there is none.
    /// @return maxAgeSec Oldest answer that counts.
    /// @return maxDeviationWad Largest relative distance, wad.
    function tokenAggregatorOf(uint256 tokenId)
        external
        view
        returns (address feed, uint256 maxAgeSec, uint256 maxDeviationWad);
}
