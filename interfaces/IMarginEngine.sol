// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccounts} from "./IAccounts.sol";
import {IRiskEngine} from "./IRiskEngine.sol";

/// @title IMarginEngine
/// @notice Risk of every underlying -> equity, initial and maintenance margin, state of an account.
/// @dev Flow: feeds -> risk -> [margin] -> liquidation. View only, no state.
/// @custom:mirror offchain.mirror.margin_engine
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
        int256 equityWad;
        /// @dev Equity without haircuts, long options counted in every mode.
        int256 marketEquityWad;
        int256 markToMarketWad;
        uint256 initialWad;
        uint256 maintenanceWad;
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
    /// @notice Thrown when a snapshot names an unknown mode.
    error MarginEngine__UnknownMode(uint256 observed, uint256 limit);
    /// @notice Thrown when two arrays that belong together differ in length.
    error MarginEngine__BadLength(uint256 observed, uint256 expected);
    /// @notice Thrown when a hypothetical amount becomes negative.
    error MarginEngine__NegativeAmount(uint256 tokenId, int256 amountWad);
    /// @notice Thrown when a snapshot has more positions than an account may hold.
    error MarginEngine__TooManyPositions(uint256 observed, uint256 limit);

    /// @notice Margin of a snapshot.
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

    /// @notice Margin of an account now.
    /// @param accountId Account.
    /// @return margin State.
    function marginOf(uint256 accountId) external view returns (MarginState memory margin);

    /// @notice Margin of an account now, for an auction: a stale price neither stops it nor counts in full.
    /// @param accountId Account.
    /// @return margin State.
    function auctionMarginOf(uint256 accountId) external view returns (MarginState memory margin);

    /// @notice Margin before and after hypothetical changes, with every row.
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

    /// @notice Reverts unless a token can be valued: it has collateral parameters and was priced at least once.
    /// @param tokenId Token.
    function requireCollateral(uint256 tokenId) external view;

    /// @notice Reverts unless the account has its initial margin, or its excess did not fall and its market equity did
    /// not fall below zero or further below it.
    /// @dev An account without positions and debt owes nothing to anyone: it passes without any price.
    /// @param accountId Account, after the action.
    /// @param before_ The account before the action.
    function enforce(uint256 accountId, IAccounts.Snapshot calldata before_) external view;
}
