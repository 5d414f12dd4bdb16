// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {ISettlement} from "../../interfaces/ISettlement.sol";

/// @title Settlement
/// @notice See ISettlement.
contract Settlement is ISettlement {
    IAccounts private immutable ACCOUNTS;
    IOracle private immutable ORACLE;

    constructor(IAccounts accounts, IOracle oracle) {
        ACCOUNTS = accounts;
        ORACLE = oracle;
    }

    /// @inheritdoc ISettlement
    function settle(uint8 underlyingId, uint40 expiryTs, uint256[] calldata accountIds)
        external
        override
        returns (uint256 settled)
    {
        uint256 priceWad = ORACLE.settlementPriceOf(underlyingId, expiryTs);
        for (uint256 i; i < accountIds.length; ++i) {
            uint256 count = ACCOUNTS.settlePositions(accountIds[i], underlyingId, expiryTs, priceWad);
            if (count == 0) continue;
            settled += count;
            emit AccountSettled(accountIds[i], underlyingId, expiryTs, priceWad, count);
        }
    }
}
