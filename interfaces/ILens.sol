// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccounts} from "./IAccounts.sol";
import {IAuction} from "./IAuction.sol";
import {IOracle} from "./IOracle.sol";
import {IVault} from "./IVault.sol";

/// @title ILens
/// @notice Views that gather what command line and web show; nothing on chain depends on them.
interface ILens {
    /// @notice One account without its margin.
    struct AccountSummary {
        uint256 accountId;
        address owner;
        IAccounts.Snapshot snapshot;
        IAuction.State auction;
    }

    /// @notice Cash of the ledger against cash in custody.
    /// @custom:unit wad, custody in the token's own decimals
    struct Conservation {
        int256 storedCashWad;
        int256 clearingCashWad;
        int256 fundCashWad;
        /// @dev What the vault booked, and what it really has.
        uint256 custodyRaw;
        uint256 balanceRaw;
        bool isConserved;
    }

    /// @notice One token of the ledger against the vault.
    /// @custom:unit wad
    struct Custody {
        uint256 tokenId;
        /// @dev Sum over the accounts asked for, as stored; for cash it may hold negative balances.
        int256 ledgerWad;
        /// @dev What the vault booked, and what it really has.
        uint256 bookedWad;
        uint256 balanceWad;
    }

    /// @notice Thrown when a page starts behind the last account.
    error Lens__BadPage(uint256 first, uint256 nextId);

    /// @notice Accounts by id; a closed one has no owner and nothing else.
    /// @param first First id.
    /// @param count Most accounts to return.
    /// @return page Summaries.
    function accountsOf(uint256 first, uint256 count) external view returns (AccountSummary[] memory page);

    /// @notice Sum of stored cash over some accounts, for paging.
    /// @param first First id.
    /// @param count Most accounts to add.
    /// @return cashWad Sum.
    function storedCashWad(uint256 first, uint256 count) external view returns (int256 cashWad);

    /// @notice Whether stored cash of all accounts equals the cash the vault booked to the wei, and it has that much.
    /// @dev Tokens sent to the vault outside of a deposit belong to nobody and count for nothing.
    /// @param vault Vault that holds it.
    /// @return result Sums and verdict.
    function conservation(IVault vault) external view returns (Conservation memory result);

    /// @notice Every token of the vault against the sum over accounts: over all of them equal to the wei after every
    /// transaction.
    /// @dev In pages, because an account with many positions is dear to read; the sums of all pages are what counts.
    /// Closed accounts hold nothing. A token that does not answer shows a balance of 0.
    /// @param vault Vault that holds them.
    /// @param first First account.
    /// @param count Most accounts to add.
    /// @return tokens One per listed token, cash first.
    function custodyOf(IVault vault, uint256 first, uint256 count) external view returns (Custody[] memory tokens);

    /// @notice The latest round with all its expiries; reverts when stale or missing.
    /// @param underlyingId Underlying.
    /// @return header Head.
    /// @return surfaces One per expiry.
    function latestRound(uint8 underlyingId)
        external
        view
        returns (IOracle.Header memory header, IOracle.Surface[] memory surfaces);
}
