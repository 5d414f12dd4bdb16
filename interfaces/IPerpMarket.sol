// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IPerpMarket
/// @notice Turns the premium of the latest signed round into the funding rate of the ledger; anyone may call.
/// @dev rate = clamp(P - S, -maxPremium*S, maxPremium*S) a period, in cash per unit of a long. The ledger lets a rate
/// run for an hour at most, so funding stops where rounds stop.
interface IPerpMarket {
    /// @notice Terms of the funding of one underlying.
    /// @custom:unit wad
    struct Terms {
        /// @dev Largest premium that counts, as a share of spot.
        uint64 maxPremiumWad;
        /// @dev Time over which a premium is paid once.
        uint32 periodSec;
    }

    /// @notice Emitted when terms change.
    /// @param underlyingId Underlying.
    /// @param terms Terms.
    event TermsSet(uint8 indexed underlyingId, Terms terms);
    /// @notice Emitted when a round sets the rate.
    /// @param underlyingId Underlying.
    /// @param roundTs Time of the round.
    /// @param rateWad Cash that one unit of a long pays a day; negative when shorts pay.
    event FundingUpdated(uint8 indexed underlyingId, uint40 roundTs, int256 rateWad);

    /// @notice Thrown when an underlying has no terms.
    error PerpMarket__NoTerms(uint8 underlyingId);
    /// @notice Thrown when the largest premium is above what may be set.
    error PerpMarket__PremiumTooLarge(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when the period is shorter than may be set.
    error PerpMarket__PeriodTooShort(uint256 observedSec, uint256 minimumSec);

    /// @notice Sets the funding rate by the latest round; without a newer one than last time it changes nothing.
    /// @param underlyingId Underlying.
    /// @return updated Whether there was a newer round.
    function update(uint8 underlyingId) external returns (bool updated);

    /// @notice Sets the terms of an underlying; they count from the next round on. Governance only.
    /// @param underlyingId Underlying.
    /// @param terms Largest premium at most 5%, period at least an hour.
    function setTerms(uint8 underlyingId, Terms calldata terms) external;

    /// @notice Terms of an underlying.
    /// @param underlyingId Underlying.
    /// @return terms Terms.
    /// @return roundTs Time of the round that set the present rate.
    function termsOf(uint8 underlyingId) external view returns (Terms memory terms, uint40 roundTs);
}
