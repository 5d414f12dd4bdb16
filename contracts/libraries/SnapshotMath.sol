// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {LinearMath} from "./LinearMath.sol";
import {PositionWord} from "./PositionWord.sol";

/// @title SnapshotMath
/// @notice A snapshot with hypothetical changes applied, as the ledger would apply them.
library SnapshotMath {
    using PositionWord for uint256;

    /// @notice Applies changes to a copy of a snapshot.
    /// @param s Account now.
    /// @param c Changes.
    /// @return t Account then.
    function applied(IAccounts.Snapshot memory s, IMarginEngine.Changes memory c)
        internal
        pure
        returns (IAccounts.Snapshot memory t)
    {
        if (c.tokenIds.length != c.amountDeltasWad.length) {
            revert IMarginEngine.MarginEngine__BadLength(c.amountDeltasWad.length, c.tokenIds.length);
        }
        t.mode = c.mode == type(uint8).max ? s.mode : c.mode;
        t.cashWad = s.cashWad + c.cashDeltaWad;
        (t.tokenIds, t.amountsWad) = (s.tokenIds, s.amountsWad);
        for (uint256 i; i < c.tokenIds.length; ++i) {
            _addToken(t, c.tokenIds[i], c.amountDeltasWad[i]);
        }
        t.positions = s.positions;
        for (uint256 i; i < c.positions.length; ++i) {
            _addPosition(t, c.positions[i]);
        }
    }

    /// @notice Most of an instrument that a trade can take without opening anything.
    /// @param words Positions.
    /// @param instrument Position word.
    /// @param isBuy Whether the trade buys.
    /// @return Quantity, wad; 0 when nothing is held on the other side.
    function closableOf(uint256[] memory words, uint256 instrument, bool isBuy) internal pure returns (uint256) {
        // The kind is part of the compared bits, so one shift serves every word; a linear price is no part of them.
        uint256 shift = instrument.isOption() ? 128 : 200;
        uint256 left = words.length;
        while (left != 0 && (words[left - 1] ^ instrument) >> shift != 0) --left;
        int256 heldWad = left == 0 ? int256(0) : words[left - 1].quantityOf();
        int256 closableWad = isBuy ? -heldWad : heldWad;
        return closableWad > 0 ? uint256(closableWad) : 0;
    }

    function _addToken(IAccounts.Snapshot memory t, uint256 tokenId, int256 deltaWad) private pure {
        uint256 n = t.tokenIds.length;
        uint256 at;
        while (at < n && t.tokenIds[at] != tokenId) ++at;
        int256 amountWad = (at < n ? int256(t.amountsWad[at]) : int256(0)) + deltaWad;
        if (amountWad < 0) revert IMarginEngine.MarginEngine__NegativeAmount(tokenId, amountWad);
        if (at == n) {
            t.tokenIds = _grown(t.tokenIds);
            t.amountsWad = _grown(t.amountsWad);
            t.tokenIds[at] = tokenId;
        }
        t.amountsWad[at] = uint256(amountWad);
    }

    function _addPosition(IAccounts.Snapshot memory t, uint256 change) private pure {
        uint256 n = t.positions.length;
        uint256 at;
        while (at < n && t.positions[at].instrumentOf() != change.instrumentOf()) ++at;
        if (at == n) {
            t.positions = _grown(t.positions);
            t.positions[at] = change;
            return;
        }
        uint256 old = t.positions[at];
        (uint256 merged, int256 cashWad) = LinearMath.merge(old, change.quantityOf(), change.priceE8Of());
        t.cashWad += cashWad;
        if (merged.quantityOf() != 0) {
            t.positions[at] = merged;
        } else {
            t.positions[at] = t.positions[n - 1];
            uint256[] memory words = t.positions;
            assembly ("memory-safe") {
                // Drop the last element; equivalent: copy the first n - 1.
                mstore(words, sub(n, 1))
            }
        }
    }

    function _grown(uint256[] memory a) private pure returns (uint256[] memory b) {
        b = new uint256[](a.length + 1);
        for (uint256 i; i < a.length; ++i) {
            b[i] = a[i];
        }
    }
}
