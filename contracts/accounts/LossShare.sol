// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IAuction} from "../../interfaces/IAuction.sol";
import {IVault} from "../../interfaces/IVault.sol";
import {Units} from "../libraries/Units.sol";

/// @title LossShare
/// @notice While an insolvent auction is open, cash that leaves pays its share of the expected loss into a pot; once no
/// loss is open, what the cash would not have lost had it stayed goes back. See IVault.
/// @dev A share left in the account itself would bear its own fraction of the loss only, and could be traded to another
/// account that leaves in its turn.
abstract contract LossShare is IVault {
    /// @dev The insurance fund's account, which anybody may fill.
    uint256 internal constant FUND = Units.FUND;
    uint256 private constant WAD = Units.UWAD;

    IAccounts internal immutable ACCOUNTS;

    /// @dev Cash taken out, the share left for it, and the sum of cash taken over the index of positive cash then.
    struct Left {
        uint128 takenWad;
        uint128 leftWad;
        uint256 unitsWad;
    }

    IAuction internal _auction;
    /// @dev Account of the vault that keeps the shares; 0 before the first.
    uint256 private _potId;
    uint256 private _potWad;
    mapping(uint256 accountId => Left) private _left;

    constructor(IAccounts accounts) {
        ACCOUNTS = accounts;
    }

    /// @inheritdoc IVault
    function leftOf(uint256 accountId) external view override returns (uint256 takenWad, uint256 leftWad) {
        (takenWad, leftWad) = (_left[accountId].takenWad, _left[accountId].leftWad);
    }

    /// @inheritdoc IVault
    function lossShareOf(uint256 amountWad) public view override returns (uint256 shareWad) {
        uint256 lossWad = _openLoss();
        if (lossWad == 0) return 0;
        uint256 positiveWad = ACCOUNTS.positiveCashWad();
        if (positiveWad != 0) shareWad = FixedPointMathLib.fullMulDivUp(amountWad, lossWad, positiveWad);
    }

    function _openLoss() internal view returns (uint256 lossWad) {
        if (address(_auction) != address(0)) lossWad = _auction.openInsolventLossWad();
    }

    /// @dev Moves the share of cash that is about to leave into the pot.
    function _leave(uint256 accountId, uint256 takenWad) internal {
        uint256 shareWad = lossShareOf(takenWad);
        if (shareWad == 0) return;
        if (_potId == 0) _potId = ACCOUNTS.open(address(this), IAccounts.Mode.SINGLE);
        Left storage left = _left[accountId];
        left.takenWad += uint128(takenWad);
        left.leftWad += uint128(shareWad);
        left.unitsWad += takenWad * WAD / ACCOUNTS.cashIndexWad();
        _potWad += shareWad;
        emit ShareLeft(accountId, takenWad, shareWad);
        ACCOUNTS.moveCash(accountId, _potId, shareWad);
    }

    /// @dev What the cash taken would have lost is due; once nobody is owed a share, the rest goes to the fund.
    function _release(uint256 accountId) internal {
        uint256 lossWad = _openLoss();
        if (lossWad != 0) revert Vault__LossOpen(lossWad, 0);
        Left memory left = _left[accountId];
        if (left.leftWad == 0) revert Vault__NothingLeft(0, 1);
        delete _left[accountId];
        _potWad -= left.leftWad;
        uint256 backWad = _backOf(accountId, left);
        emit ShareReleased(accountId, backWad, left.leftWad - backWad);
        if (backWad != 0) ACCOUNTS.moveCash(_potId, accountId, backWad);
        if (_potWad != 0) return;
        int256 restWad = ACCOUNTS.cashOf(_potId);
        if (restWad > 0) ACCOUNTS.moveCash(_potId, FUND, uint256(restWad));
    }

    function _backOf(uint256 accountId, Left memory left) private view returns (uint256 backWad) {
        // Nothing can be paid to an account that was closed meanwhile.
        try ACCOUNTS.cashOf(accountId) returns (int256) {
            uint256 staysWad = FixedPointMathLib.mulWad(left.unitsWad, ACCOUNTS.cashIndexWad());
            uint256 dueWad = FixedPointMathLib.zeroFloorSub(left.takenWad, staysWad);
            backWad = FixedPointMathLib.zeroFloorSub(left.leftWad, dueWad);
            int256 potWad = ACCOUNTS.cashOf(_potId);
            backWad = potWad > 0 ? FixedPointMathLib.min(backWad, uint256(potWad)) : 0;
        } catch {
            backWad = 0;
        }
    }
}
