// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IInsuranceFund} from "../../interfaces/IInsuranceFund.sol";

/// @title InsuranceFund
/// @notice See IInsuranceFund. Anyone may fill it by a deposit to account 1.
contract InsuranceFund is IInsuranceFund, AccessManaged {
    uint256 private constant FUND = 1;
    IAccounts private immutable ACCOUNTS;

    /// @notice The only contract that may draw.
    address public auction;

    constructor(address authority, IAccounts accounts) AccessManaged(authority) {
        ACCOUNTS = accounts;
    }

    /// @inheritdoc IInsuranceFund
    function draw(uint256 toId, uint256 forId, uint256 wantedWad) external override returns (uint256 paidWad) {
        if (msg.sender != auction) revert InsuranceFund__NotAuction(msg.sender, auction);
        int256 held = ACCOUNTS.cashOf(FUND);
        paidWad = held > 0 ? uint256(held) : 0;
        if (paidWad > wantedWad) paidWad = wantedWad;
        if (paidWad == 0) return 0;
        emit FundDrawn(forId, paidWad, uint256(held) - paidWad);
        ACCOUNTS.moveCash(FUND, toId, paidWad);
    }

    /// @inheritdoc IInsuranceFund
    function setAuction(address auction_) external override restricted {
        if (auction != address(0)) revert InsuranceFund__AuctionFixed(auction);
        auction = auction_;
    }

    /// @inheritdoc IInsuranceFund
    function withdraw(uint256 toId, uint256 amountWad) external override restricted {
        int256 held = ACCOUNTS.cashOf(FUND);
        if (held < 0 || uint256(held) < amountWad) revert InsuranceFund__InsufficientCash(held, amountWad);
        emit FundWithdrawn(toId, amountWad, uint256(held) - amountWad);
        ACCOUNTS.moveCash(FUND, toId, amountWad);
    }

    /// @inheritdoc IInsuranceFund
    function balanceWad() external view override returns (int256) {
        return ACCOUNTS.cashOf(FUND);
    }
}
