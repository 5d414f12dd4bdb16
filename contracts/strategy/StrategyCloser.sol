// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IExchange} from "../../interfaces/IExchange.sol";
import {IStrategyCloser} from "../../interfaces/IStrategyCloser.sol";
import {IStrategyVault} from "../../interfaces/IStrategyVault.sol";
import {SnapshotMath} from "../libraries/SnapshotMath.sol";

/// @title StrategyCloser
/// @notice See IStrategyCloser.
/// @dev A vault says itself whether it is stopped and what it is worth, and is asked about the account that it owns:
/// what a stranger answers reaches the stranger's account alone.
contract StrategyCloser is IStrategyCloser {
    /// @dev What a quote costs is bounded by the value it leaves.
    uint256 private constant ANY_FEE = type(uint256).max;

    IAccounts private immutable ACCOUNTS;
    IExchange private immutable EXCHANGE;

    constructor(IAccounts accounts, IExchange exchange) {
        ACCOUNTS = accounts;
        EXCHANGE = exchange;
    }

    /// @inheritdoc IStrategyCloser
    function close(address strategy, IExchange.Quote calldata quote, bytes calldata signature) external override {
        IStrategyVault vault = IStrategyVault(strategy);
        if (!vault.isStopped()) revert StrategyCloser__NotStopped(strategy);
        uint256 accountId = vault.accountId();
        address owner = IERC721(address(ACCOUNTS)).ownerOf(accountId);
        if (owner != strategy) revert StrategyCloser__NotOwner(strategy, owner);
        _requireReducing(ACCOUNTS.snapshotOf(accountId).positions, quote.legs);
        int256 beforeWad = _leftOf(vault);
        EXCHANGE.fillQuote(quote, signature, accountId, ANY_FEE);
        int256 afterWad = _leftOf(vault);
        if (afterWad < beforeWad) revert StrategyCloser__CostsMore(afterWad, beforeWad);
        emit Closed(strategy, quote.accountId, beforeWad, afterWad);
    }

    /// @dev Value less cost of closing.
    function _leftOf(IStrategyVault vault) private view returns (int256) {
        IStrategyVault.Value memory v = vault.valueNow();
        return v.valueWad - int256(v.costWad);
    }

    /// @dev Legs are of different instruments, which the exchange sees to; each is seen by the maker of the quote.
    function _requireReducing(uint256[] memory words, IExchange.Leg[] calldata legs) private pure {
        for (uint256 i; i < legs.length; ++i) {
            uint256 limitWad = SnapshotMath.closableOf(words, legs[i].instrument, !legs[i].isBuy);
            if (legs[i].quantityWad > limitWad) revert StrategyCloser__NotReducing(legs[i].quantityWad, limitWad);
        }
    }
}
