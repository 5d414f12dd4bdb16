// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {PositionWord} from "./PositionWord.sol";
import {Units} from "./Units.sol";
import {WadMath} from "./WadMath.sol";

/// @title SettlementMath
/// @notice Cash value of a position at its settlement price.
/// @custom:unit wad
library SettlementMath {
    using PositionWord for uint256;

    /// @notice q * intrinsic of an option, q * (price - entry) of a future.
    /// @custom:rounding down, against the holder (R-03)
    /// @param word Packed position of a dated instrument.
    /// @param priceWad Settlement price, wad, below 2**127.
    /// @return cashWad Cash the holder gets; negative when he pays.
    function valueOf(uint256 word, int256 priceWad) internal pure returns (int256 cashWad) {
        int256 unitWad = priceWad - word.priceE8Of() * Units.E8_TO_WAD;
        if (word.kindOf() == PositionWord.PUT) unitWad = -unitWad;
        if (word.isOption() && unitWad < 0) unitWad = 0;
        cashWad = WadMath.mulWadDown(word.quantityOf(), unitWad);
    }
}
