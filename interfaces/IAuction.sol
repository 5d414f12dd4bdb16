// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IMarginEngine} from "./IMarginEngine.sol";

/// @title IAuction
/// @notice Liquidation of an account by Dutch auction, solvent or insolvent (risk-model section 8).
/// @dev Flow: feeds -> risk -> margin -> [liquidation]. A slice takes the same fraction of everything, so hedges
/// stay intact. Which branch applies is decided at every bid; each branch has its own clock, and a clock counts only
/// time that `start`, `bid` or `touch` vouched for by seeing equity below maintenance at least every 30 minutes.
interface IAuction {
    /// @notice One running auction.
    /// @custom:unit wad of cash
    struct State {
        bool isOpen;
        /// @dev Start of the price path of the solvent and of the insolvent branch; 0 while it does not run.
        uint40 solventTs;
        uint40 insolventTs;
        /// @dev When somebody last verified that equity is below maintenance; 0 when it was not at the last look.
        uint40 vouchedTs;
        /// @dev Market equity below zero at the last look, less what guarantee lines of the account hold: what fund
        /// and depositors may have to bear.
        uint128 lossWad;
        /// @dev Cash paid in by earlier bids; part of the account's cash, never part of a slice.
        uint128 reserveWad;
        /// @dev What the reserve and the guarantee lines would hold had every insolvent slice taken only its own share
        /// of them: the bonus is measured on it, so that slices that use them up raise the bonus of no later one.
        uint128 creditWad;
    }

    /// @notice What a bid would do now.
    /// @custom:unit wad of cash
    struct Quote {
        bool isSolvent;
        uint256 fractionWad;
        /// @dev Price factor d of the solvent branch; 0 in the insolvent one.
        uint256 priceWad;
        /// @dev Solvent: paid by the bidder to the account; insolvent: paid to the bidder.
        uint256 cashWad;
        uint256 feeWad;
        /// @dev Insolvent: who pays; with `fromSponsorsWad` the four parts of `cashWad`.
        uint256 fromReserveWad;
        uint256 fromFundWad;
        uint256 socialisedWad;
        /// @dev Out of the guarantee lines of the account: after its reserve, before the fund.
        uint256 fromSponsorsWad;
    }

    /// @notice Emitted when an auction starts.
    /// @param accountId Account.
    /// @param equityWad Its equity.
    /// @param maintenanceWad Its maintenance margin.
    /// @param isSolvent Branch at the start.
    event AuctionStarted(uint256 indexed accountId, int256 equityWad, uint256 maintenanceWad, bool isSolvent);
    /// @notice Emitted at every bid.
    /// @param accountId Liquidated account.
    /// @param bidderId Account that took the slice.
    /// @param isSolvent Branch.
    /// @param fractionWad Fraction taken.
    /// @param priceWad Price factor of the solvent branch.
    /// @param cashWad Cash paid by (solvent) or to (insolvent) the bidder.
    /// @param feeWad Fee to the insurance fund.
    event BidFilled(
        uint256 indexed accountId,
        uint256 indexed bidderId,
        bool isSolvent,
        uint256 fractionWad,
        uint256 priceWad,
        uint256 cashWad,
        uint256 feeWad
    );
    /// @notice Emitted when an insolvent slice was paid for; what guarantee lines paid is told by LineDrawn of
    /// IGuarantees.
    /// @param accountId Liquidated account.
    /// @param fromReserveWad Part from earlier proceeds.
    /// @param fromFundWad Part from the insurance fund.
    /// @param socialisedWad Part taken from positive cash balances.
    event LossCovered(
        uint256 indexed accountId, uint256 fromReserveWad, uint256 fromFundWad, uint256 socialisedWad
    );
    /// @notice Emitted when somebody looked at an account under auction.
    /// @param accountId Account.
    /// @param solventTs Start of the clock of the solvent branch; 0 while it does not run.
    /// @param insolventTs The same of the insolvent branch.
    /// @param vouchedTs Now; 0 when equity is not below maintenance.
    event ClocksSet(uint256 indexed accountId, uint40 solventTs, uint40 insolventTs, uint40 vouchedTs);
    /// @notice Emitted when the loss that others may have to bear for an account changes.
    /// @param accountId Account.
    /// @param lossWad Market equity below zero beyond the account's guarantee lines, 0 when there is none or the
    /// auction has ended.
    /// @param totalWad The same of all accounts under auction.
    event LossNoted(uint256 indexed accountId, uint256 lossWad, uint256 totalWad);
    /// @notice Emitted when an auction ends.
    /// @dev After a bid the two figures follow from the slice and may differ from the account's by its rounding.
    /// @param accountId Account.
    /// @param equityWad Its equity.
    /// @param maintenanceWad Its maintenance margin.
    event AuctionEnded(uint256 indexed accountId, int256 equityWad, uint256 maintenanceWad);

    /// @notice Emitted when an account is called for margin: its equity fell below the initial margin.
    /// @param accountId Account.
    /// @param equityWad Its equity.
    /// @param initialWad Its initial margin.
    /// @param maintenanceWad Its maintenance margin; below it the account may be liquidated.
    event MarginCalled(
        uint256 indexed accountId, int256 equityWad, uint256 initialWad, uint256 maintenanceWad
    );
    /// @notice Emitted when a called account has its initial margin again.
    /// @param accountId Account.
    /// @param equityWad Its equity.
    /// @param initialWad Its initial margin.
    /// @param sinceTs Time of the call.
    event MarginCallMet(uint256 indexed accountId, int256 equityWad, uint256 initialWad, uint40 sinceTs);

    /// @notice Emitted when the margin engine for graces changes.
    /// @param oldEngine Before.
    /// @param newEngine After; zero when there is no grace.
    event PriorMarginSet(address oldEngine, address newEngine);

    /// @notice Thrown when an auction of the account is running.
    error Auction__AlreadyOpen(uint256 accountId);
    /// @notice Thrown when no auction of the account is running.
    error Auction__NotOpen(uint256 accountId);
    /// @notice Thrown when the account is not below its maintenance margin.
    error Auction__NotLiquidatable(int256 equityWad, uint256 maintenanceWad);
    /// @notice Thrown when the account has not recovered.
    error Auction__NotRecovered(int256 equityWad, uint256 neededWad);
    /// @notice Thrown when the caller may not act for the bidder's account.
    error Auction__NotBidder(address caller, uint256 bidderId);
    /// @notice Thrown when the bidder would be below its own initial margin after the bid.
    error Auction__BidderBelowInitial(int256 equityWad, uint256 initialWad);
    /// @notice Thrown when nothing is left to take, or the fraction asked for is zero.
    error Auction__NothingToTake(uint256 fractionWad, uint256 minimumWad);
    /// @notice Thrown when the bidder's limit is not met.
    error Auction__LimitMissed(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when an account whose debt is to be written off still holds something, or has no debt.
    error Auction__NotPureDebt(uint256 held, int256 cashWad);
    /// @notice Thrown when the branch is not the one the bidder named.
    error Auction__WrongBranch(bool isSolvent, bool expectedSolvent);

    /// @notice Thrown when only a recent change of parameters put the account below maintenance.
    error Auction__InGrace(uint256 nowTs, uint256 graceEndTs);
    /// @notice Thrown when the account stands to its initial margin as it did when it was last noted.
    error Auction__CallUnchanged(int256 equityWad, uint256 initialWad);

    /// @notice Starts the auction of an account below maintenance; anyone may call.
    /// @param accountId Account.
    function start(uint256 accountId) external;

    /// @notice Takes a slice of an account below maintenance.
    /// @dev The whole loss of a slice is paid for at once: by the reserve, by sponsors of the account within what their
    /// guarantee lines hold, by the fund within its hourly limit, then by all positive cash. Price and branch go by
    /// what the account is worth itself; whether it may be liquidated, by its equity with the lines. A bonus that the
    /// fund may not pay now is not paid. E - M of what is left never falls.
    /// @param accountId Liquidated account.
    /// @param bidderId Account of the caller that takes the slice; it must keep its own initial margin, in the own
    /// measure of the margin engine.
    /// @param maxFractionWad Largest fraction wanted.
    /// @param expectSolvent Branch the bidder counts on.
    /// @param limitWad Solvent: most cash to pay (fee included); insolvent: least cash to receive.
    /// @return quote What was done.
    function bid(uint256 accountId, uint256 bidderId, uint256 maxFractionWad, bool expectSolvent, uint256 limitWad)
        external
        returns (Quote memory quote);

    /// @notice Vouches for an auction, or notes that its account recovered; anyone may call.
    /// @dev Below maintenance the clock of the branch the account is in goes on, or starts if it does not run: without
    /// this it would wait for a bid that does not pay yet. Otherwise both clocks stop: a later fall finds the price at
    /// its top. The loss that withdrawals leave behind is noted as well.
    /// @param accountId Account under auction.
    function touch(uint256 accountId) external;

    /// @notice Ends the auction of a recovered account, with equity at or above the initial margin or the restored
    /// buffer, or of one that was closed since; anyone may call.
    /// @param accountId Account.
    function end(uint256 accountId) external;

    /// @notice Clears the debt of an account that holds nothing else, out of its guarantee lines, the fund and then of
    /// all positive cash; anyone may call. An account with lines must be below its maintenance margin with them.
    /// @param accountId Account.
    function writeOff(uint256 accountId) external;

    /// @notice Notes on chain that an account fell below its initial margin, or has it again; anyone may call.
    /// @dev A notice only: what an account may do and when it may be liquidated is read off its margin, not off this.
    /// @param accountId Account.
    function callMargin(uint256 accountId) external;

    /// @notice What a bid would do now, before the bidder's own margin is looked at; an account that is not under
    /// auction but may be is quoted as if it were started now.
    /// @param accountId Liquidated account.
    /// @param maxFractionWad Largest fraction wanted.
    /// @return quote What a bid would do.
    function previewBid(uint256 accountId, uint256 maxFractionWad) external view returns (Quote memory quote);

    /// @notice Sets the margin engine that values accounts as before the present grace; zero for no grace.
    /// @param engine Margin engine bound to a PriorBook.
    function setPriorMargin(IMarginEngine engine) external;

    /// @notice The margin engine that values accounts as before the present grace.
    /// @return Zero when there is none.
    function priorMargin() external view returns (IMarginEngine);

    /// @notice Since when an account is called for margin.
    /// @param accountId Account.
    /// @return Unix seconds; 0 when it is not.
    function marginCallTsOf(uint256 accountId) external view returns (uint40);

    /// @notice Whether an auction of the account is running.
    /// @param accountId Account.
    /// @return Whether it is.
    function isUnderAuction(uint256 accountId) external view returns (bool);

    /// @notice Loss that positive cash is expected to bear: market equity below zero of all accounts under auction
    /// beyond their guarantee lines, as last seen by `start`, `bid` or `touch`, less what the insurance fund may pay
    /// now.
    /// @dev A withdrawal leaves `amount * openInsolventLossWad / positiveCashWad` behind until the auctions have ended.
    /// @return lossWad Cash, wad; 0 when the fund covers it.
    function openInsolventLossWad() external view returns (uint256 lossWad);

    /// @notice The auction of an account.
    /// @param accountId Account.
    /// @return state State.
    function auctionOf(uint256 accountId) external view returns (State memory state);
}
