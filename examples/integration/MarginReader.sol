// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {IActionPreview} from "../../interfaces/IActionPreview.sol";
import {IExchange} from "../../interfaces/IExchange.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IOrderPreview} from "../../interfaces/IOrderPreview.sol";
import {IVault} from "../../interfaces/IVault.sol";

/// @title MarginReader
/// @notice How a contract of yours reads the margin of an account, asks what a trade, an order or a change of
/// collateral would do to it, and refuses to act when too little would be left.
/// @dev An example for integrators, not a part of the protocol: it needs the interfaces alone, and nothing knows it.
///
/// What to know before copying it:
/// - Figures are cash in wad (1e18 is one). Equity is rounded down, requirements are rounded up.
/// - An account is an ERC-721 token of `Accounts`. Who may act for it is its owner, or who the owner approved.
/// - A margin needs a round that is not stale for every underlying in use. Without one a read reverts, so that a
///   caller never acts on an old price; here that is left to pass through.
/// - A view answers for the block it runs in. Check again in the transaction that acts, as `withdrawAbove` does.
/// - An account keeps its maintenance margin or is liquidated, and needs its initial margin to take risk. A buffer
///   above the initial margin is what a careful caller keeps on top.
///
/// Addresses are in the record that `plimsoll deploy` or `brownie run deploy` writes. Build it with
/// `forge build --contracts examples/integration`, or with any solc 0.8.30.
contract MarginReader {
    /// @notice Margin of an account, with what is left of it.
    /// @custom:unit wad of cash
    struct Reading {
        IMarginEngine.State state;
        int256 equityWad;
        uint256 initialWad;
        uint256 maintenanceWad;
        /// @dev Equity less initial margin; negative in a margin call.
        int256 freeWad;
        /// @dev Whether the equity is at least the initial margin and the buffer.
        bool keepsBuffer;
    }

    uint256 private constant BPS = 10_000;
    int256 private constant WAD = 1e18;
    /// @dev Prices are stored in steps of 1e-8.
    uint256 private constant WAD_PER_STEP = 1e10;
    /// @dev The largest buffer: the initial margin once more.
    uint256 private constant MAX_BUFFER_BPS = 10_000;
    /// @dev Position word: underlying 8 bits, kind 8, expiry 40, price 72, quantity 128.
    uint256 private constant KIND_SHIFT = 240;
    uint256 private constant PRICE_SHIFT = 128;
    uint8 private constant LAST_OPTION_KIND = 1;
    uint8 private constant KEEP_MODE = 255;

    IERC721 public immutable accounts;
    IVault public immutable vault;
    IMarginEngine public immutable marginEngine;
    IOrderPreview public immutable orderPreview;
    IActionPreview public immutable actionPreview;
    /// @notice Equity that has to be left above the initial margin, as a share of it.
    uint256 public immutable bufferBps;

    /// @notice Thrown when an account would be left with less than its initial margin and the buffer.
    error MarginReader__BelowBuffer(int256 equityWad, uint256 neededWad);
    /// @notice Thrown when somebody else than the owner of an account acts.
    error MarginReader__NotOwner(address caller, address owner);
    /// @notice Thrown when the buffer is more than the initial margin once more.
    error MarginReader__BadBuffer(uint256 observedBps, uint256 limitBps);

    /// @notice Binds the reader to one deployment.
    /// @param accounts_ `Accounts`.
    /// @param vault_ `Vault`.
    /// @param marginEngine_ `MarginEngine`.
    /// @param orderPreview_ `OrderPreview`.
    /// @param actionPreview_ `ActionPreview`.
    /// @param bufferBps_ Buffer above the initial margin, at most 10,000.
    constructor(
        IERC721 accounts_,
        IVault vault_,
        IMarginEngine marginEngine_,
        IOrderPreview orderPreview_,
        IActionPreview actionPreview_,
        uint256 bufferBps_
    ) {
        if (bufferBps_ > MAX_BUFFER_BPS) revert MarginReader__BadBuffer(bufferBps_, MAX_BUFFER_BPS);
        accounts = accounts_;
        vault = vault_;
        marginEngine = marginEngine_;
        orderPreview = orderPreview_;
        actionPreview = actionPreview_;
        bufferBps = bufferBps_;
    }

    /// @notice Withdraws for the owner of an account, when the buffer is left afterwards; approve this contract first.
    /// @param accountId Account of the caller.
    /// @param token Token.
    /// @param amountRaw Amount, in the token's own decimals.
    function withdrawAbove(uint256 accountId, address token, uint256 amountRaw) external {
        address owner = accounts.ownerOf(accountId);
        if (msg.sender != owner) revert MarginReader__NotOwner(msg.sender, owner);
        vault.withdraw(accountId, token, amountRaw, owner);
        requireBuffer(accountId);
    }

    /// @notice Margin of an account now.
    /// @param accountId Account.
    /// @return now_ Reading.
    function read(uint256 accountId) public view returns (Reading memory now_) {
        return _reading(marginEngine.marginOf(accountId));
    }

    /// @notice Reverts unless an account has its initial margin and the buffer.
    /// @param accountId Account.
    function requireBuffer(uint256 accountId) public view {
        Reading memory now_ = read(accountId);
        if (!now_.keepsBuffer) revert MarginReader__BelowBuffer(now_.equityWad, _needed(now_.initialWad));
    }

    /// @notice Margin before and after a trade at a price, not counting fees.
    /// @param accountId Account.
    /// @param instrument Position word with quantity 0; price is the strike, 0 for a perpetual or future.
    /// @param quantityWad Units; negative when sold.
    /// @param priceWad Premium a unit of an option, price of a linear instrument.
    /// @return now_ Reading before.
    /// @return then_ Reading after.
    function afterTrade(uint256 accountId, uint256 instrument, int128 quantityWad, uint256 priceWad)
        external
        view
        returns (Reading memory now_, Reading memory then_)
    {
        IMarginEngine.Changes memory changes = _noChange();
        changes.positions = new uint256[](1);
        changes.positions[0] = instrument | uint128(quantityWad);
        if (uint8(instrument >> KIND_SHIFT) <= LAST_OPTION_KIND) {
            // An option is paid for at once, rounded against the account.
            int256 cost = int256(quantityWad) * int256(priceWad);
            changes.cashDeltaWad = -(cost > 0 ? (cost + WAD - 1) / WAD : cost / WAD);
        } else {
            // A linear instrument remembers the price it was entered at.
            changes.positions[0] |= (priceWad / WAD_PER_STEP) << PRICE_SHIFT;
        }
        return _preview(accountId, changes);
    }

    /// @notice Margin before and after collateral comes or goes.
    /// @param accountId Account.
    /// @param tokenId Token; 0 is cash.
    /// @param deltaWad Amount that is added, negative when it is taken out.
    /// @return now_ Reading before.
    /// @return then_ Reading after.
    function afterCollateral(uint256 accountId, uint256 tokenId, int256 deltaWad)
        external
        view
        returns (Reading memory now_, Reading memory then_)
    {
        IMarginEngine.Changes memory changes = _noChange();
        if (tokenId == 0) {
            changes.cashDeltaWad = deltaWad;
        } else {
            changes.tokenIds = new uint256[](1);
            changes.amountDeltasWad = new int256[](1);
            changes.tokenIds[0] = tokenId;
            changes.amountDeltasWad[0] = deltaWad;
        }
        return _preview(accountId, changes);
    }

    /// @notice Margin now, and with the worst fill of some open orders of the account.
    /// @param accountId Account.
    /// @param orders Orders; they need not be signed yet.
    /// @return now_ Reading before.
    /// @return worst Reading in the worst case.
    function afterOrders(uint256 accountId, IExchange.Order[] calldata orders)
        external
        view
        returns (Reading memory now_, Reading memory worst)
    {
        IOrderPreview.Preview memory found = orderPreview.previewOrders(accountId, orders);
        return (_reading(found.before_), _reading(found.worst));
    }

    /// @notice Largest amount that the protocol lets out now; with the buffer of this contract less may leave.
    /// @param accountId Account.
    /// @param token Token.
    /// @return amountRaw Amount, in the token's own decimals.
    function maxWithdraw(uint256 accountId, address token) external view returns (uint256 amountRaw) {
        return actionPreview.maxWithdraw(accountId, token);
    }

    /// @dev Both ends of a hypothetical change.
    function _preview(uint256 accountId, IMarginEngine.Changes memory changes)
        private
        view
        returns (Reading memory, Reading memory)
    {
        (IMarginEngine.MarginState memory before_, IMarginEngine.MarginState memory after_,,) =
            marginEngine.preview(accountId, changes);
        return (_reading(before_), _reading(after_));
    }

    /// @dev What a caller decides by.
    function _reading(IMarginEngine.MarginState memory margin) private view returns (Reading memory) {
        return Reading({
            state: margin.state,
            equityWad: margin.equityWad,
            initialWad: margin.initialWad,
            maintenanceWad: margin.maintenanceWad,
            freeWad: margin.equityWad - int256(margin.initialWad),
            keepsBuffer: margin.equityWad >= int256(_needed(margin.initialWad))
        });
    }

    /// @dev Initial margin and buffer, rounded up.
    function _needed(uint256 initialWad) private view returns (uint256) {
        return (initialWad * (BPS + bufferBps) + BPS - 1) / BPS;
    }

    /// @dev A change of nothing.
    function _noChange() private pure returns (IMarginEngine.Changes memory changes) {
        changes.mode = KEEP_MODE;
    }
}
