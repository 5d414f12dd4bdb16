// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";

/// @title AccountWord
/// @notice The account parameters that a margin check needs in one storage word.
/// @dev Nine fields of 28 bits in steps of 1e-6, the first named one lowest: imFactor, mmFactor, pegThreshold,
/// pegSlope, confThreshold, confRate, stressShare, debtRate, closeShare; then a 1.
/// @custom:unit wad
library AccountWord {
    /// @notice Parameters are whole multiples of this.
    uint256 internal constant STEP_WAD = 1e12;
    uint256 private constant FIELD_BITS = 28;
    /// @dev The bit above all fields: a packed word is never 0.
    uint256 private constant IS_SET = 1 << 252;
    uint256 private constant FIELD_MASK = (1 << FIELD_BITS) - 1;

    /// @notice Packs parameters; each is a multiple of STEP_WAD below 268 wad.
    /// @param p Parameters.
    /// @return word Packed.
    function pack(IScenarioBook.AccountParams memory p) internal pure returns (uint256 word) {
        uint256[9] memory fields = [
            p.imFactorWad,
            p.mmFactorWad,
            p.pegThresholdWad,
            p.pegSlopeWad,
            p.confThresholdWad,
            p.confRateWad,
            p.stressShareWad,
            p.debtRateWad,
            p.closeShareWad
        ];
        word = IS_SET;
        for (uint256 i; i < 9; ++i) {
            word |= (fields[i] / STEP_WAD) << (i * FIELD_BITS);
        }
    }

    /// @notice Unpacks all of them.
    /// @param p Memory of the parameters.
    /// @param word Packed.
    function unpack(IScenarioBook.AccountParams memory p, uint256 word) internal pure {
        (p.imFactorWad, p.mmFactorWad) = (imFactorOf(word), mmFactorOf(word));
        (p.pegThresholdWad, p.pegSlopeWad) = (pegThresholdOf(word), pegSlopeOf(word));
        (p.confThresholdWad, p.confRateWad) = (confThresholdOf(word), confRateOf(word));
        p.stressShareWad = stressShareOf(word);
        (p.debtRateWad, p.closeShareWad) = (debtRateOf(word), closeShareOf(word));
    }

    /// @notice Factor of initial margin.
    /// @param word Packed.
    /// @return Wad.
    function imFactorOf(uint256 word) internal pure returns (uint256) {
        return _field(word);
    }

    /// @notice Factor of maintenance margin.
    /// @param word Packed.
    /// @return Wad.
    function mmFactorOf(uint256 word) internal pure returns (uint256) {
        return _field(word >> 28);
    }

    /// @notice Price of the cash token below which initial margin rises.
    /// @param word Packed.
    /// @return Wad.
    function pegThresholdOf(uint256 word) internal pure returns (uint256) {
        return _field(word >> 56);
    }

    /// @notice How fast it rises.
    /// @param word Packed.
    /// @return Wad.
    function pegSlopeOf(uint256 word) internal pure returns (uint256) {
        return _field(word >> 84);
    }

    /// @notice Confidence of a round below which a charge is added.
    /// @param word Packed.
    /// @return Wad.
    function confThresholdOf(uint256 word) internal pure returns (uint256) {
        return _field(word >> 112);
    }

    /// @notice Rate of that charge.
    /// @param word Packed.
    /// @return Wad.
    function confRateOf(uint256 word) internal pure returns (uint256) {
        return _field(word >> 140);
    }

    /// @notice Share of the plain sum of requirements in CROSS.
    /// @param word Packed.
    /// @return Wad.
    function stressShareOf(uint256 word) internal pure returns (uint256) {
        return _field(word >> 168);
    }

    /// @notice Requirement of a unit of debt.
    /// @param word Packed.
    /// @return Wad.
    function debtRateOf(uint256 word) internal pure returns (uint256) {
        return _field(word >> 196);
    }

    /// @notice What may be lost of equity for a unit of initial margin set free, below initial margin.
    /// @param word Packed.
    /// @return Wad.
    function closeShareOf(uint256 word) internal pure returns (uint256) {
        return _field(word >> 224);
    }

    /// @dev The lowest field.
    function _field(uint256 word) private pure returns (uint256) {
        unchecked {
            // Unchecked: 2**28 * 1e12 < 2**68.
            return (word & FIELD_MASK) * STEP_WAD;
        }
    }
}
