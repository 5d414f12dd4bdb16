// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IAuction} from "../../interfaces/IAuction.sol";
import {ILens} from "../../interfaces/ILens.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {IVault} from "../../interfaces/IVault.sol";
import {Units} from "../libraries/Units.sol";

/// @title Lens
/// @notice See ILens.
contract Lens is ILens {
    uint256 private constant CLEARING = Units.CLEARING;
    uint256 private constant CASH_TOKEN = 0;
    uint256 private constant FUND = Units.FUND;
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
        result.balanceRaw = _balanceOf(cash.token, vault);
        uint256 wadPerRaw = 10 ** (WAD_DECIMALS - cash.decimals);
        result.isConserved =
            result.storedCashWad == int256(result.custodyRaw * wadPerRaw) && result.balanceRaw >= result.custodyRaw;
    }

    /// @inheritdoc ILens
    function custodyOf(IVault vault, uint256 first, uint256 count)
        external
        view
        override
        returns (Custody[] memory tokens)
    {
        tokens = new Custody[](vault.tokenCount());
        for (uint256 id; id < tokens.length; ++id) {
            IVault.Token memory t = vault.tokenOf(id);
            uint256 wadPerRaw = 10 ** (WAD_DECIMALS - t.decimals);
            uint256 balanceWad = FixedPointMathLib.saturatingMul(_balanceOf(t.token, vault), wadPerRaw);
            tokens[id] = Custody(id, 0, t.heldRaw * wadPerRaw, balanceWad);
        }
        uint256 end = _pageEnd(first, count);
        for (uint256 accountId = first; accountId < end; ++accountId) {
            try ACCOUNTS.snapshotOf(accountId) returns (IAccounts.Snapshot memory s) {
                for (uint256 i; i < s.tokenIds.length; ++i) {
                    tokens[s.tokenIds[i]].ledgerWad += int256(s.amountsWad[i]);
                }
            } catch {
                // Closed: it holds nothing, and nobody may stop this view by closing an account.
                continue;
            }
        }
        tokens[CASH_TOKEN].ledgerWad = storedCashWad(first, count);
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

    /// @dev 0 where the token does not answer: one bad token leaves the others readable.
    function _balanceOf(address token, IVault vault) private view returns (uint256 balanceRaw) {
        (bool answered, bytes memory data) = token.staticcall(abi.encodeCall(IERC20.balanceOf, (address(vault))));
        if (answered && data.length >= 32) balanceRaw = abi.decode(data, (uint256));
    }

    function _pageEnd(uint256 first, uint256 count) private view returns (uint256 end) {
        uint256 next = ACCOUNTS.nextAccountId();
        if (first >= next) revert Lens__BadPage(first, next);
        end = count < next - first ? first + count : next;
    }
}
