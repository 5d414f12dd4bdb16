// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccounts} from "../../interfaces/IAccounts.sol";
import {PositionWord} from "../libraries/PositionWord.sol";

/// @title OpenInterest
/// @notice Sum of long quantities per series (underlying, kind, expiry) and the cap on it. See IAccounts.
abstract contract OpenInterest is IAccounts {
    using PositionWord for uint256;

    /// @dev Underlying, kind and expiry are the top 56 bits of a position word; without the expiry it is 16.
    uint256 private constant SERIES_SHIFT = 200;
    uint256 private constant KIND_SHIFT = 240;

    mapping(uint256 series => uint256) private _longWad;
    mapping(uint256 underlyingAndKind => uint256) private _capWad;

    /// @inheritdoc IAccounts
    function openInterestOf(uint256 instrument) external view override returns (uint256 longWad, uint256 capWad) {
        (longWad, capWad) = (_longWad[instrument >> SERIES_SHIFT], _capWad[instrument >> KIND_SHIFT]);
    }

    /// @dev Sets one cap for every series of a kind in an underlying; a cap of 0 means none.
    function _setCap(uint8 underlyingId, uint8 kind, uint256 capWad) internal {
        if (underlyingId == 0 || kind > PositionWord.LAST_KIND) revert Accounts__BadKind(underlyingId, kind);
        _capWad[uint256(underlyingId) << 8 | kind] = capWad;
        emit OpenInterestCapSet(underlyingId, kind, capWad);
    }

    /// @dev Only growth is refused: a cap below what is open leaves room for every reduction and for liquidations.
    function _open(uint256 instrument, int256 changeWad) internal {
        if (changeWad == 0) return;
        uint256 longWad = uint256(int256(_longWad[instrument >> SERIES_SHIFT]) + changeWad);
        _longWad[instrument >> SERIES_SHIFT] = longWad;
        if (changeWad < 0) return;
        uint256 capWad = _capWad[instrument >> KIND_SHIFT];
        if (capWad != 0 && longWad > capWad) revert Accounts__OpenInterestAboveCap(longWad, capWad);
    }
}
