// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IExchange} from "../../interfaces/IExchange.sol";
import {PositionWord} from "../libraries/PositionWord.sol";
import {Units} from "../libraries/Units.sol";
import {WadMath} from "../libraries/WadMath.sol";

/// @title FeeSchedule
/// @notice Maker and taker fees of the exchange: rates within caps, and where they go. See IExchange.
abstract contract FeeSchedule is IExchange, AccessManaged {
    using PositionWord for uint256;

    uint256 private constant FUND = Units.FUND;
    /// @dev No cap may be higher.
    uint256 private constant CEILING_WAD = 0.125e18;

    /// @inheritdoc IExchange
    uint256 public override feeAccountId = FUND;

    IAccounts internal immutable ACCOUNTS;

    Fees private _fees;
    FeeCaps private _caps;

    constructor(IAccounts accounts) {
        ACCOUNTS = accounts;
    }

    /// @inheritdoc IExchange
    function setFees(Fees calldata fees) external override restricted {
        _requireWithin(fees, _caps);
        _fees = fees;
        emit FeesSet(fees);
    }

    /// @inheritdoc IExchange
    function setFeeCaps(FeeCaps calldata caps) external override restricted {
        _requireAtMost(caps.linearWad, CEILING_WAD);
        _requireAtMost(caps.optionWad, CEILING_WAD);
        _requireWithin(_fees, caps);
        _caps = caps;
        emit FeeCapsSet(caps);
    }

    /// @inheritdoc IExchange
    function setFeeAccount(uint256 accountId) external override restricted {
        uint256 nextId = ACCOUNTS.nextAccountId();
        if (accountId == 0 || accountId >= nextId) revert Exchange__BadFeeAccount(accountId, nextId);
        feeAccountId = accountId;
        emit FeeAccountSet(accountId);
    }

    /// @inheritdoc IExchange
    function feesOf() external view override returns (Fees memory fees, FeeCaps memory caps) {
        (fees, caps) = (_fees, _caps);
    }

    /// @dev The rate of one side; reverts when its signer accepts less.
    function _rateOf(uint256 instrument, bool isMaker, uint256 maxFeeWad) internal view returns (uint256 rateWad) {
        Fees memory f = _fees;
        if (instrument.isOption()) rateWad = isMaker ? f.makerOptionWad : f.takerOptionWad;
        else rateWad = isMaker ? f.makerLinearWad : f.takerLinearWad;
        if (rateWad > maxFeeWad) revert Exchange__FeeAboveLimit(rateWad, maxFeeWad);
    }

    /// @dev Rounded up, against the payer.
    function _charge(bytes32 digest, uint256 accountId, uint256 quantityWad, uint256 priceWad, uint256 rateWad)
        internal
    {
        if (rateWad == 0) return;
        int256 valueWad = WadMath.mulWadUp(int256(quantityWad), int256(priceWad));
        uint256 feeWad = uint256(WadMath.mulWadUp(valueWad, int256(rateWad)));
        uint256 toId = feeAccountId;
        emit FeePaid(digest, accountId, toId, feeWad);
        ACCOUNTS.moveCash(accountId, toId, feeWad);
    }

    function _requireWithin(Fees memory fees, FeeCaps memory caps) private pure {
        _requireAtMost(fees.makerLinearWad, caps.linearWad);
        _requireAtMost(fees.takerLinearWad, caps.linearWad);
        _requireAtMost(fees.makerOptionWad, caps.optionWad);
        _requireAtMost(fees.takerOptionWad, caps.optionWad);
    }

    function _requireAtMost(uint256 rateWad, uint256 capWad) private pure {
        if (rateWad > capWad) revert Exchange__FeeAboveCap(rateWad, capWad);
    }
}
