// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {PositionWord} from "./PositionWord.sol";
import {WadMath} from "./WadMath.sol";

/// @title LinearMath
/// @notice How a position changes when its instrument trades: options add up, linear instruments average their entry.
/// @custom:rounding entries against the holder (long up, short down), realised cash down (R-03)
library LinearMath {
    using PositionWord for uint256;

    /// @notice Adds a signed quantity at a price to a position.
    /// @dev For options the price is the strike and no cash is realised. For linear instruments the part that
    /// reduces the position realises (price - entry); the part that enlarges it averages the entry.
    /// @param word Position before; its quantity may be 0 for a new one.
    /// @param quantityWad Signed change, not 0.
    /// @param priceE8 Trade price of a linear instrument, 1e-8 cash.
    /// @return merged Position after; its quantity is 0 when closed.
    /// @return cashWad Realised profit, wad.
    function merge(uint256 word, int256 quantityWad, int256 priceE8)
        internal
        pure
        returns (uint256 merged, int256 cashWad)
    {
        int256 held = word.quantityOf();
        int256 total = held + quantityWad;
        int256 entryE8 = word.priceE8Of();
        if (!word.isOption()) {
            bool grows = held == 0 || (held > 0) == (quantityWad > 0);
            if (grows) {
                (entryE8, cashWad) = _average(held, entryE8, quantityWad, priceE8);
            } else {
                bool flips = (total > 0) == (quantityWad > 0) && total != 0;
                int256 closed = flips ? -held : quantityWad;
                // Selling `-closed` of a long (or buying back a short) realises (price - entry) per unit.
                cashWad = WadMath.divDown(-closed * (priceE8 - entryE8), 1e8);
                if (flips) entryE8 = priceE8;
            }
        }
        merged = PositionWord.pack(word.underlyingOf(), word.kindOf(), word.expiryOf(), entryE8, total);
    }

    /// @dev Average entry in whole steps; what the step takes off or adds comes back as cash, rounded down.
    function _average(int256 held, int256 entryE8, int256 quantityWad, int256 priceE8)
        private
        pure
        returns (int256 averageE8, int256 cashWad)
    {
        int256 total = held + quantityWad;
        int256 costE8 = held * entryE8 + quantityWad * priceE8;
        averageE8 = total > 0 ? WadMath.divUp(costE8, total) : -WadMath.divUp(costE8, -total);
        cashWad = WadMath.divDown(total * averageE8 - costE8, 1e8);
    }
}
