// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ln} from "./Ln.sol";
import {NormalQuartic} from "./NormalQuartic.sol";
import {Sqrt} from "./Sqrt.sol";

/// @title ScenarioCalls
/// @notice One undiscounted call under many scenarios: price moves with known logarithms, three volatilities.
/// @dev One logarithm and one root per option, one reciprocal per volatility, two table reads per row. The table is in
/// memory (NormalQuartic.load), once for any number of options.
/// @custom:unit wad; time in seconds, a year has 365 days
/// @custom:error-bound price 4e-11*(F' + K), F' the moved forward
library ScenarioCalls {
    uint256 private constant LIMIT = 1 << 104;
    /// @dev One second in years of 365 days, wad squared.
    uint256 private constant SECOND = 31709791983764586504312531710;

    /// @notice Thrown when a price is 2^104 wei or more, or a volatility or a time 2^104 or more; names their union.
    error ScenarioCalls__TooLarge(uint256 observed, uint256 limit);

    /// @notice Packs a row.
    /// @param lnMoveQ64 ln(1 + x), Q64, |ln| < 2^31.
    /// @param growthQ64 1 + x, Q64, below 2^31.
    /// @param vol Index of the volatility, 0 to 2.
    /// @return Row: [lnMove 96][growth 96][byte offset of the volatility 64].
    function row(int256 lnMoveQ64, uint256 growthQ64, uint256 vol) internal pure returns (uint256) {
        unchecked {
            // Unchecked: the offset is at most 64.
            return (uint256(lnMoveQ64) << 160) | (growthQ64 << 64) | (vol << 5);
        }
    }

    /// @notice Price under every row.
    /// @custom:domain prices above 0; prices, volatilities and time below 2^104; anything else reverts by name
    /// @param table Normal table in memory.
    /// @param forwardWad Forward before the move.
    /// @param strikeWad Strike.
    /// @param volWad Volatility per year for each index; 0 gives the intrinsic value.
    /// @param timeSec Time to expiry; 0 gives the intrinsic value.
    /// @param rows Packed rows.
    /// @return callWad Price per row, at least the intrinsic value.
    function prices(
        uint256 table,
        uint256 forwardWad,
        uint256 strikeWad,
        uint256[3] memory volWad,
        uint256 timeSec,
        uint256[] memory rows
    ) internal pure returns (uint256[] memory callWad) {
        uint256 union = forwardWad | strikeWad | volWad[0] | volWad[1] | volWad[2] | timeSec;
        if (union >= LIMIT) revert ScenarioCalls__TooLarge(union, LIMIT);
        uint256[6] memory states = _states(volWad, Sqrt.sqrt(timeSec * SECOND));
        int256 lnQ64 = (Ln.lnRatio(forwardWad, strikeWad) << 64) / 1e18;
        callWad = new uint256[](rows.length);
        _walk(table, forwardWad, int256(strikeWad), lnQ64, states, rows, callWad);
    }

    /// @dev Deviations of the three volatilities, Q64, then their reciprocals. Without a deviation the reciprocal takes
    /// every logarithm out of the table: the intrinsic value.
    function _states(uint256[3] memory volWad, uint256 rootWad) private pure returns (uint256[6] memory states) {
        unchecked {
            // Unchecked: the domain bounds vol*root by 2**204 and the shifted deviation by 2**149.
            for (uint256 i; i < 3; ++i) {
                uint256 stdQ64 = (((volWad[i] * rootWad) / 1e18) << 64) / 1e18;
                states[i] = stdQ64;
                states[i + 3] = stdQ64 == 0 ? 1 << 140 : (1 << 128) / stdQ64;
            }
        }
    }

    function _walk(
        uint256 table,
        uint256 forwardWad,
        int256 strikeWad,
        int256 lnQ64,
        uint256[6] memory states,
        uint256[] memory rows,
        uint256[] memory callWad
    ) private pure {
        unchecked {
            // Unchecked: |ln| < 2**71 and a reciprocal at most 2**140; forwards times growth below 2**136.
            for (uint256 i = rows.length << 5; i != 0; i -= 32) {
                uint256 word;
                uint256 std;
                uint256 inverse;
                assembly ("memory-safe") {
                    // Equivalent: word = rows[i/32 - 1]; std = states[vol]; inverse = states[vol + 3].
                    word := mload(add(rows, i))
                    let state := add(states, and(word, 0xff))
                    std := mload(state)
                    inverse := mload(add(state, 0x60))
                }
                int256 d1 = (((lnQ64 + (int256(word) >> 160)) * int256(inverse)) >> 64) + int256(std >> 1);
                int256 forward = int256((forwardWad * ((word >> 64) & ((1 << 96) - 1))) >> 64);
                int256 n2 = NormalQuartic.cdf(table, d1 - int256(std));
                int256 price = (forward * NormalQuartic.cdf(table, d1) - strikeWad * n2) >> 60;
                assembly ("memory-safe") {
                    // Equivalent: callWad[i/32 - 1] = max(price, forward - strikeWad, 0).
                    let over := sub(sub(forward, strikeWad), price)
                    price := add(price, mul(over, sgt(over, 0)))
                    mstore(add(callWad, i), mul(price, sgt(price, 0)))
                }
            }
        }
    }
}
