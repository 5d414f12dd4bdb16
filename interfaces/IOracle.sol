// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IOracle
/// @notice Signed atomic rounds, token prices and settlement prices.
/// @dev Flow: [feeds] -> risk -> margin. Anyone relays; M of N signers sign EIP-712 structs. Prices are cash, wad.
interface IOracle {
    /// @notice Head of a round.
    /// @custom:unit wad
    struct Header {
        uint40 ts;
        uint256 spotWad;
        uint256 perpWad;
        uint256 confWad;
        /// @dev Mean of spot since 30 minutes before the expiry whose settlement window is running; 0 outside of one.
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
    /// @param priceWad Time-weighted mean, wad.
    event SettlementPosted(uint8 indexed underlyingId, uint40 indexed expiryTs, uint256 priceWad);
    /// @notice Emitted when the signers change.
    /// @param signers New signers.
    /// @param threshold Signatures needed.
    event SignersSet(address[] signers, uint256 threshold);
    /// @notice Emitted when the limits change.
    /// @param heartbeatSec Oldest age at which a round still counts.
    /// @param maxDeviationWad Largest relative move of spot between rounds, wad.
    event LimitsSet(uint256 heartbeatSec, uint256 maxDeviationWad);

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
    /// @notice Thrown when spot moved too far since the last round.
    error Oracle__Deviation(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when spot is too far from the aggregator's price.
    error Oracle__Disagreement(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when the sequencer of the chain is down.
    error Oracle__SequencerDown(uint256 sinceTs);
    /// @notice Thrown when the sequencer has been back for less than the grace.
    error Oracle__SequencerGrace(uint256 observedSec, uint256 limitSec);
    /// @notice Thrown when array lengths differ or exceed the limit.
    error Oracle__BadLength(uint256 observed, uint256 limit);
    /// @notice Thrown when the settlement price exists already.
    error Oracle__AlreadySettled(uint256 underlyingId, uint256 expiryTs);
    /// @notice Thrown when there is no settlement price.
    error Oracle__NotSettled(uint256 underlyingId, uint256 expiryTs);
    /// @notice Thrown when settlement samples leave a gap or lie outside the window.
    error Oracle__BadSample(uint256 observedTs, uint256 limitTs);
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

    /// @notice Fixes the settlement price of an expiry.
    /// @param samples Samples of the 30 minutes up to expiry.
    /// @param signatures Signatures, by increasing signer.
    function postSettlement(SettlementSamples calldata samples, bytes[] calldata signatures) external;

    /// @notice Replaces the signers.
    /// @param signers New signers, strictly increasing.
    /// @param threshold Signatures needed.
    function setSigners(address[] calldata signers, uint256 threshold) external;

    /// @notice Replaces the limits.
    /// @param heartbeatSec Oldest age at which a round still counts.
    /// @param maxDeviationWad Largest relative move of spot between rounds, wad.
    function setLimits(uint256 heartbeatSec, uint256 maxDeviationWad) external;

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

    /// @notice The latest round, for some of its expiries.
    /// @param underlyingId Underlying.
    /// @param expiries Expiries wanted.
    /// @return header Head.
    /// @return surfaces One per expiry asked for.
    function roundFor(uint8 underlyingId, uint40[] calldata expiries)
        external
        view
        returns (Header memory header, Surface[] memory surfaces);

    /// @notice Time of the last price of a token.
    /// @param tokenId Token.
    /// @return ts 0 when it never had one.
    function tokenPriceTsOf(uint256 tokenId) external view returns (uint40 ts);

    /// @notice Price of a token.
    /// @param tokenId Token.
    /// @return priceWad Price, wad.
    function tokenPriceOf(uint256 tokenId) external view returns (uint256 priceWad);

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
}
