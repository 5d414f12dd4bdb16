// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IMarginEngine} from "./IMarginEngine.sol";

/// @title IGuarantees
/// @notice Guarantee lines: cash that a sponsor sets aside for another account until a time. While the line lasts it
/// fills up what the other account lacks of its margin, and it pays that account's loss before the insurance fund does.
/// @dev Flow: [accounts] -> margin -> liquidation. The cash lies in an account of its own, whose id is the line's: it
/// has left the sponsor's account, so nothing that becomes of the sponsor can take it away, and it counts once.
/// @custom:invariant I-22
interface IGuarantees {
    /// @notice One line.
    struct Line {
        uint64 sponsorId;
        uint64 beneficiaryId;
        /// @dev From here on it counts nothing, and the sponsor may have back what is left.
        uint40 endTs;
        /// @dev For so long before the end the credit falls in a straight line to nothing.
        uint24 rampSec;
    }

    /// @notice Emitted when an account says from whom it takes a line.
    /// @param beneficiaryId Account.
    /// @param sponsorId Sponsor; 0 when from nobody.
    event SponsorInvited(uint256 indexed beneficiaryId, uint256 indexed sponsorId);

    /// @notice Emitted when a line begins.
    /// @param lineId Line, and the account that holds its cash.
    /// @param sponsorId Account that the cash came from.
    /// @param beneficiaryId Account that it stands for.
    /// @param amountWad Cash.
    /// @param endTs End.
    /// @param rampSec Length of the fall before it.
    event LineGiven(
        uint256 indexed lineId,
        uint256 indexed sponsorId,
        uint256 indexed beneficiaryId,
        uint256 amountWad,
        uint40 endTs,
        uint24 rampSec
    );

    /// @notice Emitted when a sponsor lets a line last longer.
    /// @param lineId Line.
    /// @param endTs Its new end.
    event LineExtended(uint256 indexed lineId, uint40 endTs);

    /// @notice Emitted when a line pays for a loss.
    /// @param lineId Line.
    /// @param beneficiaryId Account whose loss it is.
    /// @param toId Account that was paid.
    /// @param paidWad Cash.
    event LineDrawn(uint256 indexed lineId, uint256 indexed beneficiaryId, uint256 toId, uint256 paidWad);

    /// @notice Emitted when a line is over.
    /// @param lineId Line.
    /// @param toId Account that got back what was left: the sponsor, or the insurance fund where that was closed.
    /// @param returnedWad Cash.
    event LineEnded(uint256 indexed lineId, uint256 indexed toId, uint256 returnedWad);

    /// @notice Thrown when the caller may not act for an account.
    error Guarantees__NotAuthorised(address caller, uint256 accountId);
    /// @notice Thrown when one side of a line would be an account of the protocol itself.
    error Guarantees__Reserved(uint256 accountId, uint256 firstId);
    /// @notice Thrown when an account would stand for itself.
    error Guarantees__SelfLine(uint256 accountId);
    /// @notice Thrown when the beneficiary has invited another sponsor, or none.
    error Guarantees__NotInvited(uint256 sponsorId, uint256 invitedId);
    /// @notice Thrown when a line would hold nothing.
    error Guarantees__ZeroAmount(uint256 observedWad, uint256 minimumWad);
    /// @notice Thrown when the sponsor has less cash than the line is to hold: nothing borrowed is lent on.
    error Guarantees__InsufficientCash(int256 observedWad, uint256 neededWad);
    /// @notice Thrown when the fall before the end is too short for an auction, or too long.
    error Guarantees__BadRamp(uint256 observedSec, uint256 leastSec, uint256 mostSec);
    /// @notice Thrown when the end is too near, earlier than it was, or too far away.
    error Guarantees__BadEnd(uint256 observedTs, uint256 leastTs, uint256 mostTs);
    /// @notice Thrown when an account has as many lines as a margin check may read.
    error Guarantees__TooManyLines(uint256 observed, uint256 limit);
    /// @notice Thrown when there is no such line.
    error Guarantees__UnknownLine(uint256 lineId);
    /// @notice Thrown when a line has not ended yet.
    error Guarantees__NotEnded(uint256 nowTs, uint256 endTs);
    /// @notice Thrown when a line has ended but its beneficiary has to be liquidated first.
    error Guarantees__BeneficiaryShort(int256 equityWad, uint256 maintenanceWad);
    /// @notice Thrown when anyone but the auction draws.
    error Guarantees__NotAuction(address caller, address auction);
    /// @notice Thrown when more is drawn than the lines of an account hold.
    error Guarantees__DrawTooLarge(uint256 wantedWad, uint256 heldWad);
    /// @notice Thrown when margin engine and auction are set twice.
    error Guarantees__Connected(address auction);

    /// @notice Says from which account the next line to the caller's account may come; that line uses it up.
    /// @param beneficiaryId Account of the caller.
    /// @param sponsorId Sponsor; 0 for nobody.
    function invite(uint256 beneficiaryId, uint256 sponsorId) external;

    /// @notice Sets cash of the caller's account aside for another account that has invited it.
    /// @dev The sponsor has to have the cash and must keep its initial margin without it, in the own measure.
    /// @param sponsorId Account of the caller.
    /// @param beneficiaryId Account that it stands for.
    /// @param amountWad Cash, wad.
    /// @param endTs End: at least the ramp from now, at most two years.
    /// @param rampSec Fall before the end: 15 minutes, the time of an auction from 0.98 to 0.70, to 90 days.
    /// @return lineId Line.
    function give(uint256 sponsorId, uint256 beneficiaryId, uint256 amountWad, uint40 endTs, uint24 rampSec)
        external
        returns (uint256 lineId);

    /// @notice Lets a line last longer; none can be made shorter. Its sponsor only.
    /// @param lineId Line.
    /// @param endTs New end, at most two years from now.
    function extend(uint256 lineId, uint40 endTs) external;

    /// @notice Ends a line before its time. Its beneficiary only, which must have its initial margin without it.
    /// @param lineId Line.
    function release(uint256 lineId) external;

    /// @notice Returns what a line has left to its sponsor; anyone may call. It has ended and its beneficiary has its
    /// maintenance margin without it; or it holds nothing, or its beneficiary was closed.
    /// @dev Where the beneficiary is short, anybody may liquidate it: the line stands by until that is done.
    /// @param lineId Line.
    function settle(uint256 lineId) external;

    /// @notice Pays an account out of the lines of another, in proportion to what they hold. Auction only.
    /// @param beneficiaryId Account whose loss it is.
    /// @param toId Account that is paid.
    /// @param wantedWad Cash, at most what the lines hold.
    function draw(uint256 beneficiaryId, uint256 toId, uint256 wantedWad) external;

    /// @notice Fixes margin engine and auction, once. Governance only.
    /// @param engine Margin engine.
    /// @param auction Auction.
    function connect(IMarginEngine engine, address auction) external;

    /// @notice What the lines of an account add to its equity where it lacks initial margin; never reverts.
    /// @param accountId Account.
    /// @return creditWad Cash, rounded down.
    function creditOf(uint256 accountId) external view returns (uint256 creditWad);

    /// @notice The same, and what the lines hold: the whole of it pays for a loss, however much of it counts.
    /// @param accountId Account.
    /// @return creditWad Cash that counts.
    /// @return reservesWad Cash held.
    function backingOf(uint256 accountId) external view returns (uint256 creditWad, uint256 reservesWad);

    /// @notice Lines that stand for an account.
    /// @param accountId Account.
    /// @return lineIds At most four.
    function linesOf(uint256 accountId) external view returns (uint256[] memory lineIds);

    /// @notice One line.
    /// @param lineId Line.
    /// @return line All 0 when there is none.
    function lineOf(uint256 lineId) external view returns (Line memory line);

    /// @notice From which account the next line to an account may come.
    /// @param beneficiaryId Account.
    /// @return sponsorId Sponsor; 0 for nobody.
    function invitedOf(uint256 beneficiaryId) external view returns (uint256 sponsorId);
}
