// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IOracle} from "interfaces/IOracle.sol";
import {IScenarioBook} from "interfaces/IScenarioBook.sol";
import {AccountWord} from "contracts/libraries/AccountWord.sol";
import {PositionWord} from "contracts/libraries/PositionWord.sol";
import {SurfaceWord} from "contracts/libraries/SurfaceWord.sol";

/// @title WordChecks
/// @notice What goes into a packed word comes out of it, and no field touches another: for every input there is.
contract WordChecks {
    /// @notice Every field of a position is read as it was packed.
    function check_positionWord_packThenRead(
        uint8 underlyingId,
        uint8 kind,
        uint40 expiryTs,
        int72 priceE8,
        int128 quantityWad
    ) external pure {
        uint256 word = PositionWord.pack(underlyingId, kind, expiryTs, priceE8, quantityWad);
        assert(PositionWord.underlyingOf(word) == underlyingId);
        assert(PositionWord.kindOf(word) == kind);
        assert(PositionWord.expiryOf(word) == expiryTs);
        assert(PositionWord.priceE8Of(word) == priceE8);
        assert(PositionWord.quantityOf(word) == quantityWad);
    }

    /// @notice Every word there is can be read and packed again.
    function check_positionWord_readThenPack(uint256 word) external pure {
        uint256 again = PositionWord.pack(
            PositionWord.underlyingOf(word),
            PositionWord.kindOf(word),
            PositionWord.expiryOf(word),
            PositionWord.priceE8Of(word),
            PositionWord.quantityOf(word)
        );
        assert(again == word);
    }

    /// @notice Two words are of one instrument exactly when its fields agree; a linear one's price is its entry.
    function check_positionWord_sameInstrument(uint256 a, uint256 b) external pure {
        bool isSame = PositionWord.underlyingOf(a) == PositionWord.underlyingOf(b)
            && PositionWord.kindOf(a) == PositionWord.kindOf(b)
            && PositionWord.expiryOf(a) == PositionWord.expiryOf(b)
            && (!PositionWord.isOption(a) || PositionWord.priceE8Of(a) == PositionWord.priceE8Of(b));
        assert(isSame == (PositionWord.instrumentOf(a) == PositionWord.instrumentOf(b)));
    }

    /// @notice A surface within the widths of its fields, which the oracle's domain keeps, is read as it was packed.
    function check_surfaceWord_packThenRead(uint40 roundTs, IOracle.Surface calldata s) external pure {
        if (s.forwardWad >= 1 << 100 || s.bWad >= 1 << 61 || s.sWad >= 1 << 63) return;
        if (s.rateWad != int64(s.rateWad) || s.mWad != int64(s.mWad)) return;
        if (s.aWad >= 1 << 70 || s.aWad < -(1 << 70) || s.rhoWad >= 1 << 60 || s.rhoWad < -(1 << 60)) return;
        (uint256 head, uint256 tail) = SurfaceWord.pack(roundTs, s);
        IOracle.Surface memory read;
        SurfaceWord.unpack(read, head, tail);
        assert(read.forwardWad == s.forwardWad);
        assert(read.rateWad == s.rateWad);
        assert(read.mWad == s.mWad);
        assert(read.aWad == s.aWad);
        assert(read.bWad == s.bWad);
        assert(read.rhoWad == s.rhoWad);
        assert(read.sWad == s.sWad);
        assert(head == 0 || SurfaceWord.isOf(head, roundTs));
    }

    /// @notice Every word of account parameters is read field by field, in steps of 1e-6.
    function check_accountWord_read(uint256 word) external pure {
        IScenarioBook.AccountParams memory p;
        AccountWord.unpack(p, word);
        assert(p.imFactorWad == _field(word, 0));
        assert(p.mmFactorWad == _field(word, 1));
        assert(p.pegThresholdWad == _field(word, 2));
        assert(p.pegSlopeWad == _field(word, 3));
        assert(p.confThresholdWad == _field(word, 4));
        assert(p.confRateWad == _field(word, 5));
        assert(p.stressShareWad == _field(word, 6));
        assert(p.debtRateWad == _field(word, 7));
        assert(p.closeShareWad == _field(word, 8));
    }

    function _field(uint256 word, uint256 number) private pure returns (uint256) {
        return uint256(uint32(word >> (28 * number)) & 0xfffffff) * 1e12;
    }
}
