// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExchange} from "./IExchange.sol";

/// @title IStrategyCloser
/// @notice Closes positions of strategy vaults whose trading is stopped, with whoever offers to at a fair price: a
/// vault without a trader key is not stuck with what the key left behind.
/// @dev Approved by the vaults for their accounts. It has no owner and keeps nothing.
interface IStrategyCloser {
    /// @notice Emitted when a quote has closed positions of a vault.
    /// @param strategy Vault.
    /// @param makerId Account that took them over.
    /// @param beforeWad Value less cost of closing before it.
    /// @param afterWad The same after it.
    event Closed(address indexed strategy, uint256 indexed makerId, int256 beforeWad, int256 afterWad);

    /// @notice Thrown when trading of the vault is not stopped.
    error StrategyCloser__NotStopped(address strategy);
    /// @notice Thrown when the account that a vault names belongs to somebody else.
    error StrategyCloser__NotOwner(address strategy, address owner);
    /// @notice Thrown when a quote would do more than close.
    error StrategyCloser__NotReducing(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when a quote would cost more than the cost of closing that it saves.
    error StrategyCloser__CostsMore(int256 observedWad, int256 limitWad);

    /// @notice Takes a quote that only closes positions, at a price that leaves value less cost of closing no lower
    /// than it was. Anyone may call.
    /// @param strategy Vault whose trading is stopped.
    /// @param quote Quote for its account.
    /// @param signature Signature of the quote's maker.
    function close(address strategy, IExchange.Quote calldata quote, bytes calldata signature) external;
}
