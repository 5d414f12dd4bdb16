// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IInsuranceFund} from "../../interfaces/IInsuranceFund.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {Units} from "../libraries/Units.sol";

/// @title InsuranceFund
/// @notice See IInsuranceFund. Anyone may fill it by a deposit to account 1.
contract InsuranceFund is IInsuranceFund, AccessManaged {
    uint256 private constant FUND = Units.FUND;
    /// @dev A draw counts in the span it was made in and in the three after it: never less than an hour.
    uint256 private constant SPAN_SEC = 20 minutes;
    uint256 private constant SPANS = 4;
    uint256 private constant SPAN_BITS = 56;
    uint256 private constant SPAN_MASK = (1 << SPAN_BITS) - 1;
    /// @dev Draws are kept in steps of a thousandth of a unit of cash, rounded up.
    uint256 private constant STEP_WAD = 1e15;

    IAccounts private immutable ACCOUNTS;
    IScenarioBook private immutable BOOK;

    /// @notice The only contract that may draw.
    address public auction;

    /// @dev slot 1. Number of the latest span with a draw; steps drawn in it (lowest) and in the three before it.
    uint32 private _span;
    uint224 private _drawn;

    constructor(address authority, IAccounts accounts, IScenarioBook book) AccessManaged(authority) {
        ACCOUNTS = accounts;
        BOOK = book;
    }

    /// @inheritdoc IInsuranceFund
    function draw(uint256 toId, uint256 forId, uint256 wantedWad) external override returns (uint256 paidWad) {
        if (msg.sender != auction) revert InsuranceFund__NotAuction(msg.sender, auction);
        paidWad = FixedPointMathLib.min(wantedWad, availableWad());
        if (paidWad == 0) return 0;
        (uint256 drawn,) = _recent();
        // More steps than a span holds, 72 trillion units of cash, stay at the most it holds.
        uint256 steps = (drawn & SPAN_MASK) + FixedPointMathLib.divUp(paidWad, STEP_WAD);
        _drawn = uint224(drawn - (drawn & SPAN_MASK) + FixedPointMathLib.min(steps, SPAN_MASK));
        _span = uint32(block.timestamp / SPAN_SEC);
        emit FundDrawn(forId, paidWad, uint256(balanceWad()) - paidWad);
        ACCOUNTS.moveCash(FUND, toId, paidWad);
    }

    /// @inheritdoc IInsuranceFund
    function setAuction(address auction_) external override restricted {
        if (auction != address(0)) revert InsuranceFund__AuctionFixed(auction);
        auction = auction_;
    }

    /// @inheritdoc IInsuranceFund
    function withdraw(uint256 toId, uint256 amountWad) external override restricted {
        int256 held = balanceWad();
        if (held < 0 || uint256(held) < amountWad) revert InsuranceFund__InsufficientCash(held, amountWad);
        emit FundWithdrawn(toId, amountWad, uint256(held) - amountWad);
        ACCOUNTS.moveCash(FUND, toId, amountWad);
    }

    /// @inheritdoc IInsuranceFund
    function availableWad() public view override returns (uint256 cashWad) {
        int256 heldWad = balanceWad();
        if (heldWad <= 0) return 0;
        (, uint256 drawnWad) = _recent();
        uint256 limitWad =
            FixedPointMathLib.mulWad(uint256(heldWad) + drawnWad, BOOK.accountParams().fundPerHourWad);
        cashWad = FixedPointMathLib.min(uint256(heldWad), FixedPointMathLib.zeroFloorSub(limitWad, drawnWad));
    }

    /// @inheritdoc IInsuranceFund
    function balanceWad() public view override returns (int256) {
        return ACCOUNTS.cashOf(FUND);
    }

    /// @dev The draws that still count, moved on to the present span, and their sum.
    function _recent() private view returns (uint256 drawn, uint256 drawnWad) {
        uint256 passed = block.timestamp / SPAN_SEC - _span;
        if (passed < SPANS) drawn = uint224(uint256(_drawn) << (passed * SPAN_BITS));
        for (uint256 i; i < SPANS; ++i) {
            drawnWad += ((drawn >> (i * SPAN_BITS)) & SPAN_MASK) * STEP_WAD;
        }
    }
}
