// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IAuction} from "../../interfaces/IAuction.sol";
import {ILens} from "../../interfaces/ILens.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {IVault} from "../../interfaces/IVault.sol";

/// @title Lens
/// @notice See ILens.
contract Lens is ILens {
    uint256 private constant CLEARING = 0;
    uint256 private constant CASH_TOKEN = 0;
    uint256 private constant FUND = 1;
    uint256 private constant WAD_DECIMALS = 18;

    IAccounts private immutable ACCOUNTS;
    IOracle private immutable ORACLE;
    IAuction private immutable AUCTION;

    constructor(IAccounts accounts, IOracle oracle, IAuction auction) {
        ACCOUNTS = accounts;
        ORACLE = oracle;
        AUCTION = auction;
    }

    /// @inheritdoc ILens
    function accountsOf(uint256 first, uint256 count) external view override returns (AccountSummary[] memory page) {
        page = new AccountSummary[](_pageEnd(first, count) - first);
        for (uint256 i; i < page.length; ++i) {
            uint256 id = first + i;
            try IERC721(address(ACCOUNTS)).ownerOf(id) returns (address owner) {
                page[i] = AccountSummary(id, owner, ACCOUNTS.snapshotOf(id), AUCTION.auctionOf(id));
            } catch {
                // Closed: nobody may stop a page by closing an account.
                page[i].accountId = id;
            }
        }
    }

    /// @inheritdoc ILens
    function conservation(IVault vault)
        external
        view
        override
        returns (Conservation memory result)
    {
        result.storedCashWad = storedCashWad(0, ACCOUNTS.nextAccountId());
        result.clearingCashWad = ACCOUNTS.storedCashOf(CLEARING);
        result.fundCashWad = ACCOUNTS.storedCashOf(FUND);
        IVault.Token memory cash = vault.tokenOf(CASH_TOKEN);
        result.custodyRaw = cash.heldRaw;
        result.balanceRaw = IERC20(cash.token).balanceOf(address(vault));
        uint256 wadPerRaw = 10 ** (WAD_DECIMALS - cash.decimals);
        result.isConserved =
            result.storedCashWad == int256(result.custodyRaw * wadPerRaw) && result.balanceRaw >= result.custodyRaw;
    }

    /// @inheritdoc ILens
    function latestRound(uint8 underlyingId)
        external
        view
        override
        returns (IOracle.Header memory header, IOracle.Surface[] memory surfaces)
    {
        (header, surfaces) = ORACLE.roundFor(underlyingId, ORACLE.expiriesOf(underlyingId));
    }

    /// @inheritdoc ILens
    function storedCashWad(uint256 first, uint256 count) public view override returns (int256 cashWad) {
        uint256 end = _pageEnd(first, count);
        for (uint256 id = first; id < end; ++id) {
            cashWad += ACCOUNTS.storedCashOf(id);
        }
    }

    function _pageEnd(uint256 first, uint256 count) private view returns (uint256 end) {
        uint256 next = ACCOUNTS.nextAccountId();
        if (first >= next) revert Lens__BadPage(first, next);
        end = count < next - first ? first + count : next;
    }
}
