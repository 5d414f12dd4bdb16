// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LibBit} from "solady/src/utils/LibBit.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {FundingMath} from "../libraries/FundingMath.sol";

/// @title FundingLedger
/// @notice Funding of perpetuals: one index per underlying, and where each position last paid. See IAccounts.
/// @dev The quantity of a perpetual is kept a second time, beside its index, so that neither the margin check nor a
/// change of cash has to search the positions.
abstract contract FundingLedger is IAccounts {
    int256 private constant MAX_RATE_WAD = type(int104).max;
    int256 private constant MAX_INDEX_WAD = type(int112).max;

    /// @dev slot 0. Index at `sinceTs`; it moves by `rateWad` a day for as long as FundingMath says.
    struct Index {
        int112 indexWad;
        int104 rateWad;
        uint40 sinceTs;
    }

    /// @dev slot 0. A perpetual: its quantity and the index up to which it has paid.
    struct Perp {
        int128 quantityWad;
        int128 indexWad;
    }

    mapping(uint256 underlyingId => Index) private _index;
    /// @dev One bit per underlying of which the account holds a perpetual.
    mapping(uint256 accountId => uint256) private _held;
    mapping(uint256 accountId => mapping(uint256 underlyingId => Perp)) private _perps;

    /// @inheritdoc IAccounts
    function fundingOf(uint8 underlyingId)
        external
        view
        override
        returns (int256 indexWad, int256 rateWad, uint40 sinceTs)
    {
        Index memory i = _index[underlyingId];
        (indexWad, rateWad, sinceTs) = (_indexNow(underlyingId), i.rateWad, i.sinceTs);
    }

    /// @dev Books the index up to now and goes on at another rate.
    function _setRate(uint8 underlyingId, int256 rateWad) internal {
        if (rateWad > MAX_RATE_WAD || rateWad < -MAX_RATE_WAD) {
            revert Accounts__FundingRateOutOfRange(rateWad, MAX_RATE_WAD);
        }
        int256 indexWad = _indexNow(underlyingId);
        _index[underlyingId] = Index(int112(indexWad), int104(rateWad), uint40(block.timestamp));
        emit FundingRateSet(underlyingId, indexWad, rateWad);
    }

    /// @dev Writes a perpetual whose funding has been settled in this transaction.
    /// @return change How many perpetuals the account holds more: 1, 0 or -1.
    function _setPerp(uint256 accountId, uint256 underlyingId, int256 quantityWad) internal returns (int256 change) {
        uint256 bit = 1 << underlyingId;
        if (quantityWad == 0) {
            delete _perps[accountId][underlyingId];
            _held[accountId] &= ~bit;
            return -1;
        }
        Perp storage perp = _perps[accountId][underlyingId];
        if (perp.quantityWad == 0) {
            _held[accountId] |= bit;
            change = 1;
        }
        (perp.quantityWad, perp.indexWad) = (int128(quantityWad), int128(_indexNow(underlyingId)));
    }

    /// @dev Moves every perpetual of an account to the index of now.
    /// @return owedWad What it owes for that.
    function _settleFunding(uint256 accountId) internal returns (int256 owedWad) {
        for (uint256 mask = _held[accountId]; mask != 0; mask &= mask - 1) {
            uint256 underlyingId = LibBit.ffs(mask);
            Perp storage perp = _perps[accountId][underlyingId];
            int256 indexWad = _indexNow(underlyingId);
            if (indexWad == perp.indexWad) continue;
            int256 paidWad = FundingMath.owed(perp.quantityWad, indexWad - perp.indexWad);
            owedWad += paidWad;
            perp.indexWad = int128(indexWad);
            emit FundingSettled(accountId, uint8(underlyingId), paidWad, indexWad);
        }
    }

    /// @dev The same without writing.
    function _owedFunding(uint256 accountId) internal view returns (int256 owedWad) {
        for (uint256 mask = _held[accountId]; mask != 0; mask &= mask - 1) {
            uint256 underlyingId = LibBit.ffs(mask);
            Perp memory perp = _perps[accountId][underlyingId];
            owedWad += FundingMath.owed(perp.quantityWad, _indexNow(underlyingId) - perp.indexWad);
        }
    }

    /// @dev An index at the end of its range stays there: nobody pays, nothing reverts.
    function _indexNow(uint256 underlyingId) private view returns (int256 indexWad) {
        Index memory i = _index[underlyingId];
        indexWad = FundingMath.indexAt(i.indexWad, i.rateWad, i.sinceTs, block.timestamp);
        if (indexWad > MAX_INDEX_WAD) indexWad = MAX_INDEX_WAD;
        if (indexWad < -MAX_INDEX_WAD) indexWad = -MAX_INDEX_WAD;
    }
}
