// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IRateFeed
/// @notice Keeps how many units of its underlying a wrapped or staked token stands for, as the token itself says.
/// @dev Flow: [feeds] -> risk. Writes ScenarioBook.setRatio and nothing else; no margin check reads it.
/// A rate counts once two observations, at least gapSec apart, agree on it: of two above the book's ratio the lower, of
/// two below it the higher, of one on each side neither. In between anybody may add an observation, which can only pull
/// the first one towards the book's ratio. So what is pushed within one block, or within each of two blocks with
/// somebody looking in between, moves nothing; what stays pushed moves the ratio by the bound.
interface IRateFeed {
    /// @notice How a source states its rate.
    /// @dev ERC4626: convertToAssets of one share, in whole assets. All others return wad: GET_RATE getRate() (rate
    /// providers, weETH), EXCHANGE_RATE exchangeRate() (cbETH, wBETH), GET_EXCHANGE_RATE getExchangeRate() (rETH),
    /// STETH_PER_TOKEN stEthPerToken() (wstETH).
    enum Form {
        NONE,
        ERC4626,
        GET_RATE,
        EXCHANGE_RATE,
        GET_EXCHANGE_RATE,
        STETH_PER_TOKEN
    }

    /// @notice Where the rate of a token comes from, and how far it may move.
    /// @custom:unit wad per day, seconds
    struct Terms {
        address source;
        Form form;
        /// @dev Least time between the two observations of a rate, and so between two updates of the book.
        uint32 gapSec;
        /// @dev Largest rise and fall in a day, as fractions of the ratio: pro rata for shorter times.
        uint64 maxRiseWad;
        uint64 maxFallWad;
    }

    /// @notice What has been seen of a token's rate since the last update.
    /// @custom:unit wad
    struct Observation {
        /// @dev 0 when nothing has been seen yet.
        uint40 ts;
        uint104 rateWad;
        /// @dev When the ratio was last settled; its next move is bounded by the time since.
        uint40 settledTs;
    }

    /// @notice Emitted when a token gets a source, another one, or none.
    /// @param tokenId Token.
    /// @param terms Terms; the source is 0 when the ratio stays as it is from now on.
    event SourceSet(uint256 indexed tokenId, Terms terms);
    /// @notice Emitted when an observation is the first of a pair, or pulled the first one towards the book's ratio.
    /// @param tokenId Token.
    /// @param rateWad What a second observation is compared with.
    /// @param ts Time of the first observation.
    event RateObserved(uint256 indexed tokenId, uint256 rateWad, uint256 ts);
    /// @notice Emitted when two observations are complete.
    /// @param tokenId Token.
    /// @param rateWad Rate that both agree on.
    /// @param ratioWad Ratio in the book from now on: the rate, as far as the bounds let it.
    event RateSettled(uint256 indexed tokenId, uint256 rateWad, uint256 ratioWad);

    /// @notice Thrown for a token without a source.
    error RateFeed__NoSource(uint256 tokenId);
    /// @notice Thrown when a parameter is outside its interval.
    error RateFeed__BadTerms(bytes32 name, uint256 observed, uint256 limit);
    /// @notice Thrown when the source reverts, has no code, or returns less than a word.
    error RateFeed__SourceFailed(uint256 tokenId, address source);
    /// @notice Thrown when the source states no rate, or one above a million.
    error RateFeed__BadRate(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when a new source states a rate too far from the book's ratio: a wrong form, token or scale.
    error RateFeed__FarFromBook(uint256 observedWad, uint256 ratioWad);
    /// @notice Thrown before the second observation may be made, when another first one would change nothing.
    error RateFeed__TooEarly(uint256 ts, uint256 earliestTs);

    /// @notice Sets or removes the source of a token that is listed in the book.
    /// @dev The source must answer at once, within 10 % of the book's ratio. What was observed before is forgotten.
    /// @param tokenId Token id given by the vault.
    /// @param terms Terms; source 0 removes.
    function setSource(uint256 tokenId, Terms calldata terms) external;

    /// @notice Observes the rate of a token, and moves the book's ratio when this completes a pair; anyone may call.
    /// @dev Reverts leave everything as it was. A pair that does not agree keeps the ratio; either way its second
    /// observation is the first of the next pair.
    /// @param tokenId Token.
    /// @return ratioWad Ratio in the book after the call.
    function update(uint256 tokenId) external returns (uint256 ratioWad);

    /// @notice What the source states now, whether it counts or not.
    /// @param tokenId Token.
    /// @return rateWad Units of the underlying in one token, wad.
    function rateOf(uint256 tokenId) external view returns (uint256 rateWad);

    /// @notice Source and bounds of a token.
    /// @param tokenId Token.
    /// @return terms Terms; the source is 0 when it has none.
    function termsOf(uint256 tokenId) external view returns (Terms memory terms);

    /// @notice What has been seen of a token's rate.
    /// @param tokenId Token.
    /// @return observation First observation of the pair under way.
    function observationOf(uint256 tokenId) external view returns (Observation memory observation);
}
