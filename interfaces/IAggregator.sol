// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IAggregator
/// @notice What is used of a Chainlink-style feed: a price, or the uptime of a sequencer.
interface IAggregator {
    /// @notice Decimals of the answer.
    /// @return Count.
    function decimals() external view returns (uint8);

    /// @notice The latest answer.
    /// @return roundId Round of the answer.
    /// @return answer Price, or 0 for up and 1 for down.
    /// @return startedTs Start of the round; of an uptime feed the last change of the answer.
    /// @return updatedTs Time of the answer.
    /// @return answeredInRound Round in which it was computed.
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedTs, uint256 updatedTs, uint80 answeredInRound);
}
