// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IOracle} from "../../interfaces/IOracle.sol";

/// @title SurfaceWord
/// @notice One expiry of a round in two storage words: a margin check reads every expiry cold.
/// @dev Most significant first, exactly as wide as RoundDomain allows each number to be:
/// head [roundTs 28][forward 100][rate int64][m int64]; tail [a int71][b 61][rho int61][s 63].
/// The time of the round is kept modulo 2**28 seconds (8.5 years): it only tells whether the latest round wrote the
/// words, and one that left the expiry out would have to miss it for 8.5 years to the second.
library SurfaceWord {
    uint256 private constant TS_MASK = (1 << 28) - 1;

    /// @notice Packs an expiry that RoundDomain has accepted.
    /// @param roundTs Time of its round.
    /// @param s Expiry.
    /// @return head First word.
    /// @return tail Second word.
    function pack(uint256 roundTs, IOracle.Surface calldata s) internal pure returns (uint256 head, uint256 tail) {
        head = (roundTs << 228) | (s.forwardWad << 128) | (_low(s.rateWad, 64) << 64) | _low(s.mWad, 64);
        tail = (_low(s.aWad, 71) << 185) | (s.bWad << 124) | (_low(s.rhoWad, 61) << 63) | s.sWad;
    }

    /// @notice Whether a round wrote the words; never true of empty ones.
    /// @param head First word.
    /// @param roundTs Time of the round.
    /// @return True when it did.
    function isOf(uint256 head, uint256 roundTs) internal pure returns (bool) {
        return head != 0 && head >> 228 == roundTs & TS_MASK;
    }

    /// @notice Forward of an expiry.
    /// @param head First word.
    /// @return Forward; 0 for empty words.
    function forwardOf(uint256 head) internal pure returns (uint256) {
        return (head >> 128) & ((1 << 100) - 1);
    }

    /// @notice Unpacks an expiry.
    /// @param s Memory of the expiry.
    /// @param head First word.
    /// @param tail Second word.
    function unpack(IOracle.Surface memory s, uint256 head, uint256 tail) internal pure {
        s.forwardWad = forwardOf(head);
        s.rateWad = int64(uint64(head >> 64));
        s.mWad = int64(uint64(head));
        s.aWad = int256(tail) >> 185;
        s.bWad = (tail >> 124) & ((1 << 61) - 1);
        s.rhoWad = int256(tail << 132) >> 195;
        s.sWad = tail & ((1 << 63) - 1);
    }

    /// @dev The low bits of a signed number.
    function _low(int256 value, uint256 bits) private pure returns (uint256) {
        return uint256(value) & ((1 << bits) - 1);
    }
}
