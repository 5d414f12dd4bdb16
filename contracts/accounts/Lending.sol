// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccounts} from "../../interfaces/IAccounts.sol";
import {InterestMath} from "../libraries/InterestMath.sol";
import {Units} from "../libraries/Units.sol";
import {WadMath} from "../libraries/WadMath.sol";

/// @title Lending
/// @notice Negative cash is borrowed from positive cash: totals, one index of positive cash and one of debts. See
/// IAccounts.
/// @dev The rate is stored beside the debt: while anybody owes, a reader of any cash loads one word more.
/// Totals change with the cash of accounts; booking what an index did to an account changes none.
abstract contract Lending is IAccounts {
    uint256 internal constant MAX_WAD = uint256(uint128(type(int128).max));
    uint256 private constant START_INDEX_WAD = Units.UWAD;
    uint256 private constant MAX_INDEX_WAD = type(uint72).max;
    uint256 private constant MAX_RATE_E6 = 4e6;
    uint256 private constant MAX_RESERVE_BPS = 5_000;

    /// @dev slot 0. The index of positive cash falls with losses and rises with interest.
    struct Totals {
        uint128 positiveCashWad;
        uint72 cashIndexWad;
        uint32 nextId;
        /// @dev Whether anybody owes anything at a rate: while nobody does, a reader of cash needs no other word.
        bool bearsInterest;
        uint16 reserveBps;
    }

    /// @dev slot 0. Debt at `sinceTs`, from when it grows at the rate.
    struct Loans {
        uint128 debtWad;
        uint72 debtIndexWad;
        uint32 sinceTs;
        uint24 rateE6;
    }

    /// @dev What time has done since the last write.
    struct Accrual {
        uint256 cashIndexWad;
        uint256 debtIndexWad;
        uint256 interestWad;
        uint256 reserveWad;
    }

    Totals internal _totals;
    Loans internal _loans;
    RateCurve private _curve;

    constructor() {
        _totals.cashIndexWad = uint72(START_INDEX_WAD);
        _loans.debtIndexWad = uint72(START_INDEX_WAD);
    }

    /// @inheritdoc IAccounts
    function positiveCashWad() external view override returns (uint256 cashWad) {
        cashWad = _totals.positiveCashWad + _accrual().interestWad;
    }

    /// @inheritdoc IAccounts
    function cashIndexWad() external view override returns (uint256 indexWad) {
        indexWad = _accrual().cashIndexWad;
    }

    /// @inheritdoc IAccounts
    function lendingOf() external view override returns (Loan memory loan, RateCurve memory curve) {
        Accrual memory a = _accrual();
        loan = Loan(_loans.debtWad + a.interestWad, a.debtIndexWad, _loans.rateE6, _loans.sinceTs);
        curve = _curve;
    }

    /// @dev Interest up to now must have been booked.
    function _setCurve(RateCurve calldata curve) internal {
        if (curve.kinkE6 == 0 || curve.kinkE6 >= InterestMath.ONE_E6) {
            revert Accounts__BadKink(curve.kinkE6, InterestMath.ONE_E6);
        }
        _requireRates(curve.baseRateE6, curve.kinkRateE6);
        _requireRates(curve.kinkRateE6, curve.fullRateE6);
        _requireRates(curve.fullRateE6, MAX_RATE_E6);
        if (curve.reserveBps > MAX_RESERVE_BPS) revert Accounts__ReserveTooLarge(curve.reserveBps, MAX_RESERVE_BPS);
        _requireFlat(curve);
        _curve = curve;
        _totals.reserveBps = curve.reserveBps;
        emit RateCurveSet(curve);
        _setLoans(_loans.debtWad);
    }

    /// @dev Books the interest of the time since the last write.
    /// @return reserveWad Share of the insurance fund, to be credited by the caller.
    function _bookInterest() internal returns (uint256 reserveWad) {
        if (_isBooked()) return 0;
        Accrual memory a = _accrual();
        if (a.interestWad == 0) return 0;
        reserveWad = a.reserveWad;
        _totals.cashIndexWad = uint72(a.cashIndexWad);
        _totals.positiveCashWad += uint128(a.interestWad - reserveWad);
        _loans.debtIndexWad = uint72(a.debtIndexWad);
        _loans.debtWad += uint128(a.interestWad);
        uint256 elapsedSec = block.timestamp - _loans.sinceTs;
        _loans.sinceTs = uint32(block.timestamp);
        emit InterestAccrued(a.interestWad, reserveWad, a.cashIndexWad, a.debtIndexWad);
        _climb(elapsedSec);
    }

    /// @dev Time lifts a rate that lags behind the curve; it never lowers one.
    function _climb(uint256 elapsedSec) private {
        uint256 rateE6 = _rateAfter(_loans.debtWad, elapsedSec);
        if (rateE6 <= _loans.rateE6 || rateE6 <= InterestMath.rateAt(_curve.maxUtilisationE6, _curve)) return;
        _loans.rateE6 = uint24(rateE6);
        emit LoansChanged(_loans.debtWad, _totals.positiveCashWad, rateE6);
    }

    /// @dev Refuses what leaves more lent than the cap allows. A trade is asked only when the debt has grown; a loan
    /// and a withdrawal take cash out, so they are asked for whatever is owed.
    /// @param oldDebtWad Debt up to which nothing is asked.
    function _requireUtilisation(uint256 oldDebtWad) internal view {
        uint256 debtWad = _loans.debtWad;
        if (debtWad <= oldDebtWad || _curve.kinkE6 == 0) return;
        uint256 limitWad = _totals.positiveCashWad * uint256(_curve.maxUtilisationE6) / InterestMath.ONE_E6;
        if (debtWad > limitWad) revert Accounts__UtilisationAboveCap(debtWad, limitWad);
    }

    /// @dev Follows a change of one account's cash; its interest has been booked.
    function _changeTotals(int256 oldWad, int256 newWad) internal {
        int256 changeWad = _positive(newWad) - _positive(oldWad);
        if (changeWad != 0) {
            uint256 totalWad = uint256(int256(uint256(_totals.positiveCashWad)) + changeWad);
            if (totalWad > MAX_WAD) revert Accounts__Overflow(totalWad, MAX_WAD);
            _totals.positiveCashWad = uint128(totalWad);
        }
        int256 borrowedWad = _positive(-newWad) - _positive(-oldWad);
        int256 debtWad = int256(uint256(_loans.debtWad));
        if (debtWad == 0 && borrowedWad == 0) return;
        // Debts of accounts are rounded up, their total down: the last to repay may repay a few wei more.
        _setLoans(uint256(_positive(debtWad + borrowedWad)));
    }

    function _setLoans(uint256 debtWad) internal {
        if (debtWad > MAX_WAD) revert Accounts__Overflow(debtWad, MAX_WAD);
        uint256 positiveWad = _totals.positiveCashWad;
        uint256 rateE6 = _rateAfter(debtWad, 0);
        (_loans.debtWad, _loans.sinceTs, _loans.rateE6) = (uint128(debtWad), uint32(block.timestamp), uint24(rateE6));
        bool bearsInterest = debtWad != 0 && rateE6 != 0;
        if (_totals.bearsInterest != bearsInterest) _totals.bearsInterest = bearsInterest;
        emit LoansChanged(debtWad, positiveWad, rateE6);
    }

    function _rateAfter(uint256 debtWad, uint256 elapsedSec) private view returns (uint256) {
        RateCurve memory curve = _curve;
        uint256 wantedE6 = InterestMath.rate(debtWad, _totals.positiveCashWad, curve);
        return InterestMath.climbed(_loans.rateE6, wantedE6, curve, elapsedSec);
    }

    /// @dev Cash of an account after what the index of its sign has done since; rounded down, debts up.
    function _afterIndex(int256 cashWad, uint256 fromIndexWad, uint256 toIndexWad) internal pure returns (int256) {
        if (fromIndexWad == toIndexWad || cashWad == 0) return cashWad;
        return WadMath.divDown(cashWad * int256(toIndexWad), int256(fromIndexWad));
    }

    /// @dev Whether nothing can have grown since the last write.
    function _isBooked() internal view returns (bool) {
        return !_totals.bearsInterest || _loans.sinceTs == block.timestamp;
    }

    /// @dev As of the last write.
    function _indexOf(int256 cashWad) internal view returns (uint72) {
        return cashWad < 0 ? _loans.debtIndexWad : _totals.cashIndexWad;
    }

    /// @dev Indices that would leave their range stay where they are, with no interest for anybody.
    function _accrual() internal view returns (Accrual memory a) {
        (a.cashIndexWad, a.debtIndexWad) = (_totals.cashIndexWad, _loans.debtIndexWad);
        if (_isBooked()) return a;
        Totals memory t = _totals;
        Loans memory loans = _loans;
        uint256 elapsedSec = block.timestamp - loans.sinceTs;
        uint256 interestWad = InterestMath.earned(loans.debtWad, loans.rateE6, elapsedSec);
        uint256 reserveWad = (interestWad * t.reserveBps + InterestMath.ONE_BPS - 1) / InterestMath.ONE_BPS;
        if (t.positiveCashWad == 0) reserveWad = interestWad;
        uint256 debtIndexWad = a.debtIndexWad + InterestMath.charged(a.debtIndexWad, loans.rateE6, elapsedSec);
        uint256 indexWad = a.cashIndexWad;
        if (reserveWad != interestWad) indexWad += indexWad * (interestWad - reserveWad) / t.positiveCashWad;
        if (interestWad == 0 || debtIndexWad > MAX_INDEX_WAD || indexWad > MAX_INDEX_WAD) return a;
        if (loans.debtWad + interestWad > MAX_WAD || t.positiveCashWad + interestWad > MAX_WAD) return a;
        a = Accrual(indexWad, debtIndexWad, interestWad, reserveWad);
    }

    function _positive(int256 valueWad) internal pure returns (int256) {
        return valueWad > 0 ? valueWad : int256(0);
    }

    /// @dev No action can lift utilisation above the cap, so none can lift the rate of others by more than this.
    function _requireFlat(RateCurve calldata curve) private pure {
        uint256 capE6 = curve.maxUtilisationE6;
        if (capE6 == 0 || capE6 > InterestMath.ONE_E6) revert Accounts__BadUtilisation(capE6, InterestMath.ONE_E6);
        uint256 liftE6 = InterestMath.rateAt(capE6, curve) - curve.baseRateE6;
        if (liftE6 > InterestMath.MAX_LIFT_E6) revert Accounts__LiftTooLarge(liftE6, InterestMath.MAX_LIFT_E6);
    }

    function _requireRates(uint256 lowerE6, uint256 upperE6) private pure {
        if (lowerE6 > upperE6) revert Accounts__RateAboveNext(lowerE6, upperE6);
    }
}
