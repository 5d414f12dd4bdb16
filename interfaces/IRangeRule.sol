// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IRangeRule
/// @notice Lets the price range of an underlying follow the market by a rule that anybody may apply.
/// @dev Flow: feeds -> [risk]. Writes ScenarioBook.setRange and nothing else; no margin check reads it.
/// The rule sees the spot of a fresh round. What a day (UTC) tells is the span between the highest and the lowest price
/// seen in it, the last price seen before it among them: a thousand calls tell no more than two. The average of the
/// squared spans, older days counting less, times a multiple is the range that the rule asks for: never below a floor,
/// never above a ceiling, and never further than a day's speed from the range with which the day began.
interface IRangeRule {
    /// @notice What the rule asks of one underlying.
    /// @custom:unit wad
    struct Terms {
        /// @dev The range that passed the back-test: the rule only asks for more.
        uint64 floorWad;
        /// @dev 0 where no rule applies.
        uint64 ceilingWad;
        /// @dev Range in units of the root of the averaged squared span.
        uint64 multipleWad;
        /// @dev Share of the average that a day leaves; the day's own square gets the rest.
        uint64 keptWad;
        /// @dev Furthest above and below the range with which a day began.
        uint64 maxRiseWad;
        uint64 maxFallWad;
    }

    /// @notice What has been seen of an underlying.
    /// @custom:unit wad
    struct Observation {
        /// @dev Days since 1970 of the last price seen.
        uint32 day;
        /// @dev Time of the last round seen; 0 when none was.
        uint40 ts;
        /// @dev Lowest price seen in the day, the last one before it included.
        uint104 lowWad;
        /// @dev Range with which the day began.
        uint64 baseWad;
        /// @dev Highest price seen in the day, the last one before it included.
        uint104 highWad;
        /// @dev Last price seen.
        uint104 lastWad;
        /// @dev Average of the squared spans of the days before this one.
        uint128 varianceWad;
        /// @dev Range as this rule last left it.
        uint64 rangeWad;
    }

    /// @notice Emitted when an underlying gets terms, other ones, or none.
    /// @param underlyingId Underlying.
    /// @param terms Terms; the ceiling is 0 when the range stays as it is from now on.
    event RangeTermsSet(uint8 indexed underlyingId, Terms terms);
    /// @notice Emitted for every price that the rule sees.
    /// @param underlyingId Underlying.
    /// @param ts Time of the round.
    /// @param varianceWad Average of the squared spans of the days before.
    /// @param targetWad Range that the rule asks for without regard to speed.
    /// @param rangeWad Range in the book from now on.
    event RangeObserved(
        uint8 indexed underlyingId, uint40 ts, uint256 varianceWad, uint256 targetWad, uint256 rangeWad
    );

    /// @notice Thrown for an underlying to which no rule applies.
    error RangeRule__NoTerms(uint256 underlyingId);
    /// @notice Thrown when a parameter is outside its interval.
    error RangeRule__BadTerms(bytes32 name, uint256 observed, uint256 limit);
    /// @notice Thrown when the latest round has been seen already.
    error RangeRule__NothingNew(uint256 observedTs, uint256 seenTs);

    /// @notice Sets or removes the terms of a listed underlying. What has been seen is kept, and forgotten on removal.
    /// @param underlyingId Underlying.
    /// @param terms Terms; ceiling 0 removes.
    function setTerms(uint8 underlyingId, Terms calldata terms) external;

    /// @notice Shows the rule the latest round, and moves the book's range as the rule says; anyone may call.
    /// @dev A change starts the grace that every change of parameters starts. While one of this book runs nothing
    /// falls, and after a fall nothing rises: what held before the grace would be no yardstick for both. Reverts when
    /// the round is stale.
    /// @param underlyingId Underlying.
    /// @return rangeWad Range in the book after the call, wad.
    function recalibrate(uint8 underlyingId) external returns (uint256 rangeWad);

    /// @notice Terms of an underlying.
    /// @param underlyingId Underlying.
    /// @return terms Terms; the ceiling is 0 when it has none.
    function termsOf(uint8 underlyingId) external view returns (Terms memory terms);

    /// @notice What has been seen of an underlying.
    /// @param underlyingId Underlying.
    /// @return observation Prices of the day, average of the days before, ranges.
    function observationOf(uint8 underlyingId) external view returns (Observation memory observation);
}
