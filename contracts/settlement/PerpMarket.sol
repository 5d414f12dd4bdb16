// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {IPerpMarket} from "../../interfaces/IPerpMarket.sol";
import {FundingMath} from "../libraries/FundingMath.sol";

/// @title PerpMarket
/// @notice See IPerpMarket.
contract PerpMarket is IPerpMarket, AccessManaged {
    uint256 private constant CEILING_WAD = 0.05e18;
    uint256 private constant MIN_PERIOD_SEC = 1 hours;

    IAccounts private immutable ACCOUNTS;
    IOracle private immutable ORACLE;

    /// @dev slot 0.
    struct Market {
        Terms terms;
        uint40 roundTs;
    }

    mapping(uint8 underlyingId => Market) private _market;

    constructor(address authority, IAccounts accounts, IOracle oracle) AccessManaged(authority) {
        ACCOUNTS = accounts;
        ORACLE = oracle;
    }

    /// @inheritdoc IPerpMarket
    function update(uint8 underlyingId) external override returns (bool updated) {
        Market storage market = _market[underlyingId];
        Terms memory terms = market.terms;
        if (terms.periodSec == 0) revert PerpMarket__NoTerms(underlyingId);
        (IOracle.Header memory header,) = ORACLE.roundFor(underlyingId, new uint40[](0));
        // A round counts once: nobody can keep a rate alive that no new round confirms.
        if (header.ts <= market.roundTs) return false;
        market.roundTs = header.ts;
        int256 rateWad = FundingMath.rate(header.spotWad, header.perpWad, terms.maxPremiumWad, terms.periodSec);
        emit FundingUpdated(underlyingId, header.ts, rateWad);
        ACCOUNTS.setFundingRate(underlyingId, rateWad);
        return true;
    }

    /// @inheritdoc IPerpMarket
    function setTerms(uint8 underlyingId, Terms calldata terms) external override restricted {
        if (terms.maxPremiumWad > CEILING_WAD) revert PerpMarket__PremiumTooLarge(terms.maxPremiumWad, CEILING_WAD);
        if (terms.periodSec < MIN_PERIOD_SEC) revert PerpMarket__PeriodTooShort(terms.periodSec, MIN_PERIOD_SEC);
        _market[underlyingId].terms = terms;
        emit TermsSet(underlyingId, terms);
    }

    /// @inheritdoc IPerpMarket
    function termsOf(uint8 underlyingId) external view override returns (Terms memory terms, uint40 roundTs) {
        (terms, roundTs) = (_market[underlyingId].terms, _market[underlyingId].roundTs);
    }
}
