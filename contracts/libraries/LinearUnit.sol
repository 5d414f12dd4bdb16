// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IOracle} from "../../interfaces/IOracle.sol";
import {OptionKernel} from "./OptionKernel.sol";
import {PositionWord} from "./PositionWord.sol";
import {WadMath} from "./WadMath.sol";

/// @title LinearUnit
/// @notice What linear instruments are worth. Whatever is priced, scanned or shown asks here what a kind is.
/// @custom:unit wad
/// @custom:mirror plimsoll.mirror.linear
library LinearUnit {
    /// @notice Cash at stake and value of a quantity.
    /// @dev The cash is what moves with the price; the value is that less what was agreed to be paid.
    /// @custom:rounding down, the value against the holder (R-03)
    /// @param header Header of the round.
    /// @param expiries Expiries of the pass.
    /// @param kind FUTURE or PERP.
    /// @param expiry Number of its expiry; without meaning for a perpetual.
    /// @param q Signed quantity, wad.
    /// @param entryWad Entry, wad.
    /// @return cash Cash at stake, wad.
    /// @return value Value, wad.
    function held(
        IOracle.Header memory header,
        OptionKernel.Expiry[] memory expiries,
        uint256 kind,
        uint256 expiry,
        int256 q,
        int256 entryWad
    ) internal pure returns (int256 cash, int256 value) {
        if (kind == PositionWord.PERP) {
            int256 priceWad = int256(header.perpWad);
            return (WadMath.mulWadDown(q, priceWad), WadMath.mulWadDown(q, priceWad - entryWad));
        }
        OptionKernel.Expiry memory e = expiries[expiry];
        cash = WadMath.mulWadDown(q, e.presentWad);
        value = cash - WadMath.mulWadUp(q, OptionKernel.presentOf(e, entryWad));
    }
}
