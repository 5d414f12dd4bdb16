// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccounts} from "./IAccounts.sol";
import {IRiskEngine} from "./IRiskEngine.sol";

/// @title IMarginEngine
/// @notice Risk of every underlying -> equity, initial and maintenance margin, state of an account.
/// @dev Flow: feeds -> risk -> [margin] -> liquidation. View only, no state.
/// @custom:mirror plimsoll.mirror.margin_engine
interface IMarginEngine {
    /// @notice State of an account (risk-model section 6).
    enum State {
        HEALTHY,
        MARGIN_CALL,
        LIQUIDATABLE,
        INSOLVENT
    }

    /// @notice One account's margin.
    /// @custom:unit wad of cash; equity rounded down, requirements up
    struct MarginState {
        State state;
        /// @dev Of an account named by its id with what its guarantee lines fill up of its initial margin.
        int256 equityWad;
        /// @dev Equity without haircuts and guarantee lines, long options counted in every mode.
        int256 marketEquityWad;
        int256 markToMarketWad;
        uint256 initialWad;
        uint256 maintenanceWad;
        /// @dev What a debt adds to the requirement, before its factors.
        uint256 debtChargeWad;
        IRiskEngine.UnderlyingRisk[] underlyings;
    }

    /// @notice Hypothetical changes to an account.
    struct Changes {
        /// @dev 255 keeps the mode.
        uint8 mode;
        int256 cashDeltaWad;
        uint256[] tokenIds;
        int256[] amountDeltasWad;
        /// @dev Position words whose quantity is the change.
        uint256[] positions;
    }

    /// @notice Thrown when equity would be below the initial margin and the action does not reduce risk.
    error MarginEngine__BelowInitial(int256 equityWad, uint256 initialWad);
    /// @notice Thrown when an account below its initial margin would lose more equity than an honest close costs.
    error MarginEngine__EquityFell(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when an account in a margin call would end below its maintenance margin, or one below it with
    /// less over it than before; names what is over it after and at least has to be.
    error MarginEngine__BelowMaintenance(int256 observedWad, int256 limitWad);
    /// @notice Thrown when a snapshot names an unknown mode.
    error MarginEngine__UnknownMode(uint256 observed, uint256 limit);
    /// @notice Thrown when two arrays that belong together differ in length.
    error MarginEngine__BadLength(uint256 observed, uint256 expected);
    /// @notice Thrown when a hypothetical amount becomes negative.
    error MarginEngine__NegativeAmount(uint256 tokenId, int256 amountWad);
    /// @notice Thrown when a snapshot has more positions than an account may hold.
    error MarginEngine__TooManyPositions(uint256 observed, uint256 limit);

    /// @notice Margin of a snapshot; a snapshot is nobody's, so no guarantee line counts.
    /// @param snapshot Account as it is or might be.
    /// @return margin State; `underlyings` is empty in STANDARD mode.
    function evaluate(IAccounts.Snapshot calldata snapshot) external view returns (MarginState memory margin);

    /// @notice Margin of a snapshot with the components, rows and greeks of every underlying, in every mode.
    /// @param snapshot Account as it is or might be.
    /// @return margin State.
    /// @return details One per entry of `margin.underlyings`.
    function evaluateDetailed(IAccounts.Snapshot calldata snapshot)
        external
        view
        returns (MarginState memory margin, IRiskEngine.UnderlyingDetail[] memory details);

    /// @notice Margin of a snapshot as an action of its owner is judged by: in the own measure, where a token linked to
    /// an underlying counts at the lower of the book's ratio and what its source states now (IRateFeed.ceilingOf).
    /// @dev Where a source fails its token counts 0. Whether an account is below maintenance, may be liquidated and at
    /// which mark depends on the book alone: evaluate, marginOf, auctionMarginOf.
    /// @param snapshot Account as it is or might be.
    /// @return margin State.
    function evaluateOwn(IAccounts.Snapshot calldata snapshot) external view returns (MarginState memory margin);

    /// @notice Margin of a snapshot in the own measure, with the components, rows and greeks of every underlying.
    /// @param snapshot Account as it is or might be.
    /// @return margin State.
    /// @return details One per entry of `margin.underlyings`.
    function evaluateOwnDetailed(IAccounts.Snapshot calldata snapshot)
        external
        view
        returns (MarginState memory margin, IRiskEngine.UnderlyingDetail[] memory details);

    /// @notice Margin of an account now.
    /// @param accountId Account.
    /// @return margin State.
    function marginOf(uint256 accountId) external view returns (MarginState memory margin);

    /// @notice Margin of an account now, for its auction: a token whose price is stale counts at its last price less a
    /// haircut that rises to all of it over the 24 hours after it became stale.
    /// @param accountId Account.
    /// @return margin State.
    function auctionMarginOf(uint256 accountId) external view returns (MarginState memory margin);

    /// @notice Margin of an account now, in the own measure.
    /// @param accountId Account.
    /// @return margin State.
    function ownMarginOf(uint256 accountId) external view returns (MarginState memory margin);

    /// @notice Margin of an account that bids in an auction, in the own measure: stale prices count as in
    /// auctionMarginOf.
    /// @param accountId Account.
    /// @return margin State.
    function bidderMarginOf(uint256 accountId) external view returns (MarginState memory margin);

    /// @notice Whether one of the tokens counts for less in the own measure than by the book.
    /// @param tokenIds Tokens.
    /// @return Whether it does.
    function isLowered(uint256[] calldata tokenIds) external view returns (bool);

    /// @notice Margin before and after hypothetical changes, with every row, in the own measure: what an action of the
    /// owner would be judged by.
    /// @param accountId Account.
    /// @param changes What would change.
    /// @return before_ State now.
    /// @return after_ State then.
    /// @return detailsBefore Rows and greeks now.
    /// @return detailsAfter Rows and greeks then.
    function preview(uint256 accountId, Changes calldata changes)
        external
        view
        returns (
            MarginState memory before_,
            MarginState memory after_,
            IRiskEngine.UnderlyingDetail[] memory detailsBefore,
            IRiskEngine.UnderlyingDetail[] memory detailsAfter
        );

    /// @notice What guarantee lines can add to the equity of an account that lacks initial margin, and what they hold
    /// (IGuarantees.backingOf).
    /// @param accountId Account.
    /// @return creditWad Cash that counts, wad.
    /// @return reservesWad Cash held, wad.
    function backingOf(uint256 accountId) external view returns (uint256 creditWad, uint256 reservesWad);

    /// @notice Reverts unless a token can be valued now: it has collateral parameters, and a price, or the underlying
    /// that it is linked to a round, that is not stale.
    /// @param tokenId Token.
    function requireCollateral(uint256 tokenId) external view;

    /// @notice Reverts unless the account may end an action of its own like this (risk-model section 6): it has its
    /// initial margin; or that is not higher than before, equity fell by at most closeShare of what it fell by, and
    /// equity is at least the maintenance margin or, when it was below it, not further below it than before. Market
    /// equity below zero may not fall.
    /// @dev In the own measure, and where a token is lowered there, by the book's ratios as well; either values before
    /// and after alike. So a source can refuse an action and never allow one.
    /// What guarantee lines fill up of the initial margin counts, before and after alike.
    /// An account without positions and debt owes nothing to anyone: it passes without any price.
    /// @param accountId Account, after the action.
    /// @param before_ The account before the action.
    function enforce(uint256 accountId, IAccounts.Snapshot calldata before_) external view;
}
