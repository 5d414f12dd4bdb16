// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IRateFeed
/// @notice Keeps how many units of its underlying a wrapped or staked token stands for, as the token itself says.
/// @dev Flow: [feeds] -> risk. Writes ScenarioBook.setRatio and nothing else. The book's ratio is what maintenance
/// margin and auctions go by; what an owner does of its own will goes by the lower of it and ceilingOf
/// (IMarginEngine.enforce).
/// A rate moves the ratio once two observations agree on it: of two above the ratio, at least gapSec apart, the lower;
/// of two below it, at least fallGapSec apart, the higher. One on the other side begins another pair. In between
/// anybody may add an observation, which can only pull the first one towards the ratio. So what is pushed within one
/// block, or within each of two blocks with somebody looking in between, moves nothing; what stays pushed moves the
/// ratio by the bound.
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
        /// @dev Least time between the two observations of a rise.
        uint32 gapSec;
        /// @dev The same of a fall: long enough for somebody to look in between.
        uint32 fallGapSec;
        /// @dev Largest rise in a day, as a fraction of the ratio: pro rata for shorter times.
        uint64 maxRiseWad;
        /// @dev Largest fall in a day, as a fraction of the ratio: at once, and what is used comes back over a day.
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
        /// @dev What of a day's bound on falls was used then.
        uint64 fallenWad;
    }

    /// @notice Emitted when a token gets a source, another one, or none.
    /// @param tokenId Token.
    /// @param terms Terms; the source is 0 when the ratio stays as it is from now on.
    event SourceSet(uint256 indexed tokenId, Terms terms);
    /// @notice Emitted when an observation is the first of a pair, or pulled the first one towards the book's ratio.
    /// @param tokenId Token.
    /// @param rateWad What a second observation is compared with: below the ratio it is a fall.
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
    /// @notice Thrown when the source reverts, has no code, returns less than a word, or takes more than 200,000 gas.
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
    /// @dev Reverts leave everything as it was. The second observation of a pair is the first of the next one.
    /// @param tokenId Token.
    /// @return ratioWad Ratio in the book after the call.
    function update(uint256 tokenId) external returns (uint256 ratioWad);

    /// @notice Most that one token may count for in the initial margin of an owner's action: what its source states.
    /// @dev Never reverts. The source has 200,000 gas; whoever leaves less for it runs out of gas here.
    /// @param tokenId Token.
    /// @return rateWad Units of the underlying in one token, wad: 0 when the source fails or states no rate, or one
    /// above a million; the largest number when the token has no source.
    function ceilingOf(uint256 tokenId) external view returns (uint256 rateWad);

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
