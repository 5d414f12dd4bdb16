// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAggregator} from "../../interfaces/IAggregator.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {RoundDomain} from "../libraries/RoundDomain.sol";
import {FeedLimits} from "./FeedLimits.sol";

/// @title SecondOpinion
/// @notice Independent prices that signed ones are compared with, per underlying and per token. See IOracle.
abstract contract SecondOpinion is FeedLimits {
    uint256 private constant MAX_DECIMALS = 18;
    uint256 private constant ANSWER_BYTES = 160;

    /// @dev slot 0.
    struct Aggregator {
        address feed;
        uint24 maxAgeSec;
        uint8 decimals;
        uint64 maxDeviationWad;
    }

    mapping(uint8 underlyingId => Aggregator) private _aggregator;
    mapping(uint256 tokenId => Aggregator) private _tokenAggregator;

    /// @inheritdoc IOracle
    function setAggregator(uint8 underlyingId, address feed, uint256 maxAgeSec, uint256 maxDeviationWad)
        external
        override
        restricted
    {
        _set(_aggregator[underlyingId], feed, maxAgeSec, maxDeviationWad);
        emit AggregatorSet(underlyingId, feed, maxAgeSec, maxDeviationWad);
    }

    /// @inheritdoc IOracle
    function setTokenAggregator(uint256 tokenId, address feed, uint256 maxAgeSec, uint256 maxDeviationWad)
        external
        override
        restricted
    {
        _set(_tokenAggregator[tokenId], feed, maxAgeSec, maxDeviationWad);
        emit TokenAggregatorSet(tokenId, feed, maxAgeSec, maxDeviationWad);
    }

    /// @inheritdoc IOracle
    function aggregatorOf(uint8 underlyingId)
        external
        view
        override
        returns (address feed, uint256 maxAgeSec, uint256 maxDeviationWad)
    {
        Aggregator memory a = _aggregator[underlyingId];
        (feed, maxAgeSec, maxDeviationWad) = (a.feed, a.maxAgeSec, a.maxDeviationWad);
    }

    /// @inheritdoc IOracle
    function tokenAggregatorOf(uint256 tokenId)
        external
        view
        override
        returns (address feed, uint256 maxAgeSec, uint256 maxDeviationWad)
    {
        Aggregator memory a = _tokenAggregator[tokenId];
        (feed, maxAgeSec, maxDeviationWad) = (a.feed, a.maxAgeSec, a.maxDeviationWad);
    }

    /// @dev Compares spot of a round.
    function _requireSpotAgreed(uint8 underlyingId, uint256 spotWad) internal view {
        _requireAgreed(_aggregator[underlyingId], spotWad);
    }

    /// @dev Compares the price of a token.
    function _requireTokenAgreed(uint256 tokenId, uint256 priceWad) internal view {
        _requireAgreed(_tokenAggregator[tokenId], priceWad);
    }

    function _set(Aggregator storage aggregator, address feed, uint256 maxAgeSec, uint256 maxDeviationWad) private {
        if (maxAgeSec > MAX_HEARTBEAT_SEC) revert Oracle__BadLimit(maxAgeSec, MAX_HEARTBEAT_SEC);
        if (maxDeviationWad > 1e18) revert Oracle__BadLimit(maxDeviationWad, 1e18);
        uint8 decimals;
        if (feed != address(0)) {
            decimals = IAggregator(feed).decimals();
            if (decimals > MAX_DECIMALS) revert Oracle__BadLimit(decimals, MAX_DECIMALS);
            _limits.hasAggregators = true;
        }
        (aggregator.feed, aggregator.maxAgeSec) = (feed, uint24(maxAgeSec));
        (aggregator.decimals, aggregator.maxDeviationWad) = (decimals, uint64(maxDeviationWad));
    }

    /// @dev A second opinion, no second dependency: an aggregator that is late or fails stops nothing.
    function _requireAgreed(Aggregator memory a, uint256 priceWad) private view {
        uint256 otherWad = _answerOf(a);
        if (otherWad == 0) return;
        uint256 apart = priceWad > otherWad ? priceWad - otherWad : otherWad - priceWad;
        uint256 deviationWad = (apart * 1e18) / otherWad;
        if (deviationWad > a.maxDeviationWad) revert Oracle__Disagreement(deviationWad, a.maxDeviationWad);
    }

    /// @dev 0 for an answer that does not count: late, not positive, too large for a price, or none at all. By hand,
    /// because data that do not decode would revert here and not in the call.
    function _answerOf(Aggregator memory a) private view returns (uint256) {
        if (a.feed == address(0)) return 0;
        (bool done, bytes memory data) = a.feed.staticcall(abi.encodeCall(IAggregator.latestRoundData, ()));
        if (!done || data.length < ANSWER_BYTES) return 0;
        (, int256 answer,, uint256 updatedTs,) = abi.decode(data, (uint256, int256, uint256, uint256, uint256));
        if (answer <= 0 || uint256(answer) > RoundDomain.MAX_PRICE_WAD) return 0;
        if (updatedTs < block.timestamp && block.timestamp - updatedTs > a.maxAgeSec) return 0;
        return uint256(answer) * 10 ** (MAX_DECIMALS - a.decimals);
    }
}
